// Package group is raft as a node runs it: who belongs to it, how far its log reaches, whether
// a leader is heard, and the hand-over of leadership. It decides nothing. It never imports
// what proposes, changes members or speaks to other nodes but for raft.
package group

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

const (
	transferTimeout = 2 * time.Second
	// RetryPause is how long is waited before something is asked of a leader again.
	RetryPause = 50 * time.Millisecond
)

// Group is raft as this node runs it, and who belongs to it by raft. What begins to look at
// it before raft runs sees begun false and no servers.
type Group struct {
	Self     string // server id of this node
	Raft     *raft.Raft
	FSM      *raftfix.AppliedFSM
	Begun    atomic.Bool  // raft is set: its own goroutines may look at it
	Shutdown func() error // ends raft and waits, once
	Quorum   *quorum.Watch
}

// Members are the server ids of the others in the raft configuration.
func (g *Group) Members() []string {
	var ids []string
	for _, s := range g.Servers() {
		if string(s.ID) != g.Self {
			ids = append(ids, string(s.ID))
		}
	}
	return ids
}

// Servers is the latest configuration, which may not be committed yet. It is the caller's own: raft gives out
// the slice that it works with.
func (g *Group) Servers() []raft.Server {
	if !g.Begun.Load() {
		return nil
	}
	f := g.Raft.GetConfiguration()
	if f.Error() != nil {
		return nil
	}
	return slices.Clone(f.Configuration().Servers)
}

// LastContact is when this node last heard its leader; now, where it leads.
func (g *Group) LastContact() time.Time {
	if g.Raft.State() == raft.Leader {
		return time.Now()
	}
	return g.Raft.LastContact()
}

// Voters is how many servers vote.
func (g *Group) Voters() int {
	n := 0
	for _, s := range g.Servers() {
		if s.Suffrage == raft.Voter {
			n++
		}
	}
	return n
}

// Position is how far this node's log reaches now. Raft publishes each of the numbers
// after what it says is on this disk, and what is committed is never cut off.
func (g *Group) Position() memory.Position {
	return memory.Position{Index: min(g.Raft.CommitIndex(), g.Raft.LastIndex()), Term: g.Raft.CurrentTerm()}
}

// Transfer hands leadership over. Raft gives one attempt an election timeout, which a
// busy machine can miss, so it is tried again for 2 s in all. Of those that have as much of the log raft picks
// the first, whether it answers or not: from the second attempt on each of the others has its turn.
func (g *Group) Transfer(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, transferTimeout)
	defer cancel()
	for attempt := 0; ; attempt++ {
		err := Await(ctx, func() error { return g.transfer(attempt).Error() })
		if err == nil || g.Raft.State() != raft.Leader {
			return nil
		}
		if !WaitFor(ctx, nil, RetryPause) {
			return err
		}
	}
}

func (g *Group) transfer(attempt int) raft.Future {
	others := slices.DeleteFunc(g.Servers(), func(s raft.Server) bool { return string(s.ID) == g.Self || s.Suffrage != raft.Voter })
	if attempt == 0 || len(others) == 0 {
		return g.Raft.LeadershipTransfer()
	}
	to := others[attempt%len(others)]
	return g.Raft.LeadershipTransferToServer(to.ID, to.Address)
}

// Await returns when f does or ctx ends; f must end by itself.
func Await(ctx context.Context, f func() error) error {
	done := make(chan error, 1)
	go func() { done <- f() }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// InConfiguration says whether a server with this id is in the configuration.
func InConfiguration(conf raft.Configuration, id string) bool {
	return slices.ContainsFunc(conf.Servers, func(s raft.Server) bool { return string(s.ID) == id })
}

// HandlePing answers with where the log ends.
func (g *Group) HandlePing(w http.ResponseWriter, _ *http.Request) {
	b, _ := cbor.Marshal(Pong{LastIndex: g.Raft.LastIndex()})
	_, _ = w.Write(b)
}

// WaitFor returns false when ctx has ended.
func WaitFor(ctx context.Context, changed <-chan struct{}, atMost time.Duration) bool {
	t := time.NewTimer(atMost)
	defer t.Stop()
	select {
	case <-changed:
	case <-t.C:
	case <-ctx.Done():
	}
	return ctx.Err() == nil
}

// Pong is the answer to a ping.
type Pong struct {
	_         struct{} `cbor:",toarray"`
	LastIndex uint64   // of the peer's log
}
