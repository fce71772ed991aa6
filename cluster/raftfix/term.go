package raftfix

import (
	"errors"
	"fmt"
	"sync"

	"github.com/hashicorp/raft"

	"almenara/cluster/raftlog"
)

// errTermFell is what raft panics with. The disk still has the higher term.
var errTermFell = errors.New("raft's term would fall")

// rising keeps the term on the disk from falling, whatever the order in which it is set.
// What is left of the race in heartbeats.go ends the process, and the disk's term counts
// again. Delete this part together with inTurn.
//
// It also has begun recorded before raft goes on with its first term: a node that has
// voted, and then loses its log, must be known by the mark beside it however soon it ends.
type rising struct {
	raft.StableStore
	begun func() error // nil is not asked for
	mu    sync.Mutex   // held while a term is written
	term  uint64
}

// NewRisingTerm wraps a store; begun may be nil.
func NewRisingTerm(store raft.StableStore, begun func() error) raft.StableStore {
	return &rising{StableStore: store, begun: begun}
}

// SetUint64 implements raft.StableStore.
func (s *rising) SetUint64(key []byte, value uint64) error {
	if string(key) != string(raftlog.KeyTerm) {
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
	if s.term == 0 && value > 0 && s.begun != nil { // raft writes 0 when it starts with nothing
		if err := s.begun(); err != nil {
			return fmt.Errorf("recording that this node has a term: %w", err)
		}
	}
	s.term = value
	return nil
}
