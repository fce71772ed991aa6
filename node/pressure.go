package node

import (
	"sync"
	"time"

	"almenara/cluster/fact"
	"almenara/node/wire"
	"almenara/storage/receipt"
)

// What becomes of receipts as the spool fills up, because there is no majority to commit
// them with, or it cannot keep up:
//
//  1. from half full, blocks wait longer for company: fewer bytes for each receipt, and
//     devices get their PUBACKs later;
//  2. from three quarters, what only this node says is given up: that an alert was sent,
//     and that the device's connection acknowledged it. Whatever the device says itself
//     implies both;
//  3. full: nothing more is taken. What devices say (verified, presented, acknowledged, and
//     every end) is never given up: they get no PUBACK, keep it and send it again.
//
// Repeats, and the rungs below the highest of one block, never take room (receipt.Blocks).
const lateLinger = 500 * time.Millisecond

// pressure says how full the spool is and counts what was given up. Safe for concurrent
// use.
type pressure struct {
	usage func() (used, total int64)

	mu      sync.Mutex
	givenUp map[receipt.Rung]int64
}

func newPressure(usage func() (used, total int64)) *pressure {
	return &pressure{usage: usage, givenUp: map[receipt.Rung]int64{}}
}

// linger is how long a first receipt waits for company.
func (p *pressure) linger() time.Duration {
	if used, total := p.usage(); 2*used >= total && total > 0 {
		return lateLinger
	}
	return linger
}

// relieve leaves out what is given up, in place, when the spool is three quarters full.
func (p *pressure) relieve(rs []receipt.Receipt) []receipt.Receipt {
	if used, total := p.usage(); 4*used < 3*total || total == 0 {
		return rs
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	kept := rs[:0]
	for _, r := range rs {
		switch r.Rung {
		case receipt.Queued, receipt.Sent, receipt.Delivered:
			p.givenUp[r.Rung]++
		default:
			kept = append(kept, r)
		}
	}
	return kept
}

// lost is how many receipts of the rung were given up since the start.
func (p *pressure) lost(r receipt.Rung) int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.givenUp[r]
}

// spoolUsage is how full the spool is: by bytes, or by blocks where those are so small that
// their number ends it first. A trickle of receipts makes a block of each.
func (n *Node) spoolUsage() (used, total int64) {
	used, total = n.journal.Usage(fact.Receipts)
	waiting, most := n.exchange.Backlog()
	return fuller(used, total, int64(waiting), int64(most)), total
}

// fuller is used, or as much of total as waiting is of most when that is more.
func fuller(used, total, waiting, most int64) int64 {
	return max(used, min(total, total*waiting/most))
}

// spoolStatus is the spool as /api/v1/status shows it.
func (n *Node) spoolStatus() wire.Spool {
	used, total := n.spoolUsage()
	s := wire.Spool{Used: used, Total: total, GivenUp: map[string]int64{}}
	if hlc, ok := n.journal.Oldest(fact.Receipts); ok {
		s.Oldest = fact.WallTime(hlc)
	}
	for _, r := range []receipt.Rung{receipt.Queued, receipt.Sent, receipt.Delivered} {
		if lost := n.collector.pressure.lost(r); lost > 0 {
			s.GivenUp[r.String()] = lost
		}
	}
	return s
}

// spoolSentence warns while the spool holds more than half of what it can.
func (n *Node) spoolSentence() string {
	used, total := n.spoolUsage()
	switch {
	case 2*used < total || total == 0:
		return ""
	case 4*used < 3*total:
		return "the spool of receipts that are not agreed yet is more than half full; devices are acknowledged later"
	case used < total:
		return "the spool of receipts that are not agreed yet is more than three quarters full; that alerts were sent and delivered is not kept any more, what devices say is"
	}
	return "the spool of receipts that are not agreed yet is full; devices keep their receipts until a majority of the nodes can be reached"
}
