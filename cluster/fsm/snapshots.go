package fsm

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"

	"github.com/hashicorp/raft"

	"almenara/cluster/apply"
	"almenara/storage"
)

// Snapshots is the raft.SnapshotStore of a node: the database is the snapshot. There
// is always exactly one, and it is as new as the last commit; taking one writes
// nothing but the index, and a dump is written only when a follower or a backup
// needs it.
type Snapshots struct {
	f *FSM

	mu     sync.Mutex // guards staged
	staged map[string]*storage.Staged
	serial int
}

// The ids of snapshots.
const (
	liveID   = "live"
	stagedID = "staged-"
)

// ErrBehind refuses a snapshot that ends before what this node has applied.
var ErrBehind = errors.New("snapshot is older than the state")

func newSnapshots(f *FSM) *Snapshots {
	return &Snapshots{f: f, staged: make(map[string]*storage.Staged)}
}

// SnapshotStore is what raft.NewRaft gets. Raft must run with NoSnapshotRestoreOnStart.
func (f *FSM) SnapshotStore() *Snapshots { return f.snaps }

// Create begins a snapshot: one that this node takes, or one that it receives.
func (s *Snapshots) Create(version raft.SnapshotVersion, index, term uint64, configuration raft.Configuration,
	configurationIndex uint64, _ raft.Transport,
) (raft.SnapshotSink, error) {
	if version != 1 {
		return nil, fmt.Errorf("unsupported snapshot version %d", version)
	}
	return &sink{store: s, id: liveID, applied: storage.Applied{Index: index, Term: term,
		Configuration: raft.EncodeConfiguration(configuration), ConfigurationIndex: configurationIndex}}, nil
}

// List gives the one snapshot; none before anything was applied.
func (s *Snapshots) List() ([]*raft.SnapshotMeta, error) {
	a, err := s.f.store.Applied()
	if err != nil || a.Index == 0 {
		return nil, err
	}
	return []*raft.SnapshotMeta{meta(liveID, a, 0)}, nil
}

func meta(id string, a storage.Applied, size int64) *raft.SnapshotMeta {
	m := &raft.SnapshotMeta{Version: 1, ID: id, Index: a.Index, Term: a.Term,
		ConfigurationIndex: a.ConfigurationIndex, Size: size}
	if len(a.Configuration) > 0 {
		m.Configuration = raft.DecodeConfiguration(a.Configuration)
	}
	return m
}

// Open streams the live database as a dump, as new as it is now, or hands a received
// snapshot to Restore.
func (s *Snapshots) Open(id string) (*raft.SnapshotMeta, io.ReadCloser, error) {
	if err := s.f.Halted(); err != nil {
		return nil, nil, err
	}
	if strings.HasPrefix(id, stagedID) {
		s.mu.Lock()
		g := s.staged[id]
		s.mu.Unlock()
		if g == nil {
			return nil, nil, fmt.Errorf("snapshot %q is not known", id)
		}
		return meta(id, g.Applied, 0), &received{store: s, id: id, staged: g}, nil
	}
	if s.f.hooks.Dump != nil {
		if err := s.f.hooks.Dump(); err != nil {
			return nil, nil, err
		}
	}
	d, err := s.f.store.Dump()
	if err != nil {
		return nil, nil, err
	}
	return meta(liveID, d.Applied, d.Size), &live{Dump: d, f: s.f}, nil
}

// forget takes a received snapshot out of the list.
func (s *Snapshots) forget(id string) {
	s.mu.Lock()
	delete(s.staged, id)
	s.mu.Unlock()
}

// live is a dump of the database that this FSM runs on.
type live struct {
	*storage.Dump
	f *FSM
}

// received is a snapshot that was received, verified and built, and waits for
// Restore. It has no bytes to read.
type received struct {
	store  *Snapshots
	id     string
	staged *storage.Staged
}

func (*received) Read([]byte) (int, error) { return 0, io.EOF }

// Close discards the snapshot unless it was activated.
func (r *received) Close() error {
	r.store.forget(r.id)
	if r.staged == nil {
		return nil
	}
	return r.staged.Discard()
}

// sink is a snapshot in the making. A snapshot that this node takes has no bytes; a
// received one goes to a file without a name.
type sink struct {
	store   *Snapshots
	id      string
	applied storage.Applied
	file    *os.File
	size    int64
	done    bool
}

// ID names the snapshot for Open. It is known after Close.
func (k *sink) ID() string { return k.id }

// Write takes bytes of a received snapshot.
func (k *sink) Write(p []byte) (n int, err error) {
	if k.file == nil {
		if k.file, err = k.store.f.store.TempFile("receive"); err != nil {
			return 0, fmt.Errorf("receiving snapshot: %w", err)
		}
	}
	n, err = k.file.Write(p)
	k.size += int64(n)
	return n, err
}

// Cancel throws a snapshot in the making away.
func (k *sink) Cancel() error {
	k.done = true
	if k.file == nil {
		return nil
	}
	return k.file.Close()
}

// Close records an own snapshot, durably. Of a received one it verifies every byte
// and builds the new database next to the live one, which stays untouched.
func (k *sink) Close() error {
	if k.done {
		return nil
	}
	k.done = true
	if err := k.store.f.Halted(); err != nil {
		return err
	}
	if k.file == nil {
		if err := k.store.f.store.CheckSpace(0); err != nil { // it waits: raft asks again
			return fmt.Errorf("recording snapshot: %w", err)
		}
		return k.store.f.store.Witness(k.applied)
	}
	defer k.file.Close()
	return k.stage()
}

func (k *sink) stage() error {
	s := k.store
	if have := s.f.Applied(); k.applied.Index < have {
		return fmt.Errorf("%w: it ends at %d, applied %d", ErrBehind, k.applied.Index, have)
	}
	g, err := s.f.store.Stage(k.file, k.size, &k.applied)
	if err != nil {
		return err
	}
	if err := s.f.readable(g.Applied); err != nil {
		return errors.Join(s.f.halt(fmt.Errorf("receiving snapshot: %w", err)), g.Discard())
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.serial++
	k.id = fmt.Sprintf("%s%d", stagedID, s.serial)
	s.staged[k.id] = g
	return nil
}

// Snapshot is a promise that everything applied so far is in the database.
func (f *FSM) Snapshot() (raft.FSMSnapshot, error) {
	if err := f.Halted(); err != nil {
		return nil, err
	}
	return persisted{}, nil
}

// persisted is a snapshot that is on disk already.
type persisted struct{}

// Persist does nothing: closing the sink records the index.
func (persisted) Persist(raft.SnapshotSink) error { return nil }

// Release does nothing.
func (persisted) Release() {}

// Restore makes a received snapshot the state: the pointer to the database is flipped,
// then everything in memory is rebuilt. A dump of the live database itself changes
// nothing. Any other reader must hold a whole dump, which is verified first.
func (f *FSM) Restore(source io.ReadCloser) error {
	if err := f.Halted(); err != nil {
		return err
	}
	inner := source
	for {
		w, ok := inner.(raft.ReadCloserWrapper)
		if !ok {
			break
		}
		inner = w.WrappedReadCloser()
	}
	switch r := inner.(type) {
	case *live:
		if r.f == f {
			return nil
		}
	case *received:
		g := r.staged
		r.staged = nil
		return f.activate(g)
	}
	return f.restoreBytes(source)
}

// restoreBytes installs a dump that comes from a reader.
func (f *FSM) restoreBytes(source io.Reader) error {
	file, err := f.store.TempFile("restore")
	if err != nil {
		return fmt.Errorf("restoring: %w", err)
	}
	defer file.Close()
	size, err := io.Copy(file, source)
	if err != nil {
		return fmt.Errorf("restoring: %w", err)
	}
	g, err := f.store.Stage(file, size, nil)
	if err != nil {
		return err
	}
	if err := f.readable(g.Applied); err != nil {
		return errors.Join(fmt.Errorf("restoring: %w", err), g.Discard())
	}
	return f.activate(g)
}

// activate flips to the staged database. Any error after the flip began stops the
// state machine: what is on disk and what is in memory may differ.
func (f *FSM) activate(g *storage.Staged) error {
	if err := g.Activate(); err != nil {
		return f.halt(fmt.Errorf("installing snapshot: %w", err))
	}
	if err := f.reload(); err != nil {
		return f.halt(fmt.Errorf("reading installed snapshot: %w", err))
	}
	if f.hooks.Changed != nil {
		f.hooks.Changed(apply.ChangedAll)
	}
	return nil
}
