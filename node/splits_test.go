package node_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"almenara/node"
	"almenara/node/wire"
	"almenara/node/wire/splits"
)

// Two halves both warn while the links between them are cut, one of them in the name
// of a user whom the other has just revoked. Afterwards every node gives the same
// account of it.
func TestSplits_EveryNodeTellsWhatBothHalvesDid(t *testing.T) {
	t.Parallel()
	links := newWires()
	d := newTuned(t, 3, func(_ int, o *node.Options) { o.Dial = links.lay(o.Internode) })
	here := d.estate("parted")
	screens := d.enrol("screen", here.Block, 3) // one at each node
	for i := range screens {
		screens[i].Servers = d.nodes[i].MQTT()
	}
	fleet := d.fleet(screens...)
	wong, err := d.client(0).AddUser(d.ctx(), wire.AddUser{Name: "wong", Roles: []string{"composer"}})
	require.NoError(t, err)
	d.eventually("wong is known at box-3", func() bool {
		_, err := d.clientWith(2, wong.Token).Status(d.ctx(), false)
		return err == nil
	})
	duty := d.user(wire.AddUser{Name: "duty", Roles: []string{"composer"}})
	require.NoError(t, d.client(0).PutScenario(d.ctx(), prepared("fire", "kind = screen")))
	licence, err := d.client(0).GrantLicence(d.ctx(), wire.Licence{Operator: "duty", Scenarios: []string{"fire"}, Place: here.Path, Until: time.Now().Add(time.Hour)})
	require.NoError(t, err)
	d.eventually("the licence is known at box-3", func() bool {
		known, err := d.client(2).ListLicences(d.ctx())
		return err == nil && len(known) == 1
	})
	heard, stop := d.splitEvents(0)
	defer stop()

	links.isolate(d.opts[2].Internode)
	d.awaitOn(2, func(s wire.Status) bool { return !s.Quorum && !s.AloneSince.IsZero() })
	d.awaitOn(0, func(s wire.Status) bool { return s.Quorum })
	require.NoError(t, d.client(0).RevokeUser(d.ctx(), "wong"))
	require.NoError(t, d.client(0).RevokeLicence(d.ctx(), licence.ID))
	theirs, ours, brief := warning("theirs", polygon(here.Area)), warning("ours", polygon(here.Area)), warning("brief", polygon(here.Area))
	theirs.Headline, ours.Headline = "Fire in block 1", "fire in Block 1"
	brief.Expires = time.Now().Add(3 * time.Second)
	old := warning("old", polygon(here.Area)) // so that nodes need not remember it
	old.Sent, old.Expires = old.Sent.Add(-90*24*time.Hour), old.Expires.Add(-90*24*time.Hour)
	there, err := d.clientWith(2, wong.Token).TakeCAP(d.ctx(), theirs.xml(), "", "")
	require.NoError(t, err)
	d.post(2, brief, "", "")
	d.post(2, old, "", "")
	here0 := d.post(0, ours, "", "committed")
	fleet.proven(revisionOf(there), 1)
	fleet.proven(revisionOf(here0), 2)
	require.True(t, d.post(2, old, "", "").Duplicate, "though nothing can be agreed there")
	// The report keeps to what lasted 5 s, and the status tells the second in which it began.
	d.awaitOn(2, func(s wire.Status) bool { return !s.AloneSince.IsZero() && time.Since(s.AloneSince) > 6*time.Second })

	fire, err := d.clientWith(2, duty).SendAlert(d.ctx(), press("fire", "i-1"), "")
	require.NoError(t, err)
	fleet.proven(revisionOf(fire), 1)

	links.isolate()
	d.await(func(s wire.Status) bool { return s.Ready && s.Quorum && s.PendingFacts == 0 })
	fleet.proven(revisionOf(there), 3)
	fleet.proven(revisionOf(here0), 3)
	fleet.proven(revisionOf(fire), 3)
	fleet.settle()
	require.Contains(t, told(t, heard), "box-3 was without a majority from ")
	report := d.splits(settledReport)
	require.Equal(t, []splits.SplitHalf{{Nodes: []string{"box-1", "box-2"}, Majority: true}, {Nodes: []string{"box-3"}}}, report.Halves)
	require.Len(t, report.Nodes, 1)
	require.Equal(t, "lost", report.Nodes[0].Why)
	require.GreaterOrEqual(t, report.To.Sub(report.From), 5*time.Second)
	require.GreaterOrEqual(t, report.LateReceipts, 2, "box-3's screen has said that it verified and presented")
	byKey := map[string]splits.SplitAlert{}
	for _, a := range report.Alerts {
		byKey[strings.Split(a.Key, ",")[1]] = a
	}
	first := byKey["theirs"]
	require.True(t, first.Alone)
	require.Equal(t, []string{"wong", "box-3"}, []string{first.Author, first.Node})
	require.Less(t, first.Policy, first.Newest)
	require.Regexp(t, `^Issued under policy \d+; \d+ had revoked the operator wong at `, first.Notes[0], "what was agreed before the split is no news")
	require.Contains(t, strings.Join(first.Notes, " "), `Possible duplicate: "fire in Block 1`)
	require.Positive(t, first.Receipts)
	require.Len(t, first.Told, 3)
	require.Equal(t, []any{"box-3", false}, []any{first.Told[0].Node, first.Told[0].Late})
	require.True(t, first.Told[1].Late && first.Told[2].Late)
	require.False(t, byKey["ours"].Alone)
	require.NotContains(t, strings.Join(byKey["ours"].Notes, " "), "under policy")
	licensed := report.Alerts[len(report.Alerts)-1]
	require.Equal(t, []string{"fire", "i-1", licence.ID, here.Path}, []string{licensed.Scenario, licensed.Incident, licensed.Licence, licensed.Within})
	require.Contains(t, strings.Join(licensed.Notes, " "), "had revoked the licence "+licence.ID)
	require.Contains(t, strings.Join(byKey["brief"].Notes, " "), "It expired before the other half got it")
	require.Len(t, byKey["brief"].Told, 1)
}

// splits waits until every node has the whole report of one split, and all the same.
func (d *district) splits(whole func(splits.Split) bool) splits.Split {
	d.t.Helper()
	var last []string
	defer func() {
		if d.t.Failed() {
			d.t.Log(last)
		}
	}()
	d.eventually("the same report everywhere", func() bool {
		last = nil
		for _, i := range d.live() {
			report, err := d.client(i).Splits(d.ctx(), 0)
			raw, _ := json.Marshal(report)
			last = append(last, string(raw))
			if err != nil || len(report) != 1 || string(raw) != last[0] || !whole(report[0]) {
				return false
			}
		}
		return true
	})
	report, err := d.client(d.live()[0]).Splits(d.ctx(), 0)
	require.NoError(d.t, err)
	d.t.Log(last[0])
	return report[0]
}

func settledReport(s splits.Split) bool {
	told := 0
	for _, a := range s.Alerts {
		told += len(a.Told)
	}
	return told >= 10 && s.LateReceipts >= 2
}

// splitEvents gives the texts of the events about splits.
func (d *district) splitEvents(i int) (<-chan string, func()) {
	d.t.Helper()
	ctx := d.t.Context()
	events, err := d.nodes[i].Services().Events.Events(ctx, "")
	require.NoError(d.t, err)
	heard := make(chan string, 8)
	done := make(chan struct{})
	quit := make(chan struct{})
	go func() {
		defer close(done)
		for {
			select {
			case e, ok := <-events:
				if !ok {
					return
				}
				if e.Type == "split" {
					heard <- e.Text
				}
			case <-quit:
				return
			}
		}
	}()
	return heard, func() { close(quit); <-done }
}
