package cluster

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/raft"

	"almenara/storage/durable"
)

// LogState is what a raft log on disk says of itself.
type LogState struct {
	Begun       bool   // its id has had a term: it may have voted
	First, Last uint64 // entries in it; 0 for none
}

// InspectLog reads the log of a node that is not running, whose Options.Dir is dir. A
// missing log is the zero value.
func InspectLog(dir string, logger *slog.Logger) (state LogState, err error) {
	if _, err := os.Stat(filepath.Join(dir, logDir)); err != nil {
		return state, nil
	}
	store, err := OpenWAL(filepath.Join(dir, logDir), newHLogger(logger))
	if err != nil {
		return state, err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	term, err := store.GetUint64(keyTerm)
	if err == nil {
		state.First, err = store.FirstIndex()
	}
	if err == nil {
		state.Last, err = store.LastIndex()
	}
	if err != nil {
		return state, fmt.Errorf("reading raft log: %w", err)
	}
	state.Begun = term > 0
	return state, nil
}

// BegunBy is the server id under which dir, an Options.Dir, has taken part; "" for none.
func BegunBy(dir string) string {
	b, err := os.ReadFile(filepath.Join(dir, markerFile))
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(b))
}

// ErrNothingToRecover is returned by Recover for a node that has neither a log nor a
// state.
var ErrNothingToRecover = errors.New("there is no state to recover from")

// keyTerm is where raft keeps its term in the stable store.
var keyTerm = []byte("CurrentTerm")

// RecoverOptions says what Recover works on. The node must not be running.
type RecoverOptions struct {
	Dir       string    // Options.Dir of the node
	Identity  *Identity // with the new incarnation, saved already: the fence comes first
	Advertise string    // host:port for the other nodes
	FSM       raft.FSM
	Snapshots raft.SnapshotStore
	// Fresh begins a new log after what the state machine holds: for an id that has
	// never voted. Without it the log in Dir is this id's, and all of it is applied.
	Fresh   bool
	Logger  *slog.Logger // nil discards
	OpenLog func(dir string) (LogStore, error)
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
func Recover(o RecoverOptions) (uint64, error) {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.OpenLog == nil {
		o.OpenLog = func(dir string) (LogStore, error) { return OpenWAL(dir, newHLogger(o.Logger)) }
	}
	index, err := o.recover()
	if err != nil {
		return 0, fmt.Errorf("recovering %s: %w", o.Identity.NodeID, err)
	}
	return index, nil
}

func (o RecoverOptions) recover() (index uint64, err error) {
	if err := durable.MkdirAll(o.Dir); err != nil {
		return 0, fmt.Errorf("making data directory: %w", err)
	}
	store, err := o.OpenLog(filepath.Join(o.Dir, logDir))
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	// The parts of a Cluster that look after a log, without the rest of it.
	c := &Cluster{options: Options{Dir: o.Dir, Identity: o.Identity, Snapshots: o.Snapshots, Logger: o.Logger}, store: store}
	if o.Fresh {
		err = o.begin(c)
	} else {
		err = o.takeOver(c)
	}
	if err != nil {
		return 0, err
	}
	held, err := c.held()
	if err != nil {
		return 0, err
	}
	for _, mark := range []string{quarantineFile, removedFile} {
		if err := os.Remove(filepath.Join(o.Dir, mark)); err != nil && !errors.Is(err, os.ErrNotExist) {
			return 0, fmt.Errorf("removing an old mark: %w", err)
		}
	}
	return held.Index, c.markBegun()
}

// configuration is this node alone.
func (o RecoverOptions) configuration() raft.Configuration {
	return raft.Configuration{Servers: []raft.Server{{
		ID: raft.ServerID(o.Identity.NodeID), Address: raft.ServerAddress(o.Advertise), Suffrage: raft.Voter,
	}}}
}

// takeOver applies the whole log and writes the new configuration.
func (o RecoverOptions) takeOver(c *Cluster) error {
	held, err := c.checkLog()
	if err != nil {
		return err
	}
	if err := c.dropStaleLog(held.Index); err != nil {
		return err
	}
	if last, err := c.store.LastIndex(); err != nil || last == 0 {
		return errors.Join(err, o.reconfigure(held)) // raft-wal would be asked to delete nothing
	}
	config := raft.DefaultConfig()
	config.LocalID, config.Logger = raft.ServerID(o.Identity.NodeID), hclog.NewNullLogger()
	return raft.RecoverCluster(config, inPlace{o.FSM}, c.store, c.store, inPlaceSnapshots{o.Snapshots}, nil, o.configuration())
}

// begin writes the new configuration, and a term that no entry in the state is after.
func (o RecoverOptions) begin(c *Cluster) error {
	held, err := c.held()
	if err != nil {
		return err
	}
	if held.Index == 0 {
		return ErrNothingToRecover
	}
	term, err := c.store.GetUint64(keyTerm)
	if err != nil {
		return fmt.Errorf("reading term: %w", err)
	}
	if err := c.store.SetUint64(keyTerm, max(term, held.Term)); err != nil {
		return fmt.Errorf("writing term: %w", err)
	}
	return o.reconfigure(held)
}

// reconfigure records at the state's own index that this node is alone.
func (o RecoverOptions) reconfigure(held *raft.SnapshotMeta) error {
	if held.Index == 0 {
		return ErrNothingToRecover
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
		return nil, nil, errors.Join(err, ErrNothingToRecover)
	}
	return metas[0], io.NopCloser(strings.NewReader("")), nil
}
