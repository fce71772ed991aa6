// Package recovery makes a node the only voter of its district after the majority was lost
// for good: it applies what the old log holds and begins a new one. It works on the files of
// a node that does not run, decides nothing about who may do it, and never imports cluster or
// what speaks to other nodes.
package recovery

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"strings"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/raft"

	"almenara/cluster/hclogs"
	"almenara/cluster/identity"
	"almenara/cluster/marks"
	"almenara/cluster/raftlog"
	"almenara/storage/durable"
)

// ErrNothing is returned by Recover for a node that has neither a log nor a
// state.
var ErrNothing = errors.New("there is no state to recover from")

// Options say what Recover works on. The node must not be running.
type Options struct {
	Dir       string             // cluster.Options.Dir of the node
	Identity  *identity.Identity // with the new incarnation, saved already: the fence comes first
	Advertise string             // host:port for the other nodes
	FSM       raft.FSM
	Snapshots raft.SnapshotStore
	// Fresh begins a new log after what the state machine holds: for an id that has
	// never voted. Without it the log in Dir is this id's, and all of it is applied.
	Fresh   bool
	Logger  *slog.Logger // nil discards
	OpenLog func(dir string) (raftlog.Store, error)
}

// Recover makes a node the only voter of its district, after the majority was lost
// for good, and returns the index that it begins after. On return the new
// configuration and everything in the old log are in the state machine, and the log is
// empty. Entries that were never committed become so: nobody is left who could say
// that they were not, and raft would do the same with the longest log.
//
// It may be repeated after a crash. The other nodes must never be let in under their
// old ids; what keeps them out is the incarnation in Identity. ErrAmnesia says that
// the log is less than this id has had: only Fresh, under a new id, can help then.
// FSM must not be used any more afterwards, but for being closed.
func Recover(o Options) (uint64, error) {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.OpenLog == nil {
		o.OpenLog = func(dir string) (raftlog.Store, error) { return raftlog.OpenWAL(dir, hclogs.New(o.Logger)) }
	}
	index, err := o.recover()
	if err != nil {
		return 0, fmt.Errorf("recovering %s: %w", o.Identity.NodeID, err)
	}
	return index, nil
}

func (o Options) recover() (index uint64, err error) {
	if err := durable.MkdirAll(o.Dir); err != nil {
		return 0, fmt.Errorf("making data directory: %w", err)
	}
	store, err := o.OpenLog(filepath.Join(o.Dir, raftlog.Dir))
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	if o.Fresh {
		err = o.begin(store)
	} else {
		err = o.takeOver(store)
	}
	if err != nil {
		return 0, err
	}
	held, err := marks.HeldBy(o.Snapshots)
	if err != nil {
		return 0, err
	}
	if err := marks.Clear(o.Dir); err != nil {
		return 0, err
	}
	return held.Index, marks.MarkBegun(o.Dir, o.Identity.NodeID)
}

// configuration is this node alone.
func (o Options) configuration() raft.Configuration {
	return raft.Configuration{Servers: []raft.Server{{
		ID: raft.ServerID(o.Identity.NodeID), Address: raft.ServerAddress(o.Advertise), Suffrage: raft.Voter,
	}}}
}

// takeOver applies the whole log and writes the new configuration.
func (o Options) takeOver(store raftlog.Store) error {
	held, err := marks.CheckLog(o.Dir, o.Snapshots, store)
	if err != nil {
		return err
	}
	if err := raftlog.DropStale(store, held.Index, o.Logger); err != nil {
		return err
	}
	if last, err := store.LastIndex(); err != nil || last == 0 {
		return errors.Join(err, o.reconfigure(held)) // raft-wal would be asked to delete nothing
	}
	config := raft.DefaultConfig()
	config.LocalID, config.Logger = raft.ServerID(o.Identity.NodeID), hclog.NewNullLogger()
	return raft.RecoverCluster(config, inPlace{o.FSM}, store, store, inPlaceSnapshots{o.Snapshots}, nil, o.configuration())
}

// begin writes the new configuration, and a term that no entry in the state is after.
func (o Options) begin(store raftlog.Store) error {
	held, err := marks.HeldBy(o.Snapshots)
	if err != nil {
		return err
	}
	if held.Index == 0 {
		return ErrNothing
	}
	term, err := store.GetUint64(raftlog.KeyTerm)
	if err != nil {
		return fmt.Errorf("reading term: %w", err)
	}
	if err := store.SetUint64(raftlog.KeyTerm, max(term, held.Term)); err != nil {
		return fmt.Errorf("writing term: %w", err)
	}
	return o.reconfigure(held)
}

// reconfigure records at the state's own index that this node is alone.
func (o Options) reconfigure(held *raft.SnapshotMeta) error {
	if held.Index == 0 {
		return ErrNothing
	}
	sink, err := o.Snapshots.Create(raft.SnapshotVersionMax, held.Index, held.Term, o.configuration(), 1, nil)
	if err != nil {
		return fmt.Errorf("writing configuration: %w", err)
	}
	return sink.Close()
}

// inPlace is a state machine whose state is its own snapshot: there is nothing to
// restore.
type inPlace struct{ raft.FSM }

// Restore implements raft.FSM.
func (inPlace) Restore(r io.ReadCloser) error { return r.Close() }

// inPlaceSnapshots opens without dumping.
type inPlaceSnapshots struct{ raft.SnapshotStore }

// Open implements raft.SnapshotStore.
func (s inPlaceSnapshots) Open(string) (*raft.SnapshotMeta, io.ReadCloser, error) {
	metas, err := s.List()
	if err != nil || len(metas) == 0 {
		return nil, nil, errors.Join(err, ErrNothing)
	}
	return metas[0], io.NopCloser(strings.NewReader("")), nil
}
