package raftfix

import (
	"errors"
	"runtime"

	"github.com/hashicorp/raft"

	"almenara/cluster/raftlog"
)

// unreadable ends raft where it meets an entry that cannot be read. hashicorp/raft 1.7.3
// panics there in its own goroutine, and the process with it, though it must go on warning
// devices. Delete this when raft hands an error of GetLog to its caller.
type unreadable struct {
	raftlog.Store
	found   func(error) // told of it, while raft runs
	running func() bool
}

// NewUnreadable wraps a log. found is told of the entry, from raft's goroutine, while running
// says that raft runs.
func NewUnreadable(log raftlog.Store, running func() bool, found func(error)) raft.LogStore {
	return unreadable{log, found, running}
}

// IsMonotonic tells raft about gaps, as the store itself would.
func (s unreadable) IsMonotonic() bool {
	m, ok := s.Store.(raft.MonotonicLogStore)
	return ok && m.IsMonotonic()
}

// GetLog implements raft.LogStore. Raft must go by what it cannot read, so its goroutine
// ends here, quietly, and raft with it.
func (s unreadable) GetLog(index uint64, l *raft.Log) error {
	err := s.Store.GetLog(index, l)
	if errors.Is(err, raftlog.ErrDamaged) && s.running() {
		s.found(err)
		runtime.Goexit()
	}
	return err
}
