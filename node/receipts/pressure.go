package receipts

import (
	"sync"
	"time"

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
