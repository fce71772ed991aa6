package raftfix

import (
	"context"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"

	"github.com/hashicorp/raft"
)

// AppliedFSM hands everything to the state machine and knows the last index that was
// really applied: hashicorp/raft 1.7.3 counts as applied what it has sent to it. It also
// knows the last committed configuration, which raft does not tell. Delete it when raft's
// AppliedIndex is what Apply has returned for.
type AppliedFSM struct {
	self  string // server id
	inner raft.FSM
	held  raft.SnapshotStore

	mu        sync.Mutex
	applied   uint64
	conf      raft.Configuration // the last committed one
	confIndex uint64
	wasMember bool          // self was in a committed configuration
	changed   chan struct{} // closed and replaced when applied grows
}

func NewAppliedFSM(self string, inner raft.FSM, held raft.SnapshotStore, at *raft.SnapshotMeta) *AppliedFSM {
	f := &AppliedFSM{self: self, inner: inner, held: held, applied: at.Index, changed: make(chan struct{})}
	f.configure(at.ConfigurationIndex, at.Configuration)
	return f
}

// Apply implements raft.FSM.
func (f *AppliedFSM) Apply(l *raft.Log) any { return f.ApplyBatch([]*raft.Log{l})[0] }

// ApplyBatch implements raft.BatchingFSM, also for a state machine that does not.
func (f *AppliedFSM) ApplyBatch(logs []*raft.Log) []any {
	var answers []any
	if batching, ok := f.inner.(raft.BatchingFSM); ok {
		answers = batching.ApplyBatch(logs)
	} else {
		answers = f.applyEach(logs)
	}
	for _, l := range logs {
		if l.Type == raft.LogConfiguration {
			f.configure(l.Index, raft.DecodeConfiguration(l.Data))
		}
	}
	f.advance(logs[len(logs)-1].Index)
	return answers
}

func (f *AppliedFSM) applyEach(logs []*raft.Log) []any {
	answers := make([]any, len(logs))
	for i, l := range logs {
		switch l.Type {
		case raft.LogCommand:
			answers[i] = f.inner.Apply(l)
		case raft.LogConfiguration:
			if store, ok := f.inner.(raft.ConfigurationStore); ok {
				store.StoreConfiguration(l.Index, raft.DecodeConfiguration(l.Data))
			}
		}
	}
	return answers
}

// Snapshot implements raft.FSM.
func (f *AppliedFSM) Snapshot() (raft.FSMSnapshot, error) { return f.inner.Snapshot() }

// Restore implements raft.FSM. What the state machine holds afterwards is read from
// the snapshot store.
func (f *AppliedFSM) Restore(r io.ReadCloser) error {
	if err := f.inner.Restore(r); err != nil {
		return err
	}
	metas, err := f.held.List()
	if err != nil || len(metas) == 0 {
		return err
	}
	f.configure(metas[0].ConfigurationIndex, metas[0].Configuration)
	f.advance(metas[0].Index)
	return nil
}

func (f *AppliedFSM) configure(index uint64, c raft.Configuration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if index > f.confIndex {
		f.conf, f.confIndex = c, index
		f.wasMember = f.wasMember || member(c, f.self)
	}
}

// Expelled says that self was a member and is none any more. A new node sees older
// configurations without itself first, and is not expelled.
func (f *AppliedFSM) Expelled() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.wasMember && !member(f.conf, f.self)
}

// Committed is the last committed configuration and its index; zero before the
// first.
func (f *AppliedFSM) Committed() (raft.Configuration, uint64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.conf, f.confIndex
}

func (f *AppliedFSM) advance(index uint64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if index > f.applied {
		f.applied = index
		close(f.changed)
		f.changed = make(chan struct{})
	}
}

func (f *AppliedFSM) Index() uint64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.applied
}

// wait returns when index has been applied.
func (f *AppliedFSM) wait(ctx context.Context, index uint64) error {
	for {
		f.mu.Lock()
		applied, changed := f.applied, f.changed
		f.mu.Unlock()
		if applied >= index {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return fmt.Errorf("waiting for index %d, at %d: %w", index, applied, context.Cause(ctx))
		}
	}
}

// appliedTick is how often a follower looks whether raft has got as far as an
// index that the state machine will never see (a leader's first, empty entry).
const appliedTick = 5 * time.Millisecond

// WaitFor returns when the state machine has applied everything up to index.
// Raft counts entries that the state machine never sees, so the wait is for the
// last entry at or below index that it does see.
func (f *AppliedFSM) WaitFor(ctx context.Context, r interface{ AppliedIndex() uint64 }, log raft.LogStore, index uint64) error {
	tick := time.NewTicker(appliedTick)
	defer tick.Stop()
	for r.AppliedIndex() < index && f.Index() < index {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("waiting for index %d: %w", index, context.Cause(ctx))
		}
	}
	return f.wait(ctx, f.lastSeen(log, index))
}

func (f *AppliedFSM) lastSeen(log raft.LogStore, index uint64) uint64 {
	for i := index; i > f.Index(); i-- {
		var l raft.Log
		if err := log.GetLog(i, &l); err != nil {
			return 0 // compacted, so it is in the state machine
		}
		if l.Type == raft.LogCommand || l.Type == raft.LogConfiguration {
			return i
		}
	}
	return 0
}

func member(conf raft.Configuration, id string) bool {
	return slices.ContainsFunc(conf.Servers, func(s raft.Server) bool { return string(s.ID) == id })
}
