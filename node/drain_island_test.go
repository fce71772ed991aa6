//go:build splitbench

package node_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"almenara/node"
	"almenara/node/wire"
	"almenara/storage/alert"
	"almenara/storage/receipt"
)

// collectorBlock is how many receipts a block has when the devices of a node answer an
// alert: what comes within the collector's linger, not the 2,000 that fit.
const collectorBlock = 250

// flooded is a node that was cut off while its devices told so much that its spool is
// full.
type flooded struct {
	*district
	links    *wires
	at       int // the node
	sent     wire.Outcome
	blocks   atomic.Int64 // in the spool
	receipts atomic.Int64
}

// flood isolates box-3 and fills its spool of that size with blocks of so many receipts.
func flood(t *testing.T, spool int64, perBlock uint32, heartbeat time.Duration) *flooded {
	t.Helper()
	f := &flooded{links: newWires(), at: 2}
	f.district = newTuned(t, 3, func(_ int, o *node.Options) {
		o.SpoolBytes, o.Heartbeat, o.Dial = spool, heartbeat, f.links.lay(o.Internode)
	})
	here := f.estate("flooded")
	f.enrol("screen", here.Block, 1) // which is never switched on
	f.sent = f.post(0, warning("flood", polygon(here.Area)), "", "committed")
	f.everywhere(f.sent.Alert, "committed", func(a wire.Alert) bool { return a.Replication == wire.ReplicationCommitted })
	f.links.isolate(f.opts[f.at].Internode)
	f.awaitOn(f.at, func(s wire.Status) bool { return !s.Quorum && s.Alone })
	f.awaitOn(0, func(s wire.Status) bool { return s.Quorum })

	begun := time.Now()
	var members atomic.Uint32
	var tellers sync.WaitGroup
	for range 32 {
		tellers.Go(func() { f.tell(&members, perBlock) })
	}
	tellers.Wait()
	s, err := f.client(f.at).Status(f.ctx(), false)
	require.NoError(t, err)
	require.Equal(t, s.Spool.Total, s.Spool.Used, "full, by bytes or by blocks")
	require.Contains(t, strings.Join(s.Warnings.Texts(), "\n"), "the spool of receipts that are not agreed yet is full")
	t.Logf("%d blocks of %d receipts filled %d MiB in %s", f.blocks.Load(), perBlock, spool>>20, time.Since(begun).Round(time.Millisecond))
	return f
}

// tell writes blocks of receipts, each of another member, until no more are taken.
func (f *flooded) tell(members *atomic.Uint32, perBlock uint32) {
	for {
		first := members.Add(perBlock) - perBlock
		rs := make([]receipt.Receipt, perBlock)
		for i := range rs {
			rs[i] = receipt.Receipt{
				Alert: alert.ID(f.sent.Alert), Revision: alert.Revision(f.sent.Revision), Member: first + uint32(i),
				Rung: receipt.Presented, At: time.Now(),
			}
		}
		made, err := receipt.Blocks(rs)
		if err != nil || len(made) != 1 {
			f.t.Errorf("writing one block: %d, %v", len(made), err)
			return
		}
		if _, err := f.nodes[f.at].Settle(f.t.Context(), made[0]); err != nil {
			if !strings.Contains(err.Error(), "too many receipts are waiting") {
				f.t.Error(err)
			}
			return
		}
		f.blocks.Add(1)
		f.receipts.Add(int64(perBlock))
	}
}

// drains heals the link and waits until every node has all of it, once, and an alert of
// the flooded node within the time.
func (f *flooded) drains(alertWithin time.Duration) {
	f.t.Helper()
	before, err := f.nodes[0].Services().Status.Status(f.t.Context(), false)
	require.NoError(f.t, err)
	begun := time.Now()
	f.links.isolate()
	f.awaitOn(f.at, func(s wire.Status) bool { return s.Quorum && !s.Alone })
	late := f.post(f.at, warning("amid-receipts", "<areaDesc>Estate</areaDesc><polygon>"+square(22.9, 113.9, 0.001)+"</polygon>"), "", "")
	met := time.Now()
	f.everywhere(late.Alert, "committed", func(a wire.Alert) bool { return a.Replication == wire.ReplicationCommitted })
	alertTook := time.Since(met)
	f.awaitOn(f.at, func(s wire.Status) bool { return s.Ready && s.PendingFacts == 0 && s.Spool.Oldest.IsZero() })
	f.sameEverywhere()
	took := time.Since(begun)
	after, err := f.nodes[0].Services().Status.Status(f.t.Context(), false)
	require.NoError(f.t, err)
	f.t.Logf("%d blocks drained in %s; the alert was on every node's record after %s; term %d before, %d after",
		f.blocks.Load(), took.Round(time.Millisecond), alertTook.Round(time.Millisecond), before.Term, after.Term)
	for i := range f.nodes {
		blocks, receipts := f.adoptedReceipts(i)
		require.Equal(f.t, f.blocks.Load(), blocks, "blocks that box-%d has on record", i+1)
		require.Equal(f.t, f.receipts.Load(), receipts, "receipts that box-%d has on record", i+1)
	}
	require.Equal(f.t, before.Term, after.Term, "nobody else was elected")
	require.Less(f.t, alertTook, alertWithin)
}

// adoptedReceipts is how many receipts, in how many blocks, the audit of node i says
// were taken into the log.
func (d *district) adoptedReceipts(i int) (blocks, receipts int64) {
	d.t.Helper()
	text, _ := d.audit(i)
	for line := range strings.Lines(text) {
		var entry struct{ Action, Summary string }
		require.NoError(d.t, json.Unmarshal([]byte(line), &entry))
		if entry.Action != "receipts adopt" {
			continue
		}
		var b, r int64
		_, err := fmt.Sscanf(entry.Summary, "%d blocks, %d receipts", &b, &r)
		require.NoError(d.t, err)
		blocks, receipts = blocks+b, receipts+r
	}
	return blocks, receipts
}
