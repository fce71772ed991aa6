//go:build splitbench

package node_test

import (
	"flag"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"almenara/node"
	"almenara/node/wire"
	"almenara/storage/alert"
	"almenara/storage/receipt"
)

var (
	benchReceipts = flag.Int("splitbench.receipts", 1_000_000, "receipts that an island takes")
	benchDevices  = flag.Int("splitbench.devices", 1000, "devices of the island")
)

const (
	// islandTime is how long the island is cut off, by everybody's clock.
	islandTime = 72 * time.Hour
	// islandPatience is how long the merging may take before it counts as broken.
	islandPatience = 10 * time.Minute
)

// island is a node that is cut off and what it was told.
type island struct {
	*district
	clock   setClock
	links   *wires
	devices int
	sent    []wire.Outcome // the message of each alert that receipts are of
	told    int            // receipts settled, repeats included
}

// One node of three is cut off for 72 hours by the clock, and takes alerts, updates,
// cancels and receipts: each device tells of each alert that it was presented and
// acknowledged, and one block in ten comes twice. Then the link heals. How long until
// all three nodes hold it; nothing is lost and nothing counts twice. Receipts go in
// where the collector writes its blocks (facts.Settler): a thousand sockets would measure
// themselves.
func TestSplitbench_IslandOf72HoursToOneStateEverywhere(t *testing.T) {
	i := &island{links: newWires(), devices: *benchDevices}
	i.district = newTuned(t, 3, func(_ int, o *node.Options) {
		o.Dial, o.Clock = i.links.lay(o.Internode), i.clock.now
		o.JournalBytes, o.SpoolBytes = 64<<20, 256<<20 // as by default
	})
	here := i.estate("island")
	i.enrol("screen", here.Block, i.devices)
	i.feed = i.user(wire.AddUser{Name: "feed", Roles: []string{"composer"}, Senders: []string{observatory}, System: true})
	i.eventually("the feed is known at box-3", func() bool {
		_, err := i.clientWith(2, i.feed).Status(i.ctx(), false)
		return err == nil
	})
	i.links.isolate(i.opts[2].Internode)
	i.awaitOn(2, func(s wire.Status) bool { return !s.Quorum && s.Alone })
	i.clock.ahead.Store(int64(islandTime)) // nothing is in force: a step would wait for that
	i.awaitOn(2, func(s wire.Status) bool { return s.PolicyAge >= int64(islandTime.Seconds()) })
	i.fill(here)

	spool, err := i.client(2).Status(i.ctx(), false)
	require.NoError(t, err)
	begun := time.Now()
	i.links.isolate()
	i.awaitMerged()
	took := time.Since(begun)
	lost, double := i.balance()
	row(fmt.Sprintf("72 h alone, %d receipts -> on all nodes", i.told), []time.Duration{took}, "< 60s")
	fmt.Printf("%-48s %d alerts, %d MB of spool, lost %d, double %d\n", "  what was merged ->", len(i.sent), spool.Spool.Used>>20, lost, double)
	require.Zero(t, lost)
	require.Zero(t, double)
	i.sameEverywhere()
}

// fill sends alerts and tells their receipts.
func (i *island) fill(here estate) {
	for n := range max(1, *benchReceipts/(2*i.devices)) {
		b := warning(fmt.Sprint("island-", n), polygon(here.Area))
		b.Sent = i.clock.now().Truncate(time.Second)
		b.Expires = b.Sent.Add(time.Hour)
		out := i.post(2, b, "", "")
		if n%10 == 1 {
			b = b.update("island, corrected")
			out = i.post(2, b, "", "")
		}
		i.tell(out)
		i.sent = append(i.sent, out)
		if n%10 == 2 {
			i.post(2, b.cancel(), "", "")
		}
	}
}

// tell settles what every device says of the alert.
func (i *island) tell(of wire.Outcome) {
	var rs []receipt.Receipt
	for m := range uint32(i.devices) {
		for _, rung := range []receipt.Rung{receipt.Presented, receipt.Acknowledged} {
			rs = append(rs, receipt.Receipt{Alert: alert.ID(of.Alert), Revision: alert.Revision(of.Revision), Member: m, Rung: rung, At: i.clock.now()})
		}
	}
	for n := 0; len(rs) > 0; n++ {
		some := rs[:min(collectorBlock, len(rs))]
		rs = rs[len(some):]
		blocks, err := receipt.Blocks(some)
		require.NoError(i.t, err)
		for range 1 + (n+1)%10/9 { // one in ten again
			for _, block := range blocks {
				_, err := i.nodes[2].Settle(i.ctx(), block)
				require.NoError(i.t, err)
				i.told += len(some)
			}
		}
	}
}

// awaitMerged waits until every node counts all receipts of all alerts.
func (i *island) awaitMerged() {
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	late := time.NewTimer(islandPatience)
	defer late.Stop()
	for at, n := 0, 0; at < len(i.nodes); {
		a, err := i.nodes[at].ShowAlert(i.t.Context(), i.sent[n].Alert)
		if err == nil && a.Replication == wire.ReplicationCommitted && a.Rungs.Acknowledged >= uint64(i.devices) && a.Rungs.Presented >= uint64(i.devices) {
			if n++; n == len(i.sent) {
				at, n = at+1, 0
			}
			continue
		}
		select {
		case <-ticker.C:
		case <-late.C:
			require.FailNow(i.t, "not merged", "node %d, alert %d: %+v, %v", at, n, a.Rungs, err)
		}
	}
}

// balance compares what every node counts, and what the log took, with what was told.
func (i *island) balance() (lost, double int) {
	for at := range i.nodes {
		for _, out := range i.sent {
			a, err := i.nodes[at].ShowAlert(i.t.Context(), out.Alert)
			require.NoError(i.t, err)
			for _, n := range []uint64{a.Rungs.Presented, a.Rungs.Acknowledged} {
				lost, double = lost+max(0, i.devices-int(n)), double+max(0, int(n)-i.devices)
			}
		}
		_, adopted := i.adoptedReceipts(at)
		lost, double = lost+max(0, i.told-int(adopted)), double+max(0, int(adopted)-i.told)
	}
	return lost, double
}

// A full spool of a node that was cut off drains under the leader that was there: 16 MiB
// of blocks as the collector writes them when an alert is answered, and one that is larger
// and full of blocks of one receipt each, as a trickle makes them, which end by their
// number before their bytes do.
func TestSplitbench_FullSpoolDrainsUnderOneLeader(t *testing.T) {
	for perBlock, spool := range map[uint32]int64{collectorBlock: 16 << 20, 1: 64 << 20} {
		t.Run(fmt.Sprint(perBlock, " in a block"), func(t *testing.T) {
			f := flood(t, spool, perBlock, 0)
			begun := time.Now()
			f.drains(10 * time.Second)
			row(fmt.Sprintf("full spool, %d blocks of %d -> on all nodes", f.blocks.Load(), perBlock), []time.Duration{time.Since(begun)}, "< 60s")
		})
	}
}
