// Package storage keeps the agreed state of a district in one Badger database:
// opening it, the typed tables, transactions, dumps and their installation. It
// knows neither raft nor policy; cluster/fsm decides what is written.
//
// DESIGN.md says why it is built this way and what a crash leaves at each step.
package storage

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/dgraph-io/badger/v4"

	"almenara/storage/durable"
	"almenara/storage/tablefiles"
)

// Sentinels of this package. Every other error of a Store or Txn comes from
// Badger or the file system; whoever applies log entries must stop at it.
var (
	// ErrNoSpace: the file system has less free space than the store needs to be
	// safe. Nothing was written.
	ErrNoSpace = errors.New("not enough free space")

	// ErrDamaged: what is on disk is not what this package wrote. The store must
	// not be used; the node returns under a new id, from its peers or a backup.
	ErrDamaged = errors.New("store is damaged")

	// ErrClosed: the store was closed.
	ErrClosed = errors.New("store is closed")

	// ErrBusy: another dump is being written. Try later.
	ErrBusy = errors.New("a dump is being written already")
)

// Store is the database of one node. All methods may be called from any
// goroutine; there is one writer at a time.
type Store struct {
	dir  string
	opts Options

	unlock func() error // gives the directory back

	writeMu sync.Mutex // held by the one writing transaction, and while a new database takes over
	dumpMu  sync.Mutex // held while a dump is being written

	mu     sync.Mutex // guards what follows
	idle   *sync.Cond // signalled when a handle has closed
	live   *handle    // nil once closed
	open   int        // handles not closed yet
	closed bool
}

// handle is one open database and how many transactions use it. A retired handle
// closes and deletes itself when the last of them ends, so that readers never wait
// for an install, nor an install for readers.
type handle struct {
	db      *badger.DB
	dir     string
	users   int
	retired bool
	remove  bool
}

// Open opens the store in dir, or creates it. It checks free space before Badger
// creates a file, removes what an interrupted install left, and gives ErrDamaged for
// damaged tables, on which Badger would panic. At most one process may have a
// directory open: durable.ErrInUse says that another has. The caller must Close the store.
func Open(dir string, opts Options) (*Store, error) {
	opts, err := opts.withDefaults()
	if err != nil {
		return nil, fmt.Errorf("opening store: %w", err)
	}
	if err := durable.MkdirAll(dir); err != nil {
		return nil, fmt.Errorf("creating store: %w", err)
	}
	if err := opts.checkSpace(dir, opts.OpenFree, 2*uint64(opts.MemTableSize)); err != nil {
		return nil, fmt.Errorf("opening store: %w", err)
	}
	// A second process would delete the state that the first one is installing.
	unlock, err := durable.Lock(dir)
	if err != nil {
		return nil, fmt.Errorf("opening store: %w", err)
	}
	s := &Store{dir: dir, opts: opts, unlock: unlock}
	s.idle = sync.NewCond(&s.mu)
	if err := s.openLive(); err != nil {
		return nil, errors.Join(err, unlock())
	}
	return s, nil
}

// openLive opens the database that CURRENT names.
func (s *Store) openLive() error {
	name, err := s.current()
	if err != nil {
		return fmt.Errorf("opening store: %w", err)
	}
	db, err := openBadger(s.opts.badger(filepath.Join(s.dir, name)))
	if err != nil {
		return fmt.Errorf("opening store %s: %w", filepath.Join(s.dir, name), err)
	}
	s.live, s.open = &handle{db: db, dir: filepath.Join(s.dir, name)}, 1
	return nil
}

// openBadger opens a database whose tables were looked at before; whatever else makes
// Badger panic becomes an error.
func openBadger(o badger.Options) (db *badger.DB, err error) {
	if err := tablefiles.Check(o); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	if err := tablefiles.RemoveUnborn(o.Dir); err != nil {
		return nil, err
	}
	defer func() {
		if r := recover(); r != nil {
			db, err = nil, fmt.Errorf("%w: badger panicked: %v", ErrDamaged, r)
		}
	}()
	db, err = badger.Open(o)
	if err != nil && !errors.Is(err, ErrDamaged) && looksDamaged(err) {
		err = fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	return db, err
}

// looksDamaged judges by the words of the error: Badger flattens its causes.
func looksDamaged(err error) bool {
	text := err.Error()
	for _, words := range []string{"checksum", "failed to initialize table", "failed to init", "MANIFEST has", "manifest has", "does not exist in manifest"} {
		if strings.Contains(text, words) {
			return true
		}
	}
	return false
}

// Dir is the directory that the store was opened in.
func (s *Store) Dir() string { return s.dir }

// CheckSpace returns ErrNoSpace when less than MinFree and extra bytes are free.
func (s *Store) CheckSpace(extra uint64) error {
	return s.opts.checkSpace(s.dir, s.opts.MinFree, extra)
}

// Size is the size in bytes of the tables on disk, refreshed by Badger once a
// minute.
func (s *Store) Size() int64 {
	h, err := s.acquire()
	if err != nil {
		return 0
	}
	defer s.release(h)
	lsm, log := h.db.Size()
	return lsm + log
}

// acquire takes the live handle for one transaction.
func (s *Store) acquire() (*handle, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, ErrClosed
	}
	s.live.users++
	return s.live, nil
}

// release gives a handle back; the last user of a retired one closes it.
func (s *Store) release(h *handle) {
	s.mu.Lock()
	h.users--
	last := h.retired && h.users == 0
	s.mu.Unlock()
	if last {
		s.dispose(h)
	}
}

// retire takes h out of use. It is closed here when nobody uses it.
func (s *Store) retire(h *handle, remove bool) error {
	s.mu.Lock()
	h.retired, h.remove = true, remove
	unused := h.users == 0
	s.mu.Unlock()
	if unused {
		return s.dispose(h)
	}
	return nil
}

// dispose closes a handle that nobody uses any more, and deletes a replaced one.
func (s *Store) dispose(h *handle) error {
	err := h.db.Close()
	if h.remove {
		err = errors.Join(err, os.RemoveAll(h.dir))
	}
	if err != nil {
		s.opts.Logger.Error("closing database", "dir", h.dir, "error", err)
	}
	s.mu.Lock()
	s.open--
	s.idle.Broadcast()
	s.mu.Unlock()
	return err
}

// Close waits for running transactions and closes the database. Everything
// committed is on disk before and after. It may be called again.
func (s *Store) Close() error {
	s.writeMu.Lock()
	defer s.writeMu.Unlock()
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return nil
	}
	s.closed = true
	h := s.live
	s.mu.Unlock()
	err := s.retire(h, false)
	s.mu.Lock()
	for s.open > 0 {
		s.idle.Wait()
	}
	s.mu.Unlock()
	if err := errors.Join(err, s.unlock()); err != nil {
		return fmt.Errorf("closing store: %w", err)
	}
	return nil
}
