package cluster

import (
	"errors"
	"fmt"
	"time"

	"github.com/hashicorp/raft"
)

// ErrDiskFull: the leader's disk has no room for more. Nothing happened; it goes on by
// itself when there is room again, or another node leads.
var ErrDiskFull = errors.New("leader's disk is full")

const (
	// fullBudget is what the raft log may still take after SetFull: the entries of
	// other leaders and of this one until it has handed over. Beyond it appends are
	// refused before anything is written, so that raft simply sends them again.
	fullBudget = 16 << 20
	// How often a leader whose disk is full tries to hand over: the others' disks may be
	// full too, and leadership should not go round between them.
	handoverFirst = time.Second
	handoverLast  = time.Minute
)

// SetFull says whether this node's disk has no room for the state machine. While it
// has none, this node hands leadership over, refuses proposals (ErrDiskFull) and soon
// appends to its log as well. It never blocks.
func (c *Cluster) SetFull(full bool) {
	c.dog.budget.Store(fullBudget)
	if c.dog.full.Swap(full) != full {
		select {
		case c.fullness <- struct{}{}:
		default:
		}
	}
}

// yieldLeadership hands leadership over while the disk is full.
func (c *Cluster) yieldLeadership() {
	pause := handoverFirst
	timer := time.NewTimer(pause)
	defer timer.Stop()
	for {
		select {
		case <-c.ctx.Done():
			return
		case <-c.fullness:
			pause = handoverFirst
		case <-timer.C:
		}
		if c.dog.full.Load() && c.raft.State() == raft.Leader && c.voters() > 1 {
			if err := c.transfer(c.ctx); err != nil && c.ctx.Err() == nil {
				c.options.Logger.Warn("handing over leadership for want of disk space", "error", err)
			}
			pause = min(2*pause, handoverLast)
		}
		timer.Reset(pause)
	}
}

// append takes bytes of the budget that is left while the disk is full.
func (d *watchdog) append(logs []*raft.Log) error {
	if !d.full.Load() {
		return nil
	}
	for _, l := range logs {
		if d.budget.Add(-int64(len(l.Data)+64)) < 0 {
			return fmt.Errorf("appending to the raft log: %w", ErrDiskFull)
		}
	}
	return nil
}
