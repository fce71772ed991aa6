package node_test

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"

	"almenara/node/authority"
	"almenara/node/wire"
)

// A change that waits for approval inside an alert that is in force is to be seen in the list, on
// every node, until it is approved, ended or over; and so that nobody has to look for it, the
// list can be of what waits alone.
func TestListAlerts_ShowsChangesThatWait(t *testing.T) {
	t.Parallel()
	d := newDistrict(t, 2)
	people := d.staff()
	d.strict(1)
	place := d.estate("waiting")
	d.enrol("screen", place.Block, 1)
	duty := d.clientWith(0, d.user(wire.AddUser{Name: "clerk", Roles: []string{authority.RoleComposer}}))
	send := func(b bulletin, severity string) wire.Outcome {
		b.Sender = "clerk@example.hk"
		for i := range b.References {
			b.References[i].Sender = b.Sender
		}
		out, err := duty.TakeCAP(d.ctx(), bytes.ReplaceAll(b.xml(), []byte("Extreme"), []byte(severity)), "", "committed")
		require.NoError(t, err)
		return out
	}
	quiet, other := warning("quiet", polygon(place.Area)), warning("other", polygon(place.Area))
	first := send(quiet, "Minor")
	require.Equal(t, wire.EffectWarns, first.Effect)
	require.Equal(t, wire.EffectWarns, send(other, "Minor").Effect)
	waits := func(node int) (ids []string) {
		q := wire.AlertQuery{Waiting: true, Limit: 1} // page by page
		for {
			listed, next, err := d.client(node).ListAlerts(d.ctx(), q)
			require.NoError(t, err)
			for _, a := range listed {
				require.Equal(t, 1, a.Waiting)
				ids = append(ids, a.ID)
			}
			if q.After = next; next == "" {
				return ids
			}
		}
	}
	require.Empty(t, waits(0))

	change := send(quiet.update("it gets worse"), "Severe")
	require.Equal(t, wire.EffectWaits, change.Effect)
	require.NotEqual(t, first.Alert, change.Alert, "an alert of its own until it is approved")
	for i := range d.nodes {
		d.eventually("the change is listed", func() bool { return len(waits(i)) == 2 })
		require.Equal(t, []string{change.Alert, first.Alert}, waits(i))
		was, waiting := d.show(i, first.Alert), d.show(i, change.Alert)
		require.Equal(t, wire.StateInForce, was.State, "what devices show stands")
		require.Nil(t, was.Approvals, "of what stands")
		require.Equal(t, []string{change.Alert}, was.PendingUpdates)
		require.Empty(t, was.Changes)
		require.NotContains(t, was.Duplicates, change.Alert, "a change is no duplicate of what it changes")
		require.NotContains(t, waiting.Duplicates, first.Alert)
		require.Equal(t, []string{first.Alert}, waiting.Changes)
		require.Empty(t, waiting.PendingUpdates)
		require.Equal(t, 1, waiting.Messages[0].Approvals.Needed)
		require.Contains(t, waiting.Messages[0].Approvals.Why.Sentence, "its severity is Severe")
	}
	_, err := d.clientWith(1, people.second).ApproveAlert(d.ctx(), change.Alert, wire.Approve{}, "committed")
	require.NoError(t, err)
	for i := range d.nodes {
		d.eventually("nothing waits", func() bool { return len(waits(i)) == 0 })
	}
}
