package cluster

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/hashicorp/raft"
)

// hashicorp/raft 1.7.3 answers a heartbeat beside its own goroutine, so that none waits
// for a disk, by code that is for that goroutine alone: where the heartbeat ends a
// candidacy it sets the term, while raft may be setting a higher one. On a slow disk the
// lower one is written last. The node then has voted in a term that it does not know any
// more, and votes again (seen in a nemesis run: from 25 back to 23).

// inTurn is raft's transport that lets a heartbeat pass beside raft only where it changes
// nothing: from a leader of the term to its follower. All others come in turn.
type inTurn struct {
	matched
	raft atomic.Pointer[raft.Raft] // nil until it runs: then all come in turn
	rpcs chan raft.RPC

	ended chan struct{}
	end   func()
	wg    sync.WaitGroup
}

func newInTurn(trans *raft.NetworkTransport) *inTurn {
	t := &inTurn{matched: matched{trans}, rpcs: make(chan raft.RPC), ended: make(chan struct{})}
	t.end = sync.OnceFunc(func() { close(t.ended) })
	t.wg.Go(t.forward)
	return t
}

// Consumer implements raft.Transport.
func (t *inTurn) Consumer() <-chan raft.RPC { return t.rpcs }

// SetHeartbeatHandler implements raft.Transport.
func (t *inTurn) SetHeartbeatHandler(beside func(raft.RPC)) {
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

func (t *inTurn) changesNothing(rpc raft.RPC) bool {
	r := t.raft.Load()
	beat, ok := rpc.Command.(*raft.AppendEntriesRequest)
	return ok && r != nil && r.State() == raft.Follower && r.CurrentTerm() == beat.Term
}

func (t *inTurn) forward() {
	for {
		select {
		case rpc := <-t.matched.Consumer():
			t.queue(rpc)
		case <-t.ended:
			return
		}
	}
}

func (t *inTurn) queue(rpc raft.RPC) {
	select {
	case t.rpcs <- rpc:
	case <-t.ended:
		rpc.Respond(nil, raft.ErrTransportShutdown)
	}
}

// Close implements raft.WithClose.
func (t *inTurn) Close() error {
	t.end()
	err := t.matched.Close()
	t.wg.Wait()
	return err
}

// errTermFell is what raft panics with. The disk still has the higher term.
var errTermFell = errors.New("raft's term would fall")

// rising keeps the term on the disk from falling, whatever the order in which it is set.
// What is left of the race above ends the process, and the disk's term counts again.
type rising struct {
	raft.StableStore
	mu   sync.Mutex // held while a term is written
	term uint64
}

// SetUint64 implements raft.StableStore.
func (s *rising) SetUint64(key []byte, value uint64) error {
	if string(key) != string(keyTerm) {
		return s.StableStore.SetUint64(key, value)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if value < s.term {
		return fmt.Errorf("%w: from %d to %d", errTermFell, s.term, value)
	}
	if err := s.StableStore.SetUint64(key, value); err != nil {
		return err
	}
	s.term = value
	return nil
}
