package cluster

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/hashicorp/raft"
)

// A follower of hashicorp/raft does not wait for its leader from the last contact on: it
// looks once every 300 to 600 ms (of a heartbeat timeout of 300) whether it heard of it in
// the last 300, so that a leader's death is noticed after up to 900 ms, and a majority of
// three needs the slower of two. With the timer as the Raft paper has it (§5.2, restarted
// by every contact) it is 600 at most.

// impatience has a follower look when its leader has been silent for the timeout and a
// random part of as much again.
type impatience struct {
	raft      *raft.Raft
	heartbeat time.Duration // the timeout of a node that is not starting any more
}

// watch looks ten times in a timeout until ctx ends.
func (i impatience) watch(ctx context.Context) {
	tick := time.NewTicker(i.heartbeat / 10)
	defer tick.Stop()
	patience := i.patience()
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		if i.silentFor(patience) {
			i.nudge()
			patience = i.patience()
		}
	}
}

// patience differs from node to node and from time to time, so that not all candidate at once.
func (i impatience) patience() time.Duration { return i.heartbeat + rand.N(i.heartbeat) }

// silentFor reports whether the leader that this node follows has been silent for so long.
func (i impatience) silentFor(d time.Duration) bool {
	_, leader := i.raft.LeaderWithID()
	return i.raft.State() == raft.Follower && leader != "" && time.Since(i.raft.LastContact()) >= d
}

// nudge has raft look at once: it does when a timeout is set that is shorter than the last.
// While the node starts nothing happens, as its timeout is the longer one.
func (i impatience) nudge() {
	was := i.raft.ReloadableConfig()
	if was.HeartbeatTimeout != i.heartbeat {
		return
	}
	shorter := was
	shorter.HeartbeatTimeout -= time.Millisecond
	for _, config := range []raft.ReloadableConfig{shorter, was} {
		if i.raft.ReloadConfig(config) != nil { // refused as invalid: what was set stays
			return
		}
	}
}
