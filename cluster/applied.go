package cluster

import (
	"context"
	"fmt"
	"io"
	"sync"

	"github.com/hashicorp/raft"
)

// countingFSM hands everything to the state machine and knows the last index that
// was really applied: raft's AppliedIndex is only what was sent.
type countingFSM struct {
	self  string // server id
	inner raft.FSM
	held  raft.SnapshotStore

	mu        sync.Mutex
	applied   uint64
	conf      raft.Configuration // the last committed one
	confIndex uint64
	member    bool          // self was in a committed configuration
	changed   chan struct{} // closed and replaced when applied grows
}

func newCountingFSM(self string, inner raft.FSM, held raft.SnapshotStore, at *raft.SnapshotMeta) *countingFSM {
	f := &countingFSM{self: self, inner: inner, held: held, applied: at.Index, changed: make(chan struct{})}
	f.configure(at.ConfigurationIndex, at.Configuration)
	return f
}

// Apply implements raft.FSM.
func (f *countingFSM) Apply(l *raft.Log) any { return f.ApplyBatch([]*raft.Log{l})[0] }

// ApplyBatch implements raft.BatchingFSM, also for a state machine that does not.
func (f *countingFSM) ApplyBatch(logs []*raft.Log) []any {
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

func (f *countingFSM) applyEach(logs []*raft.Log) []any {
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
func (f *countingFSM) Snapshot() (raft.FSMSnapshot, error) { return f.inner.Snapshot() }

// Restore implements raft.FSM. What the state machine holds afterwards is read from
// the snapshot store.
func (f *countingFSM) Restore(r io.ReadCloser) error {
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

func (f *countingFSM) configure(index uint64, c raft.Configuration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if index > f.confIndex {
		f.conf, f.confIndex = c, index
		f.member = f.member || inConfiguration(c, f.self)
	}
}

// expelled says that self was a member and is none any more. A new node sees older
// configurations without itself first, and is not expelled.
func (f *countingFSM) expelled() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.member && !inConfiguration(f.conf, f.self)
}

// committed is the last committed configuration and its index; zero before the
// first.
func (f *countingFSM) committed() (raft.Configuration, uint64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.conf, f.confIndex
}

func (f *countingFSM) advance(index uint64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if index > f.applied {
		f.applied = index
		close(f.changed)
		f.changed = make(chan struct{})
	}
}

func (f *countingFSM) index() uint64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.applied
}

// wait returns when index has been applied.
func (f *countingFSM) wait(ctx context.Context, index uint64) error {
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
