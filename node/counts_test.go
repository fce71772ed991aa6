package node_test

import (
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"almenara/node"
	"almenara/node/client"
	"almenara/node/wire"
)

// The answers about one alert agree: queued is everybody who counts, no rung is above it, the
// lines add up, and who is listed as missing are the others. What was addressed stays when
// members are removed afterwards.
func TestCounts_AgreeAndWhatWasAddressedStays(t *testing.T) {
	t.Parallel()
	d := newDistrict(t, 1)
	here := d.estate("counted")
	kiosks := d.enrol("kiosk", here.Block, 4)
	storm := warning("storm", polygon(here.Area))
	heard := d.listens(0, storm.id())
	sent := d.post(0, storm, "", "committed")
	for _, o := range kiosks[:3] {
		d.plainDevice(o, 0).tell(presented(revisionOf(sent), 1))
	}
	d.everywhere(sent.Alert, "presented", func(a wire.Alert) bool { return a.Rungs.Presented == 3 })
	a := d.agrees(sent.Alert)
	require.Equal(t, wire.Counts{Total: 4, ByKind: []wire.Count{{Name: "kiosk", Count: 4}}, ByPlace: []wire.Count{{Name: here.Block, Count: 4}}}, a.Addressed)

	d.keepOnly(here, kiosks[2].ID, kiosks[3].ID)
	a = d.agrees(sent.Alert)
	require.Equal(t, wire.Counts{
		Total: 4, Removed: 2, ByKind: []wire.Count{{Name: "kiosk", Count: 2}}, ByPlace: []wire.Count{{Name: here.Block, Count: 2}},
	}, a.Addressed)
	require.EqualValues(t, 3, a.Rungs.Presented, "who was removed was reached all the same")
	require.Zero(t, a.Joined)

	newcomers := d.enrol("screen", here.Block, 2)
	d.everywhere(sent.Alert, "joined", func(a wire.Alert) bool { return a.Joined == 2 })
	a = d.agrees(sent.Alert)
	require.EqualValues(t, 4, a.Addressed.Total)
	require.EqualValues(t, 6, a.Rungs.Queued)
	d.plainDevice(newcomers[0], 0).tell(presented(revisionOf(sent), 1))
	d.hears(heard, "receipts", func(e wire.Event) bool { return e.Rungs.Presented == 4 && e.Rungs.Queued == 6 })
	d.agrees(sent.Alert)

	worse := d.post(0, storm.update("worse"), "", "committed")
	require.EqualValues(t, 4, worse.Addressed.Total, "who is a member now")
	d.enrol("phone", here.Block, 1)
	d.everywhere(sent.Alert, "joined the Update", func(a wire.Alert) bool { return a.Joined == 1 })
	a = d.agrees(sent.Alert)
	require.EqualValues(t, 4, a.Addressed.Total)
	first := a.Messages[0]
	require.EqualValues(t, 4, first.Addressed)
	require.EqualValues(t, 2, first.Joined, "who came after the Update never got the first message")
	require.EqualValues(t, 4, first.Rungs.Presented)
	d.post(0, storm.cancel(), "", "committed")
	d.enrol("siren", here.Block, 2)
	require.EqualValues(t, 1, d.agrees(sent.Alert).Joined)
}

// keepOnly removes every member of the district but these, whatever devices they have.
func (d *district) keepOnly(here estate, ids ...string) {
	d.t.Helper()
	csv := "id,name,kind,place\n"
	for _, id := range ids {
		csv += id + ",," + strings.SplitN(id, "-", 2)[0] + "," + here.Block + "\n"
	}
	in, err := d.client(0).Import(d.ctx(), client.Import{CSV: strings.NewReader(csv), Replace: true, Yes: true})
	require.NoError(d.t, err)
	require.True(d.t, in.Applied, "%v", in.Faults)
}

// agrees asks node 0 in every way about the alert, and holds the answers against each other.
func (d *district) agrees(id string) wire.Alert {
	d.t.Helper()
	a := d.show(0, id)
	whole := func(c wire.Counts, lines []wire.Count) {
		d.t.Helper()
		sum := c.Removed
		for _, line := range lines {
			sum += line.Count
		}
		require.Equal(d.t, c.Total, sum)
	}
	whole(a.Addressed, a.Addressed.ByKind)
	whole(a.Addressed, a.Addressed.ByPlace)
	require.Equal(d.t, a.Addressed.Total+a.Joined, a.Rungs.Queued)
	var grouped wire.Rungs
	for _, row := range a.ByGroup {
		for i, n := range row.Rungs.All() {
			*grouped.All()[i] += *n
			require.LessOrEqual(d.t, *n, row.Rungs.Queued, "%+v", row)
		}
	}
	require.Equal(d.t, a.Rungs, grouped, "the table adds up")
	shown := 0
	for _, m := range a.Messages {
		if m.Rungs == nil {
			continue
		}
		require.Equal(d.t, m.Addressed+m.Joined, m.Rungs.Queued)
		if m.Revision == a.Revision {
			shown++
			require.Equal(d.t, a.Rungs, *m.Rungs)
			require.Equal(d.t, a.Addressed.Total, m.Addressed)
		}
	}
	require.Equal(d.t, 1, shown)
	listed, _, err := d.client(0).ListAlerts(d.ctx(), wire.AlertQuery{Limit: 100})
	require.NoError(d.t, err)
	for _, l := range listed {
		if l.ID == id {
			require.Equal(d.t, a.Rungs, l.Rungs)
			require.Equal(d.t, a.Joined, l.Joined)
			l.Addressed.ByPlace = a.Addressed.ByPlace // only in the detail
			require.Equal(d.t, a.Addressed, l.Addressed)
		}
	}
	for rung, n := range map[string]uint64{"queued": a.Rungs.Queued, "presented": a.Rungs.Presented, "acknowledged": a.Rungs.Acknowledged} {
		require.Len(d.t, d.rows(0, id, rung, false), int(n), rung)
		require.Len(d.t, d.rows(0, id, rung, true), int(a.Rungs.Queued-n), rung)
	}
	return a
}

// Whom a message addressed is recorded under what it says of its time itself, also where the
// sender's clock was ahead: authority over the alert counts those who have moved away since.
func TestCounts_AreFoundWhereTheSendersClockWasAhead(t *testing.T) {
	t.Parallel()
	d := newDistrict(t, 1)
	here, there := d.estate("near"), d.estate("far")
	lives := func(block string) {
		csv := "id,name,kind,place\nr-1,,phone," + block + "\nr-2,,phone," + here.Block + "\n"
		in, err := d.client(0).Import(d.ctx(), client.Import{CSV: strings.NewReader(csv)})
		require.NoError(t, err)
		require.True(t, in.Applied, "%v", in.Faults)
	}
	lives(here.Block)
	storm := warning("ahead", polygon(here.Area))
	storm.Sent = storm.Sent.Add(5 * time.Minute)
	sent := d.post(0, storm, "place under "+here.Path, "committed")
	require.EqualValues(t, 2, sent.Addressed.Total)
	lives(there.Block)
	warden := d.user(wire.AddUser{Name: "warden", Roles: []string{"composer"}, Places: []string{here.Path}})
	_, err := d.clientWith(0, warden).CancelAlert(d.ctx(), sent.Alert, wire.CancelAlert{}, "")
	require.Contains(t, problemOf(d, nil, err).Sentence, "also addresses 1 members outside")
	require.EqualValues(t, 2, d.agrees(sent.Alert).Addressed.Total)
}

// A list remembers what is over, and follows the audience all the same.
func TestCounts_OfTheListFollowTheAudience(t *testing.T) {
	t.Parallel()
	var ahead atomic.Int64
	d := newTuned(t, 1, func(_ int, o *node.Options) {
		o.Clock = func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }
	})
	here := d.estate("remembered")
	kiosks := d.enrol("kiosk", here.Block, 3)
	storm := warning("storm", polygon(here.Area))
	sent := d.post(0, storm, "", "committed")
	d.enrol("screen", here.Block, 2)
	d.stop(0)
	ahead.Store(int64(3 * time.Hour))
	d.start(0)
	d.awaitOn(0, func(s wire.Status) bool { return s.Ready })
	d.estate("another") // what is over goes to the archive when something is agreed
	before := d.agrees(sent.Alert)
	require.Equal(t, wire.StateExpired, before.State)
	require.EqualValues(t, 2, before.Joined)
	d.keepOnly(here, kiosks[0].ID)
	after := d.agrees(sent.Alert)
	require.EqualValues(t, 2, after.Addressed.Removed)
	require.Equal(t, before.Addressed.Total, after.Addressed.Total)
}

// Of two Alerts of one incident the later one speaks to everybody; whom the first one was for
// does not grow by that.
func TestCounts_OfAnIncidentStayWithTheirMessage(t *testing.T) {
	t.Parallel()
	d := newDistrict(t, 1)
	here, there := d.estate("first"), d.estate("second")
	d.enrol("screen", here.Block, 2)
	d.enrol("screen", there.Block, 3)
	require.NoError(t, d.client(0).PutScenario(d.ctx(), prepared("fire", "kind = screen")))
	var id string
	for _, at := range []estate{here, there} {
		press := press("fire", "i-1")
		press.Select = "place under " + at.Path
		press.Blanks["where"] = at.Block
		out, err := d.client(0).SendAlert(d.ctx(), press, "committed")
		require.NoError(t, err)
		require.False(t, out.Duplicate)
		id = out.Alert
	}
	a := d.agrees(id)
	require.EqualValues(t, 5, a.Addressed.Total)
	require.EqualValues(t, 2, a.Messages[0].Addressed)
	require.EqualValues(t, 5, a.Messages[1].Addressed)
}
