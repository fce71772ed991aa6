package node_test

import (
	"context"

	"github.com/stretchr/testify/require"

	"almenara/node/wire"
)

// knowsAlone asks a node that can agree with nobody what became of an alert that the
// devices at it proved: it counts them, and says in every answer that it speaks for itself.
func (d *district) knowsAlone(i int, sent wire.Outcome, proven uint64) {
	d.t.Helper()
	c := d.client(i)
	d.eventually("what was proven here is known here", func() bool {
		a, err := c.ShowAlert(d.ctx(), sent.Alert)
		return err == nil && a.Rungs.Presented == proven
	})
	shown := d.show(i, sent.Alert)
	require.Equal(d.t, wire.SourceThisNode, shown.CountsFrom)
	require.Equal(d.t, proven, shown.Messages[0].Rungs.Presented)
	var grouped uint64
	for _, row := range shown.ByGroup {
		grouped += row.Rungs.Presented
	}
	require.Equal(d.t, proven, grouped)
	listed, _, err := c.ListAlerts(d.ctx(), wire.AlertQuery{Limit: 100})
	require.NoError(d.t, err)
	for _, a := range listed {
		require.Equal(d.t, wire.SourceThisNode, a.CountsFrom)
		if a.ID == sent.Alert {
			require.Equal(d.t, proven, a.Rungs.Presented)
		}
	}
	missing, err := c.AlertReceipts(d.ctx(), sent.Alert, wire.ReceiptQuery{Missing: true})
	require.NoError(d.t, err)
	require.Empty(d.t, missing.Rows, "nobody who proved it here was missed")
	require.Equal(d.t, wire.SourceThisNode, missing.From)
	presented, err := c.AlertReceipts(d.ctx(), sent.Alert, wire.ReceiptQuery{})
	require.NoError(d.t, err)
	require.Len(d.t, presented.Rows, int(proven))
	for _, row := range presented.Rows {
		require.Equal(d.t, wire.SourceThisNode, row.RungFrom)
		require.False(d.t, row.At.IsZero(), "when it told is known too")
	}
	table := d.receiptsCSV(i, sent.Alert)
	require.Equal(d.t, "rung_from", table[0][len(table[0])-1])
	require.Len(d.t, table, 1+int(proven))
	for _, row := range table[1:] {
		require.Equal(d.t, "this_node", row[len(row)-1])
	}
}

// listens hears what node i tells of an alert, until the test ends.
func (d *district) listens(i int, id string) <-chan wire.Event {
	d.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	listening, ended := make(chan struct{}), make(chan struct{})
	heard := make(chan wire.Event, 1000)
	c := d.client(i)
	go func() {
		defer close(ended)
		_ = c.Events(ctx, id, func() { close(listening) }, func(e wire.Event) { heard <- e })
	}()
	d.t.Cleanup(func() { cancel(); <-ended })
	told(d.t, listening)
	return heard
}
