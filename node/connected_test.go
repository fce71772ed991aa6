package node_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"almenara/node"
	"almenara/node/wire"
)

// The answer to who warns tells how many of those addressed can be reached in the district, and
// which nodes could not be asked; a node that is alone asks nobody.
func TestReachable_IsOfTheDistrict(t *testing.T) {
	t.Parallel()
	links := newWires()
	d := newTuned(t, 3, func(_ int, o *node.Options) { o.Dial = links.lay(o.Internode) })
	people := d.staff()
	here, dark := d.estate("reachable"), d.estate("dark")
	screens, off := d.enrol("screen", here.Block, 5), d.enrol("screen", dark.Block, 2)
	for i := range screens[:4] {
		screens[i].Servers = d.nodes[1+i%2].MQTT()
	}
	d.fleet(screens[:4]...)
	duty := d.clientWith(0, people.duty)

	sent, err := duty.SendAlert(d.ctx(), byJSON("all", "place under "+here.Path), "committed")
	require.NoError(t, err)
	require.Zero(t, sent.Connected, "none of them is here")
	require.EqualValues(t, 5, sent.Addressed.Total)
	require.EqualValues(t, 4, *sent.Reachable)
	require.Empty(t, sent.Unanswered)

	nobody, err := duty.SendAlert(d.ctx(), byJSON("nobody there", "place under "+dark.Path), "committed")
	require.NoError(t, err)
	require.EqualValues(t, len(off), nobody.Addressed.Total)
	require.Zero(t, *nobody.Reachable)
	try, err := duty.PreviewAlert(d.ctx(), byJSON("nobody there", "place under "+dark.Path))
	require.NoError(t, err)
	require.Zero(t, *try.Reachable)
	require.Empty(t, try.Unanswered)
	try, err = duty.PreviewAlert(d.ctx(), byJSON("all", "place under "+here.Path))
	require.NoError(t, err)
	require.EqualValues(t, 4, *try.Reachable)

	// Who does not wait for others is told what is known here.
	local, err := duty.SendAlert(d.ctx(), byJSON("local", "place under "+here.Path), "local")
	require.NoError(t, err)
	require.Zero(t, *local.Reachable)
	require.ElementsMatch(t, []string{d.nodes[1].ID(), d.nodes[2].ID()}, local.Unanswered)

	// So is who approves, and corrects.
	d.strict(1)
	waits, err := duty.SendAlert(d.ctx(), byJSON("waits", "place under "+here.Path), "committed")
	require.NoError(t, err)
	require.EqualValues(t, 4, *waits.Reachable)
	approved, err := d.clientWith(0, people.second).ApproveAlert(d.ctx(), waits.Alert, wire.Approve{}, "committed")
	require.NoError(t, err)
	require.EqualValues(t, 4, *approved.Reachable)
	d.lax()
	ended, err := duty.CancelAlert(d.ctx(), waits.Alert, wire.CancelAlert{}, "committed")
	require.NoError(t, err)
	require.Nil(t, ended.Reachable, "nobody is warned by an end")

	// A node that does not answer is named, and is not waited for longer than a commit is.
	links.isolate(d.opts[2].Internode)
	begun := time.Now()
	cut, err := duty.SendAlert(d.ctx(), byJSON("cut", "place under "+here.Path), "held")
	require.NoError(t, err)
	require.Less(t, time.Since(begun), 5*time.Second)
	require.EqualValues(t, 2, *cut.Reachable)
	require.Equal(t, []string{d.nodes[2].ID()}, cut.Unanswered)

	// Alone it asks nobody.
	links.isolate(d.opts[0].Internode)
	d.awaitOn(0, func(s wire.Status) bool { return s.Alone })
	begun = time.Now()
	alone, err := duty.CorrectAlert(d.ctx(), cut.Alert, wire.CorrectAlert{Expires: time.Now().Add(30 * time.Minute)}, "committed")
	require.NoError(t, err)
	require.Less(t, time.Since(begun), 2*time.Second, "it waits neither for an answer nor for a majority that cannot come")
	require.Equal(t, wire.ReplicationLocal, alone.Replication)
	require.Zero(t, *alone.Reachable)
	require.Len(t, alone.Unanswered, 2)
}
