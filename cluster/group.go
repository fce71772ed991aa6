package cluster

import (
	"context"
	"net/http"
	"slices"
	"sync/atomic"
	"time"

	"github.com/fxamacker/cbor/v2"
	"github.com/hashicorp/raft"

	"almenara/cluster/memory"
	"almenara/cluster/quorum"
	"almenara/cluster/raftfix"
)

// group is raft as this node runs it, and who belongs to it by raft. What begins to look at
// it before raft runs sees begun false and no servers.
type group struct {
	self     string // server id of this node
	raft     *raft.Raft
	fsm      *raftfix.AppliedFSM
	begun    atomic.Bool  // raft is set: its own goroutines may look at it
	shutdown func() error // ends raft and waits, once
	quorum   *quorum.Watch
}

// members are the server ids of the others in the raft configuration.
func (g *group) members() []string {
	var ids []string
	for _, s := range g.servers() {
		if string(s.ID) != g.self {
			ids = append(ids, string(s.ID))
		}
	}
	return ids
}

// servers is the latest configuration, which may not be committed yet.
func (g *group) servers() []raft.Server {
	if !g.begun.Load() {
		return nil
	}
	f := g.raft.GetConfiguration()
	if f.Error() != nil {
		return nil
	}
	return f.Configuration().Servers
}

// lastContact is when this node last heard its leader; now, where it leads.
func (g *group) lastContact() time.Time {
	if g.raft.State() == raft.Leader {
		return time.Now()
	}
	return g.raft.LastContact()
}

// voters is how many servers vote.
func (g *group) voters() int {
	n := 0
	for _, s := range g.servers() {
		if s.Suffrage == raft.Voter {
			n++
		}
	}
	return n
}

// position is how far this node's log reaches now. Raft publishes each of the numbers
// after what it says is on this disk, and what is committed is never cut off.
func (g *group) position() memory.Position {
	return memory.Position{Index: min(g.raft.CommitIndex(), g.raft.LastIndex()), Term: g.raft.CurrentTerm()}
}

// transfer hands leadership over. Raft gives one attempt an election timeout, which a
// busy machine can miss, so it is tried again for 2 s in all.
func (g *group) transfer(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, transferTimeout)
	defer cancel()
	for {
		err := await(ctx, func() error { return g.raft.LeadershipTransfer().Error() })
		if err == nil || g.raft.State() != raft.Leader {
			return nil
		}
		if !waitFor(ctx, nil, retryPause) {
			return err
		}
	}
}

// await returns when f does or ctx ends; f must end by itself.
func await(ctx context.Context, f func() error) error {
	done := make(chan error, 1)
	go func() { done <- f() }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func inConfiguration(conf raft.Configuration, id string) bool {
	return slices.ContainsFunc(conf.Servers, func(s raft.Server) bool { return string(s.ID) == id })
}

// handlePing answers with where the log ends.
func (g *group) handlePing(w http.ResponseWriter, _ *http.Request) {
	b, _ := cbor.Marshal(pong{LastIndex: g.raft.LastIndex()})
	_, _ = w.Write(b)
}
