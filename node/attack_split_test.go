package node_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"almenara/node"
	"almenara/node/authority"
	"almenara/node/client"
	"almenara/node/wire"
)

// TestSmallestRights_EndNothingUnheard tells what a composer of one block tries at a node
// that is cut off, against alerts that only the others have heard of. When the links are
// back, these go on.
func TestSmallestRights_EndNothingUnheard(t *testing.T) {
	t.Parallel()
	links := newWires()
	d := newTuned(t, 3, func(_ int, o *node.Options) { o.Dial = links.lay(o.Internode) })
	here, there := d.estate("mine"), d.estate("others")
	d.enrol("screen", here.Block, 1)
	d.enrol("screen", there.Block, 1)
	require.NoError(t, d.client(0).PutScenario(d.ctx(), prepared("gas", "kind = screen")))
	small := d.clientWith(2, d.user(wire.AddUser{Name: "small", Roles: []string{authority.RoleComposer}, Places: []string{here.Path}}))
	_, err := d.client(0).GrantLicence(d.ctx(), wire.Licence{Operator: "small", Scenarios: []string{"gas"}, Place: here.Path, Until: time.Now().Add(time.Hour)})
	require.NoError(t, err)
	own, err := small.SendAlert(d.ctx(), byJSON("own", "place under "+here.Path), "committed")
	require.NoError(t, err)
	earlier := warning("earlier", both(here, there)).of("civil@example.hk") // granted to nobody, and known everywhere
	d.cancelled(d.post(0, earlier, "", "committed"))
	d.sameEverywhere()
	links.isolate(d.opts[2].Internode)
	d.awaitOn(2, func(s wire.Status) bool { return !s.Quorum && s.Alone })
	d.awaitOn(0, func(s wire.Status) bool { return s.Quorum })

	pressed, err := d.client(0).SendAlert(d.ctx(), press("gas", "i-1"), "")
	require.NoError(t, err)
	storm := warning("storm", both(here, there)).of(earlier.Sender)
	posted := d.post(0, storm, "", "")
	endsOwnIncident(d, small, here)
	takesNoKey(d, small, here, own, storm)

	links.isolate()
	d.await(func(s wire.Status) bool { return s.Ready && s.Quorum && s.PendingFacts == 0 })
	for _, out := range []wire.Outcome{pressed, posted} {
		d.everywhere(out.Alert, "in force", func(a wire.Alert) bool {
			return a.State == wire.StateInForce && a.Replication == wire.ReplicationCommitted
		})
	}
	d.sameEverywhere()
}

// endsOwnIncident presses the scenario for the incident that the others know, and cancels it.
func endsOwnIncident(d *district, small *client.Client, here estate) {
	mine := press("gas", "i-1")
	mine.Select = "place under " + here.Path
	own, err := small.SendAlert(d.ctx(), mine, "")
	require.NoError(d.t, err)
	again, err := small.SendAlert(d.ctx(), mine, "")
	require.NoError(d.t, err)
	require.True(d.t, again.Duplicate, "one incident of one place is one alert")
	over, err := small.CancelAlert(d.ctx(), own.Alert, wire.CancelAlert{Reason: "mine"}, "")
	require.NoError(d.t, err)
	require.Equal(d.t, wire.StateCancelled, over.State)
}

// takesNoKey sends an Update and a Cancel of its own alert under the key of the other.
func takesNoKey(d *district, small *client.Client, here estate, own wire.Outcome, aim bulletin) {
	for _, attempt := range []bulletin{aim.update("All is well"), aim.cancel()} {
		attempt.Identifier, attempt.Sent, attempt.Area = aim.Identifier, aim.Sent, polygon(here.Area)
		raw := attempt.xml()
		from, until := strings.Index(string(raw), "<references>"), strings.Index(string(raw), "</references>")
		raw = []byte(string(raw[:from]) + "<references>" + own.Key + string(raw[until:]))
		p := d.forbidden(small.TakeCAP(d.ctx(), raw, "", ""))
		require.Contains(d.t, p.Sentence, "leaves the identifier of an Update or a Cancel to the node")
		d.forbidden(small.PreviewCAP(d.ctx(), raw, ""))
	}
	require.NoError(d.t, second(small.CancelAlert(d.ctx(), own.Alert, wire.CancelAlert{}, "")))
}
