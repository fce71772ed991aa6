package node_test

import (
	"fmt"
	"strings"
	"sync"

	"github.com/stretchr/testify/require"

	"almenara/channels/device"
	"almenara/node/wire"
)

// adoptions is how often the audit says that the revision was adopted.
func (d *district) adoptions(o wire.Outcome) int {
	d.t.Helper()
	text, _ := d.audit(0)
	return strings.Count(text, fmt.Sprintf("alert %s revision %d, by ", o.Alert, o.Revision))
}

// worksAlone stops two of three nodes: the last one warns, cancels and records, says
// in one sentence what it cannot do, and loses nothing of it when the others return.
func worksAlone(d *district) {
	here := d.estate("alone")
	options := append(d.enrol("screen", here.Block, 3), d.enrol("phone", here.Block, 2)...)
	for i := range options {
		options[i].ConfirmAfter = 1
	}
	fleet := d.fleet(options...)
	d.feed = d.user(wire.AddUser{Name: "observatory", Roles: []string{"composer"}, Senders: []string{observatory}, System: true})
	defer func() { d.feed = "" }()
	before := d.post(1, warning("before", polygon(here.Area)), "", "committed")
	fleet.proven(revisionOf(before), 5)
	d.stop(1)
	d.kill(2)
	fleet.await("all roam", func(p device.Progress) bool { return p.Connected == 5 })
	d.awaitOn(0, func(s wire.Status) bool { return s.Alone && !s.Quorum && !s.Ready })

	fire := warning("alone-fire", polygon(here.Area))
	heard := d.listens(0, fire.id())
	sent := d.post(0, fire, "", "held")
	require.Equal(d.t, wire.StateInForce, sent.State)
	require.Equal(d.t, wire.ReplicationLocal, sent.Replication)
	require.EqualValues(d.t, 5, sent.Addressed.Total)
	require.Equal(d.t, 5, sent.Connected)
	fleet.proven(revisionOf(sent), 5)
	d.knowsAlone(0, sent, 5)
	texts := d.show(0, sent.Alert).Messages[0].Texts
	require.Len(d.t, texts, 2, "in every language")
	require.NotEqual(d.t, texts[0].Language, texts[1].Language)
	d.hears(heard, "receipts", func(e wire.Event) bool { return e.Rungs.Presented == 5 && e.CountsFrom == wire.SourceThisNode })
	require.True(d.t, d.post(0, fire, "", "").Duplicate)
	other := fire
	other.Headline = "contradiction"
	require.Equal(d.t, wire.KindConflict, d.refused(0, other, "").Kind)
	over, err := d.client(0).CancelAlert(d.ctx(), before.Alert, wire.CancelAlert{Reason: "over"}, "")
	require.NoError(d.t, err)
	require.Equal(d.t, wire.ReplicationLocal, over.Replication)
	fleet.stopped(revisionOf(before), 5)
	short := d.post(0, fire.update("alone-update"), "", "")
	fleet.proven(revisionOf(short), 5)
	d.saysNoQuorum(here)

	d.start(1)
	d.start(2)
	d.await(func(s wire.Status) bool { return s.Ready && s.PendingFacts == 0 })
	fleet.settle()
	for _, r := range []wire.Outcome{before, sent, short} {
		require.Equal(d.t, []int{1, 1, 1, 1, 1}, fleet.starts(revisionOf(r)))
	}
	d.everywhere(before.Alert, "cancelled", func(a wire.Alert) bool {
		return a.State == wire.StateCancelled && a.Replication == wire.ReplicationCommitted
	})
	d.everywhere(sent.Alert, "everything committed, counted alike", func(a wire.Alert) bool {
		return a.CountsFrom == wire.SourceDistrict && a.Replication == wire.ReplicationCommitted && len(a.Messages) == 2 && a.Rungs.Presented == 5 && a.Rungs.Acknowledged == 5 && a.Addressed.Total == 5
	})
	require.Equal(d.t, 1, d.adoptions(sent))
	d.audited("alert refused", "contradicts alert "+sent.Alert)
	d.sameEverywhere()
}

// saysNoQuorum asks for what needs a majority.
func (d *district) saysNoQuorum(here estate) {
	d.t.Helper()
	c, ctx := d.client(0), d.ctx()
	asks := map[string]func() error{
		"enrol": func() error {
			return second(c.EnrolDevices(ctx, []wire.Enrol{{ID: "x", Kind: "screen", Place: here.Block}}))
		},
		"user":   func() error { return second(c.AddUser(ctx, wire.AddUser{Name: "x", Roles: []string{"viewer"}})) },
		"places": func() error { return c.PutPlaces(ctx, []wire.Place{{Path: here.Path}}) },
		"invite": func() error { return second(c.Invite(ctx, wire.Invite{})) },
		"revoke": func() error { return c.RevokeUser(ctx, "administrator") },
	}
	var mu sync.Mutex
	var asked sync.WaitGroup
	errs := map[string]error{}
	for what, ask := range asks {
		asked.Go(func() {
			err := ask()
			mu.Lock()
			defer mu.Unlock()
			errs[what] = err
		})
	}
	asked.Wait()
	for what, err := range errs {
		problem := problemOf(d, what, err)
		require.Equal(d.t, wire.KindNoQuorum, problem.Kind, what)
		require.Contains(d.t, problem.Sentence, "needs a majority of the district's nodes", what)
		require.Contains(d.t, problem.Sentence, "since", what)
		require.NotContains(d.t, problem.Sentence, "\n", what)
	}
	selected, err := c.Select(d.ctx(), "place under "+here.Path, "", 0)
	require.NoError(d.t, err)
	require.EqualValues(d.t, 5, selected.Counts.Total)
}
