package fsm

import (
	"errors"
	"fmt"
	"time"

	"github.com/hashicorp/raft"

	"almenara/cluster/apply"
	"almenara/cluster/command"
	"almenara/storage"
)

// batch is one ApplyBatch: the transaction that is open, and what waits for its
// commit.
type batch struct {
	f       *FSM
	to      apply.Transaction // with no Txn while none is open
	out     []any
	results map[int][]byte // by position in the batch

	at    time.Time // of the last command
	grown []growth  // since the last commit, in order
}

// newBatch is for so many entries.
func newBatch(f *FSM, entries int) *batch {
	b := &batch{f: f, out: make([]any, entries)}
	b.to = apply.Transaction{Derived: f.derived.Load(), Adopted: f.hooks.Adopted, CommitPart: b.commitPart}
	return b
}

// open starts a transaction where none is running.
func (b *batch) open() (err error) {
	if b.to.Txn != nil {
		return nil
	}
	if err := b.f.room(); err != nil {
		return err
	}
	if b.to.Txn, err = b.f.store.Write(); err != nil {
		return err
	}
	b.results = make(map[int][]byte)
	b.to.Applied, err = storage.AppliedRecord.Value(b.to.Txn)
	return err
}

// take applies entry i.
func (b *batch) take(i int, l *raft.Log) error {
	if b.to.Txn != nil && b.to.Txn.Half() {
		if err := b.commit(); err != nil {
			return err
		}
	}
	if err := b.open(); err != nil {
		return err
	}
	if l.Index <= b.to.Applied.Index {
		b.out[i] = fmt.Errorf("%w: %d", ErrSkipped, l.Index)
		return nil
	}
	var err error
	switch l.Type {
	case raft.LogCommand:
		err = b.command(i, l)
	case raft.LogConfiguration:
		b.to.Applied.Configuration = append([]byte{}, l.Data...)
		b.to.Applied.ConfigurationIndex = l.Index
		b.results[i] = []byte{}
	default:
		b.results[i] = []byte{}
	}
	if err != nil {
		return err
	}
	b.to.Applied.Index, b.to.Applied.Term = l.Index, l.Term
	b.to.Applied.Part, b.to.Applied.PartFacts = 0, 0
	return nil
}

// command decodes and applies one command entry and keeps its encoded result.
func (b *batch) command(i int, l *raft.Log) error {
	c, err := command.Decode(l.Data)
	if err == nil && c.Version > b.f.max {
		err = fmt.Errorf("%w: version %d", command.ErrUnknownVersion, c.Version)
	}
	if errors.Is(err, command.ErrUnknownVersion) {
		return fmt.Errorf("entry %d: %w", l.Index, err)
	}
	if err != nil {
		b.results[i], err = b.to.Unreadable(l.Index, err)
		return err
	}
	b.at = time.UnixMilli(c.At)
	given := b.to.Derived.Ordinals
	raw, err := b.to.Apply(l.Index, c)
	if b.to.Derived.Ordinals != given {
		b.grown = append(b.grown, growth{b.at, given})
	}
	if err != nil {
		return fmt.Errorf("entry %d: %w", l.Index, err)
	}
	b.results[i] = raw
	if c.Version > 1 {
		b.to.Applied.Version = max(b.to.Applied.Version, c.Version)
	}
	return nil
}

// commit makes everything since the last commit durable, then hands out the results
// and tells the hooks.
func (b *batch) commit() error {
	if b.to.Txn == nil {
		return nil
	}
	t := b.to.Txn
	b.to.Txn = nil
	defer t.Discard()
	if len(b.results) == 0 && t.Empty() {
		return nil
	}
	groups, err := b.to.Derived.Alerts.Retire(t, b.at, b.given)
	if err != nil {
		return err
	}
	if err := storage.AppliedRecord.Put(t, b.to.Applied); err != nil {
		return err
	}
	begun := b.f.clock()
	b.f.commits.Store(&begun) // for Stalled; nothing that is agreed depends on it
	err = t.Commit()
	b.f.commits.Store(nil)
	if err != nil {
		return err
	}
	b.f.applied.Store(b.to.Applied.Index)
	b.to.Derived.Alerts.Retired(groups)
	b.grown = nil
	for i, raw := range b.results {
		b.out[i] = raw
	}
	b.results = nil
	b.tell()
	return b.to.Derived.Tallies.Save(b.to.Applied.Index)
}

// growth is that ordinals were given.
type growth struct {
	at     time.Time // of the command
	before uint32    // how many there were before
}

// given is how many ordinals had been given at a time before the end of the transaction.
func (b *batch) given(at time.Time) uint32 {
	for _, g := range b.grown {
		if !g.at.Before(at) {
			return g.before
		}
	}
	return b.to.Derived.Ordinals
}

// commitPart commits in the middle of the entry at index, after so many facts, for
// adoptions that would not fit. The applied index stays before the entry: after a crash
// it is applied again, from the next fact on.
func (b *batch) commitPart(index, facts uint64) error {
	b.to.Applied.Part, b.to.Applied.PartFacts = index, facts
	if err := b.commit(); err != nil {
		return err
	}
	return b.open()
}

// tell calls the hooks for what was committed.
func (b *batch) tell() {
	if b.to.Changed != 0 && b.f.hooks.Changed != nil {
		b.f.hooks.Changed(b.to.Changed)
	}
	for _, fn := range b.to.After {
		fn()
	}
	b.to.Changed, b.to.After = 0, nil
}

func (b *batch) discard() {
	if b.to.Txn != nil {
		b.to.Txn.Discard()
		b.to.Txn = nil
	}
}
