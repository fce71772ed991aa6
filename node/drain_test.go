package node_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"almenara/node"
	"almenara/node/wire"
	"almenara/storage/alert"
	"almenara/storage/receipt"
)

// TestDistrict_DrainsAFullSpoolInPeace fills the spool of a node that is alone with
// 4 MiB, and brings the others back: an alert does not wait behind the receipts, and every
// receipt is counted alike. How many elections there were meanwhile is only told: on a
// busy machine there are some without any receipts. It is about pace, so it does not run
// beside other districts of these tests.
func TestDistrict_DrainsAFullSpoolInPeace(t *testing.T) {
	d := newTuned(t, 3, func(_ int, o *node.Options) { o.SpoolBytes = 4 << 20 })
	here := d.estate("drain")
	fleet := d.fleet(d.enrol("screen", here.Block, 2)...)
	sent := d.post(0, warning("drained", polygon(here.Area)), "", "committed")
	fleet.proven(revisionOf(sent), 2)
	d.kill(1)
	d.kill(2)
	d.awaitOn(0, func(s wire.Status) bool { return !s.Quorum })
	blocks := fillSpool(t, d, sent)
	s, err := d.client(0).Status(d.ctx(), false)
	require.NoError(t, err)
	require.Equal(t, s.Spool.Total, s.Spool.Used)
	require.False(t, s.Spool.Oldest.IsZero())
	require.Contains(t, strings.Join(s.Warnings.Texts(), "\n"), "spool")

	d.start(1)
	d.start(2)
	d.await(func(s wire.Status) bool { return s.Quorum && !s.Alone })
	first, err := d.nodes[0].Services().Status.Status(context.Background(), false)
	require.NoError(t, err)
	begun := time.Now()
	late := d.post(0, warning("amid-receipts", polygon(here.Area)), "", "")
	d.everywhere(late.Alert, "committed", func(a wire.Alert) bool { return a.Replication == wire.ReplicationCommitted })
	alertTook := time.Since(begun)
	d.await(func(s wire.Status) bool { return s.Ready && s.Spool.Used <= 1<<20 })
	last, err := d.nodes[0].Services().Status.Status(context.Background(), false)
	require.NoError(t, err)
	t.Logf("%d blocks drained in %s; the alert was on every node's record after %s; terms %d to %d",
		blocks, time.Since(begun).Round(time.Millisecond), alertTook.Round(time.Millisecond), first.Term, last.Term)
	require.Less(t, alertTook, 10*time.Second)
	d.sameEverywhere()
}

// fillSpool writes blocks of made-up receipts until no more are taken.
func fillSpool(t *testing.T, d *district, sent wire.Outcome) (blocks int) {
	t.Helper()
	for start := uint32(0); ; start += 2000 {
		var rs []receipt.Receipt
		for m := range uint32(2000) {
			rs = append(rs, receipt.Receipt{
				Alert: alert.ID(sent.Alert), Revision: alert.Revision(sent.Revision), Member: (start + m*37) % 1_000_000,
				Rung: receipt.Presented, At: time.Now(), Answer: "at home, all safe, water is at the door",
			})
		}
		made, err := receipt.Blocks(rs)
		require.NoError(t, err)
		for _, b := range made {
			if _, err := d.nodes[0].Settle(d.t.Context(), b); err != nil {
				require.ErrorContains(t, err, "too many receipts are waiting")
				return blocks
			}
			blocks++
		}
	}
}
