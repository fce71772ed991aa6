package group

import (
	"context"
	"log/slog"
	"time"
)

// WatchQuorum looks for what no signal of raft's tells, a leader that is not heard any
// more, and ends the cautious timeouts of the start when there is one.
func (g *Group) WatchQuorum(ctx context.Context, heartbeat time.Duration, logger *slog.Logger) {
	tick := time.NewTicker(heartbeat / quorumLooks)
	defer tick.Stop()
	begun, starting := time.Now(), true
	for {
		seen, _ := g.Quorum.Look()
		if starting && (seen.Has() || time.Since(begun) > startingAtMost) {
			starting = !g.endStart(heartbeat, logger)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// quorumLooks is how often in a heartbeat timeout it is looked for: every 50 ms with
// the usual one.
const quorumLooks = 6

// startingAtMost bounds the tripled timeouts of a node that finds no leader.
const startingAtMost = 30 * time.Second

func (g *Group) endStart(heartbeat time.Duration, logger *slog.Logger) bool {
	rc := g.Raft.ReloadableConfig()
	rc.HeartbeatTimeout, rc.ElectionTimeout = heartbeat, heartbeat
	if err := g.Raft.ReloadConfig(rc); err != nil {
		logger.Error("setting heartbeat timeout", "error", err)
		return false
	}
	return true
}
