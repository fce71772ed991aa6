package fsm

import (
	"errors"
	"fmt"
	"time"

	"github.com/hashicorp/raft"

	"almenara/cluster/command"
	"almenara/cluster/derived"
	"almenara/storage"
)

// batch is one ApplyBatch: the transaction that is open, and what waits for its
// commit.
type batch struct {
	f       *FSM
	m       *derived.State
	t       *storage.Txn
	applied storage.Applied
	out     []any
	results map[int][]byte // by position in the batch
	changed Change
	after   []func() // told after the commit, in order

	at    time.Time // of the last command
	grown []growth  // since the last commit, in order
}

// open starts a transaction where none is running.
func (b *batch) open() (err error) {
	if b.t != nil {
		return nil
	}
	if err := b.f.room(); err != nil {
		return err
	}
	if b.t, err = b.f.store.Write(); err != nil {
		return err
	}
	b.results = make(map[int][]byte)
	b.applied, err = b.t.Applied()
	return err
}

// take applies entry i.
func (b *batch) take(i int, l *raft.Log) error {
	if b.t != nil && b.t.Half() {
		if err := b.commit(); err != nil {
			return err
		}
	}
	if err := b.open(); err != nil {
		return err
	}
	if l.Index <= b.applied.Index {
		b.out[i] = fmt.Errorf("%w: %d", ErrSkipped, l.Index)
		return nil
	}
	var err error
	switch l.Type {
	case raft.LogCommand:
		err = b.command(i, l)
	case raft.LogConfiguration:
		b.applied.Configuration = append([]byte{}, l.Data...)
		b.applied.ConfigurationIndex = l.Index
		b.results[i] = []byte{}
	default:
		b.results[i] = []byte{}
	}
	if err != nil {
		return err
	}
	b.applied.Index, b.applied.Term = l.Index, l.Term
	b.applied.Part, b.applied.PartFacts = 0, 0
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
		return b.malformed(i, l, err)
	}
	e := &entry{batch: b, index: l.Index, c: c, speaks: max(b.applied.Version, c.Version)}
	b.at = time.UnixMilli(c.At)
	given := b.m.Ordinals
	raw, err := e.run()
	if b.m.Ordinals != given {
		b.grown = append(b.grown, growth{b.at, given})
	}
	if err != nil {
		return fmt.Errorf("entry %d: %w", l.Index, err)
	}
	b.results[i] = raw
	if c.Version > 1 {
		b.applied.Version = max(b.applied.Version, c.Version)
	}
	return nil
}

// malformed gives an entry that nobody can read the same result everywhere. The
// audit does not say why: the words of a library may differ between versions.
func (b *batch) malformed(i int, l *raft.Log, cause error) error {
	r := command.Refuse(command.KindMalformed, "%v", cause)
	raw, err := r.Encode()
	if err != nil {
		return err
	}
	b.results[i] = raw
	_, err = b.t.AppendAudit(storage.AuditEntry{Index: l.Index, Action: "unreadable entry", Summary: "refused: malformed"})
	return err
}

// commit makes everything since the last commit durable, then hands out the results
// and tells the hooks.
func (b *batch) commit() error {
	if b.t == nil {
		return nil
	}
	t := b.t
	b.t = nil
	defer t.Discard()
	if len(b.results) == 0 && t.Empty() {
		return nil
	}
	groups, err := b.m.Alerts.Retire(t, b.at, b.given)
	if err != nil {
		return err
	}
	if err := t.SetApplied(b.applied); err != nil {
		return err
	}
	begun := b.f.clock()
	b.f.commits.Store(&begun) // for Stalled; nothing that is agreed depends on it
	err = t.Commit()
	b.f.commits.Store(nil)
	if err != nil {
		return err
	}
	b.f.applied.Store(b.applied.Index)
	b.m.Alerts.Retired(groups)
	b.grown = nil
	for i, raw := range b.results {
		b.out[i] = raw
	}
	b.results = nil
	b.tell()
	return b.m.Tallies.Save(b.applied.Index)
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
	return b.m.Ordinals
}

// commitPart commits in the middle of the entry at index, after so many facts, for
// adoptions that would not fit. The applied index stays before the entry: after a crash
// it is applied again, from the next fact on.
func (b *batch) commitPart(index, facts uint64) error {
	b.applied.Part, b.applied.PartFacts = index, facts
	if err := b.commit(); err != nil {
		return err
	}
	return b.open()
}

// tell calls the hooks for what was committed.
func (b *batch) tell() {
	if b.changed != 0 && b.f.hooks.Changed != nil {
		b.f.hooks.Changed(b.changed)
	}
	for _, fn := range b.after {
		fn()
	}
	b.changed, b.after = 0, nil
}

func (b *batch) discard() {
	if b.t != nil {
		b.t.Discard()
		b.t = nil
	}
}
