// Package fsm is raft's state machine: it lays the entries of a district's log on the store,
// in transactions that end between entries, tells what was committed, gives and takes
// snapshots, and halts where going on would make this node differ from its peers. What an
// entry does is apply's. It has no settings that matter to the state.
package fsm

import (
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/hashicorp/raft"

	"almenara/cluster/apply"
	"almenara/cluster/command"
	"almenara/cluster/derived"
	"almenara/cluster/fact"
	"almenara/storage"
)

// Sentinels that come as responses of entries, in place of the encoded result. The
// outcome for the proposer is then unknown, not failed.
var (
	// ErrHalted: the state machine has stopped because going on would make this node
	// differ from its peers. The process must end.
	ErrHalted = errors.New("state machine has halted")

	// ErrSkipped: the entry was applied before the node started.
	ErrSkipped = errors.New("entry was applied before")
)

// Hooks are what a node wants to be told. All but Halt may be nil. Adopted and Changed are called
// by the applying goroutine, after the commit, in the order of the log; they must
// not block and must not call the FSM's apply side. They are never called for entries
// that were applied before the node started.
type Hooks struct {
	// Halt is called once, when the state machine cannot go on: an entry of newer
	// software, a storage error. It must bring about the end of the process and may
	// return before that; nothing is applied any more.
	Halt func(error)

	// Room is called by the applying goroutine before a transaction is begun, and may
	// wait there while the disk has no room: nothing is applied meanwhile, nothing is lost,
	// and Stalled does not count it. An error says that the node stops: nothing is applied
	// any more, and Halt is not called.
	Room func() error

	// Dump is called before a dump of the state is written for another node; its error
	// refuses that.
	Dump func() error

	// Adopted tells what became of a fact that was new to this log: Adopted, Refused or
	// Rejected.
	Adopted func(signed fact.Signed, f fact.Fact, outcome command.FactOutcome)

	// Changed tells which kinds of records a commit touched; ChangedAll after the
	// whole state was replaced by an install.
	Changed func(apply.Change)

	// MaxVersion lowers the version of entries that this replica reads, for drills of a
	// rolling upgrade; 0 is command.Max.
	MaxVersion uint64

	// Logger is for what operators should see; nil means slog.Default.
	Logger *slog.Logger
}

// FSM is the state machine of one node. Apply, ApplyBatch, Snapshot, Restore and
// StoreConfiguration belong to raft's goroutine; everything else may be called from
// any goroutine.
type FSM struct {
	store *storage.Store
	hooks Hooks
	log   *slog.Logger
	max   uint64 // the highest version of an entry that may be applied

	derived atomic.Pointer[derived.State] // replaced as a whole by Restore
	applied atomic.Uint64                 // highest index whose effects are durable and visible
	halted  atomic.Pointer[error]
	snaps   *Snapshots

	clock   func() time.Time          // with its monotonic part, by which durations are measured; tests step it
	commits atomic.Pointer[time.Time] // since when a commit has been running; nil when none is
}

// New makes the state machine over an open store and rebuilds what it keeps in
// memory. The store stays the caller's: Close the FSM first.
func New(store *storage.Store, hooks Hooks) (*FSM, error) {
	if hooks.Halt == nil {
		return nil, errors.New("state machine needs a Halt hook")
	}
	f := &FSM{store: store, hooks: hooks, log: hooks.Logger, max: command.Max()}
	f.clock = time.Now
	if hooks.MaxVersion > 0 {
		f.max = min(f.max, hooks.MaxVersion)
	}
	if f.log == nil {
		f.log = slog.Default()
	}
	f.snaps = newSnapshots(f)
	applied, err := store.Applied()
	if err == nil {
		err = f.readable(applied)
	}
	if err != nil {
		return nil, fmt.Errorf("opening state: %w", err)
	}
	if err := f.reload(); err != nil {
		return nil, fmt.Errorf("rebuilding state: %w", err)
	}
	return f, nil
}

// readable refuses what entries have made that this software does not know.
func (f *FSM) readable(applied storage.Applied) error {
	if applied.Version > f.max {
		return fmt.Errorf("%w: the state has entries of version %d, this software reads up to %d",
			command.ErrUnknownVersion, applied.Version, f.max)
	}
	return nil
}

// reload builds the memory from the store.
func (f *FSM) reload() error {
	d, applied, err := derived.Rebuild(f.store, f.log)
	if err != nil {
		return err
	}
	f.derived.Store(d)
	f.applied.Store(applied.Index)
	return nil
}

// Applied is the highest index whose effects are durable and visible here. Unlike
// raft.AppliedIndex it does not run ahead.
func (f *FSM) Applied() uint64 { return f.applied.Load() }

// Stalled is how long the commit that is running has been running; zero when none is.
// A disk that stalls must end the process, as for the raft log.
func (f *FSM) Stalled() time.Duration {
	since := f.commits.Load()
	if since == nil {
		return 0
	}
	return f.clock().Sub(*since) // monotonic: a clock that is set is no stall
}

// Derived is what is kept in memory beside the store. Ask for it anew each time: an installed
// snapshot brings another one.
func (f *FSM) Derived() *derived.State { return f.derived.Load() }

// Store is the store below.
func (f *FSM) Store() *storage.Store { return f.store }

// Halted is the reason for which the state machine stopped; nil while it runs.
func (f *FSM) Halted() error {
	if p := f.halted.Load(); p != nil {
		return *p
	}
	return nil
}

// halt stops the state machine for good.
func (f *FSM) halt(err error) error {
	err = fmt.Errorf("%w: %w", ErrHalted, err)
	if f.halted.CompareAndSwap(nil, &err) {
		f.log.Error("state machine halted", "error", err)
		f.hooks.Halt(err)
	}
	return f.Halted()
}

// room waits until a transaction may be begun. Its error has stopped the state machine.
func (f *FSM) room() error {
	if f.hooks.Room == nil {
		return nil
	}
	err := f.hooks.Room()
	if err == nil {
		return nil
	}
	err = fmt.Errorf("%w: waiting for room on the disk: %w", ErrHalted, err)
	f.halted.CompareAndSwap(nil, &err)
	return f.Halted()
}

// Apply applies one entry; see ApplyBatch.
func (f *FSM) Apply(l *raft.Log) any { return f.ApplyBatch([]*raft.Log{l})[0] }

// ApplyBatch applies entries in one transaction, or in several where they would not
// fit, always cut between entries. Each response is the encoded command.Result as
// []byte, or an error: ErrHalted or ErrSkipped. When it returns, the effects of all
// entries with a result are durable.
func (f *FSM) ApplyBatch(logs []*raft.Log) []any {
	b := newBatch(f, len(logs))
	out := b.out
	err := f.Halted()
	for i, l := range logs {
		if err == nil {
			err = b.take(i, l)
		}
	}
	if err == nil {
		err = b.commit()
	}
	b.discard()
	if err != nil {
		err = f.halt(err)
		for i := range out {
			if out[i] == nil {
				out[i] = err
			}
		}
	}
	return out
}

// StoreConfiguration keeps a configuration that raft delivers outside of a batch. The
// applied index stays, because raft does not tell the term here.
func (f *FSM) StoreConfiguration(index uint64, configuration raft.Configuration) {
	if f.Halted() != nil || f.room() != nil {
		return
	}
	err := f.store.Update(func(t *storage.Txn) error {
		a, err := storage.AppliedRecord.Value(t)
		if err != nil || index <= a.ConfigurationIndex {
			return err
		}
		a.Configuration, a.ConfigurationIndex = raft.EncodeConfiguration(configuration), index
		return storage.AppliedRecord.Put(t, a)
	})
	if err != nil {
		f.halt(fmt.Errorf("storing configuration %d: %w", index, err))
	}
}
