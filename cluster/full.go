package cluster

import (
	"context"
	"log/slog"
	"time"

	"github.com/hashicorp/raft"

	"almenara/cluster/group"
	"almenara/cluster/raftlog"
	"almenara/storage/wait"
)

const (
	// How often a leader whose disk is full tries to hand over: the others' disks may be
	// full too, and leadership should not go round between them.
	handoverFirst = time.Second
	handoverLast  = time.Minute
)

// room is what a node does while its disk has none.
type room struct {
	group   *group.Group
	dog     *raftlog.Watchdog
	changed chan struct{} // capacity 1
	logger  *slog.Logger
}

// SetFull says whether this node's disk has no room for the state machine. While it
// has none, this node hands leadership over, refuses proposals (ErrDiskFull) and soon
// appends to its log as well. It never blocks.
func (c *Cluster) SetFull(full bool) {
	if c.dog.SetFull(full) {
		select {
		case c.room.changed <- struct{}{}:
		default:
		}
	}
}

// yieldLeadership hands leadership over while the disk is full.
func (r *room) yieldLeadership(ctx context.Context) {
	pauses := wait.Backoff{First: handoverFirst, Last: handoverLast}
	pause := pauses.Next()
	timer := time.NewTimer(pause)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-r.changed:
			pauses.Reset()
			pause = pauses.Next()
		case <-timer.C:
		}
		if r.dog.Full() && r.group.Raft.State() == raft.Leader && r.group.Voters() > 1 {
			if err := r.group.Transfer(ctx); err != nil && ctx.Err() == nil {
				r.logger.Warn("handing over leadership for want of disk space", "error", err)
			}
			pause = pauses.Next()
		}
		timer.Reset(pause)
	}
}
