package node_test

import (
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"almenara/node"
	"almenara/node/wire"
)

// What devices never showed is not called expired when it is over, neither while the book has
// it nor when only the log does: an operator would take it for a warning that was given.
func TestState_WhatWasNeverShownHasNotExpired(t *testing.T) {
	t.Parallel()
	var ahead atomic.Int64
	d := newTuned(t, 1, func(_ int, o *node.Options) {
		o.Clock = func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }
	})
	here := d.estate("states")
	d.enrol("screen", here.Block, 2)
	require.NoError(t, d.client(0).PutPolicy(d.ctx(), wire.Policy{Rules: []wire.PolicyRule{{Scenario: "fire", Approvals: 1}}}))
	require.NoError(t, d.client(0).PutScenario(d.ctx(), prepared("fire", "place under "+here.Path)))
	posted := func(name, status string) string {
		b := warning(name, polygon(here.Area))
		b.Status = status
		return d.post(0, b, "", "committed").Alert
	}
	duty := d.user(wire.AddUser{Name: "duty", Roles: []string{"composer"}})
	waiting, err := d.clientWith(0, duty).SendAlert(d.ctx(), press("fire", "i-1"), "committed")
	require.NoError(t, err)
	approved, err := d.clientWith(0, duty).SendAlert(d.ctx(), press("fire", "i-2"), "committed")
	require.NoError(t, err)
	_, err = d.client(0).ApproveAlert(d.ctx(), approved.Alert, wire.Approve{}, "committed")
	require.NoError(t, err)
	want := map[string]wire.State{
		posted("shown", "Actual"): wire.StateExpired, posted("drilled", "Exercise"): wire.StateExpired,
		posted("drafted", "Draft"): wire.StateRecorded, posted("among-systems", "System"): wire.StateRecorded,
		waiting.Alert: wire.StateRecorded, approved.Alert: wire.StateExpired,
	}
	require.Equal(t, wire.StatePending, d.show(0, waiting.Alert).State)
	require.True(t, d.show(0, waiting.Alert).Messages[0].Pending)
	for _, later := range []time.Duration{3 * time.Hour, 40 * 24 * time.Hour} { // the book has them; it has forgotten them
		d.stop(0)
		ahead.Store(int64(later))
		d.start(0)
		d.awaitOn(0, func(s wire.Status) bool { return s.Ready })
		for range 2 { // also as the list remembers it
			listed, _, err := d.client(0).ListAlerts(d.ctx(), wire.AlertQuery{Limit: 100})
			require.NoError(t, err)
			require.Len(t, listed, len(want))
			for _, a := range listed {
				require.Equal(t, want[a.ID], a.State, "%s %s after %s", a.Status, a.Headline, later)
				require.Equal(t, want[a.ID], d.show(0, a.ID).State)
			}
		}
		require.Empty(t, d.show(0, waiting.Alert).Approvals.Given)
		require.Len(t, d.show(0, approved.Alert).Approvals.Given, 1, "who approved it stays on record")
		require.False(t, d.show(0, waiting.Alert).Messages[0].Pending, "nobody can approve it any more")
		_, err = d.client(0).ApproveAlert(d.ctx(), waiting.Alert, wire.Approve{}, "")
		require.Contains(t, problemOf(d, nil, err).Sentence, "it ran out before it was approved")
	}
}
