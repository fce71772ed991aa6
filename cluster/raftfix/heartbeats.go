package raftfix

import (
	"sync"
	"sync/atomic"

	"github.com/hashicorp/raft"
)

// hashicorp/raft 1.7.3 answers a heartbeat beside its own goroutine, so that none waits
// for a disk, by code that is for that goroutine alone: where the heartbeat ends a
// candidacy it sets the term, while raft may be setting a higher one. On a slow disk the
// lower one is written last. The node then has voted in a term that it does not know any
// more, and votes again (seen in a nemesis run: from 25 back to 23).
//
// Delete inTurn when raft answers heartbeats in turn, or sets no term beside its goroutine;
// TestInTurn_AHeartbeatDoesNotLowerTheTerm writes 22, 25, 23 over a bare transport until then.

// InTurn is raft's transport that lets a heartbeat pass beside raft only where it changes
// nothing: from a leader of the term to its follower. All others come in turn.
type InTurn struct {
	matched
	raft atomic.Pointer[raft.Raft] // nil until it runs: then all come in turn
	rpcs chan raft.RPC

	ended chan struct{}
	end   func()
	wg    sync.WaitGroup
}

func NewInTurn(trans *raft.NetworkTransport) *InTurn {
	t := &InTurn{matched: matched{trans}, rpcs: make(chan raft.RPC), ended: make(chan struct{})}
	t.end = sync.OnceFunc(func() { close(t.ended) })
	t.wg.Go(t.forward)
	return t
}

// Begin says that raft runs now; before, all come in turn.
func (t *InTurn) Begin(r *raft.Raft) { t.raft.Store(r) }

// Consumer implements raft.Transport.
func (t *InTurn) Consumer() <-chan raft.RPC { return t.rpcs }

// SetHeartbeatHandler implements raft.Transport.
func (t *InTurn) SetHeartbeatHandler(beside func(raft.RPC)) {
	if beside == nil {
		t.matched.SetHeartbeatHandler(nil)
		return
	}
	t.matched.SetHeartbeatHandler(func(rpc raft.RPC) {
		if t.changesNothing(rpc) {
			beside(rpc)
			return
		}
		t.queue(rpc)
	})
}

func (t *InTurn) changesNothing(rpc raft.RPC) bool {
	r := t.raft.Load()
	beat, ok := rpc.Command.(*raft.AppendEntriesRequest)
	return ok && r != nil && r.State() == raft.Follower && r.CurrentTerm() == beat.Term
}

func (t *InTurn) forward() {
	for {
		select {
		case rpc := <-t.matched.Consumer():
			t.queue(rpc)
		case <-t.ended:
			return
		}
	}
}

func (t *InTurn) queue(rpc raft.RPC) {
	select {
	case t.rpcs <- rpc:
	case <-t.ended:
		rpc.Respond(nil, raft.ErrTransportShutdown)
	}
}

// Close implements raft.WithClose.
func (t *InTurn) Close() error {
	t.end()
	err := t.matched.Close()
	t.wg.Wait()
	return err
}
