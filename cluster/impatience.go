package cluster

import (
	"context"
	"time"

	"github.com/hashicorp/raft"
)

// A follower of hashicorp/raft does not wait for its leader from the last contact on: it
// looks once every 300 to 600 ms (of a heartbeat timeout of 300) whether it heard of it in
// the last 300, so that a leader's death is noticed after up to 900 ms; and it gives no
// vote until it has noticed itself, so that of three nodes the slower one decides.

// impatience has a follower look as soon as its leader has been silent for more than the
// timeout and its turn has come.
type impatience struct {
	raft      *raft.Raft
	me        raft.ServerID
	heartbeat time.Duration // the timeout of a node that is not starting any more
}

// Parts of the timeout. Two turns are three looks apart, so that two followers seldom stand
// for the same term and neither wins.
const (
	looksPerTimeout = 15
	turnsPerTimeout = 5
)

// watch looks for silence until ctx ends.
func (i impatience) watch(ctx context.Context) {
	tick := time.NewTicker(i.heartbeat / looksPerTimeout)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		if silent := i.silence(); silent >= i.patience() && silent >= i.patience()+i.turn() {
			i.nudge()
		}
	}
}

// pause is by how much a leader on a busy machine may exceed the timeout at least, however
// short that is.
const pause = 150 * time.Millisecond

// patience is half a timeout more than the least that raft waits; its most is three.
func (i impatience) patience() time.Duration { return i.heartbeat + max(i.heartbeat/2, pause) }

// silence is how long the leader that this node follows was not heard; 0 when it follows
// none.
func (i impatience) silence() time.Duration {
	if _, leader := i.raft.LeaderWithID(); leader == "" || i.raft.State() != raft.Follower {
		return 0
	}
	return time.Since(i.raft.LastContact())
}

// turn is how much longer than the first of the voters that are left this one waits.
func (i impatience) turn() time.Duration {
	config := i.raft.GetConfiguration()
	if config.Error() != nil {
		return 0
	}
	_, leader := i.raft.LeaderWithID()
	before := 0
	for _, s := range config.Configuration().Servers {
		if s.Suffrage == raft.Voter && s.ID != leader && s.ID < i.me {
			before++
		}
	}
	return time.Duration(before) * i.heartbeat / turnsPerTimeout
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
