package storage

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/dgraph-io/badger/v4"
	"github.com/dgraph-io/badger/v4/pb"
	"github.com/dgraph-io/ristretto/v2/z"

	"almenara/storage/dumpfile"
)

// Staged is a complete, synced database built from a dump, next to the live one. It
// is not in use until Activate; a crash before leaves a directory that the next Open
// deletes.
type Staged struct {
	Applied Applied
	store   *Store
	name    string
}

// Stage verifies a dump of size bytes and builds a new database from it, in a new
// directory; the live one is untouched, whatever happens. as says which place in
// the log the new database has; nil takes the dump's own. It may not lie before it.
func (s *Store) Stage(r io.ReadSeeker, size int64, as *Applied) (*Staged, error) {
	applied, err := CheckDump(r, size)
	if err != nil {
		return nil, fmt.Errorf("installing dump: %w", err)
	}
	if as != nil {
		if as.Index < applied.Index {
			return nil, fmt.Errorf("installing dump: %w: it contains index %d, said to be %d", dumpfile.ErrDump, applied.Index, as.Index)
		}
		version := applied.Version
		applied = *as
		applied.Version = max(applied.Version, version)
	}
	if err := s.CheckSpace(4*uint64(size) + 2*uint64(s.opts.MemTableSize)); err != nil {
		return nil, fmt.Errorf("installing dump: %w", err)
	}
	name, err := s.build(r, size, applied)
	if err != nil {
		return nil, fmt.Errorf("installing dump: %w", err)
	}
	return &Staged{Applied: applied, store: s, name: name}, nil
}

// build makes the new database under a name that ends in .tmp, closes and syncs it,
// and only then gives it its name.
func (s *Store) build(r io.ReadSeeker, size int64, applied Applied) (string, error) {
	h, err := s.acquire()
	if err != nil {
		return "", err
	}
	defer s.release(h)
	name, err := next(h.dir)
	if err != nil {
		return "", err
	}
	tmp := filepath.Join(s.dir, name+tmpSuffix)
	for _, leftover := range []string{tmp, filepath.Join(s.dir, name)} {
		if err := os.RemoveAll(leftover); err != nil {
			return "", fmt.Errorf("removing an earlier attempt: %w", err)
		}
	}
	if err := s.fill(tmp, r, size, applied); err != nil {
		return "", errors.Join(err, os.RemoveAll(tmp))
	}
	return name, s.finish(tmp, name)
}

// fill writes the frames as sorted tables, without a log and without compaction,
// then the applied record, and closes the database.
func (s *Store) fill(dir string, r io.ReadSeeker, size int64, applied Applied) (err error) {
	db, err := openBadger(s.opts.badger(dir))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if err := loadFrames(db, r, size); err != nil {
		return err
	}
	raw, err := Canonical.Marshal(applied)
	if err != nil {
		return err
	}
	return db.Update(func(t *badger.Txn) error { return t.Set(keyApplied, raw) })
}

// loadBatch is how many bytes of frames go to Badger's stream writer at once.
const loadBatch = 4 << 20

func loadFrames(db *badger.DB, r io.ReadSeeker, size int64) error {
	w := db.NewStreamWriter()
	if err := w.Prepare(); err != nil {
		w.Cancel()
		return err
	}
	buf := z.NewBuffer(loadBatch+dumpfile.MaxValue, "almenara.install")
	defer func() { _ = buf.Release() }()
	_, err := readDump(r, size, func(k, v []byte) error {
		badger.KVToBuffer(&pb.KV{Key: k, Value: v, Version: 1, StreamId: 1}, buf)
		if buf.LenNoPadding() < loadBatch {
			return nil
		}
		err := w.Write(buf)
		buf.Reset()
		return err
	})
	if err == nil {
		err = w.Write(buf)
	}
	if err != nil {
		w.Cancel()
		return err
	}
	return w.Flush()
}

// Activate makes the staged database the live one: it is opened first, then CURRENT
// is replaced by rename and directory sync, then new transactions use it; running
// ones end on the old one, which is then deleted. Durable on return. After an error
// of the opening nothing has changed; after any later error the store must be opened
// anew before it is used.
func (g *Staged) Activate() error {
	g.store.writeMu.Lock()
	defer g.store.writeMu.Unlock()
	return g.activate() // which is for who holds writeMu
}

func (g *Staged) activate() error {
	s := g.store
	dir := filepath.Join(s.dir, g.name)
	db, err := openBadger(s.opts.badger(dir))
	if err != nil {
		return fmt.Errorf("opening installed database: %w", err)
	}
	if err := s.point(g.name); err != nil {
		return errors.Join(err, db.Close())
	}
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return errors.Join(ErrClosed, db.Close())
	}
	old := s.live
	s.live = &handle{db: db, dir: dir}
	s.open++
	s.mu.Unlock()
	_ = s.retire(old, true) // logged; the next Open deletes what is left
	return nil
}

// Discard deletes a staged database that was not activated.
func (g *Staged) Discard() error {
	if err := os.RemoveAll(filepath.Join(g.store.dir, g.name)); err != nil {
		return fmt.Errorf("discarding staged database: %w", err)
	}
	return nil
}

// Rewrite writes the database anew, with what it holds now and nothing of what it held before: values that
// were replaced or deleted stay in Badger's tables and logs for a time that nobody knows. Writers wait
// meanwhile, some 10 s per GB; readers do not. The old files are deleted once the last reader has ended. It
// returns ErrNoSpace or ErrBusy, and nothing has changed, where there is no room or a dump is being written.
func (s *Store) Rewrite() error {
	s.writeMu.Lock()
	defer s.writeMu.Unlock()
	d, err := s.Dump()
	if err != nil {
		return err
	}
	defer d.Close()
	g, err := s.Stage(d.file, d.Size, nil)
	if err != nil {
		return err
	}
	return g.activate() // a database that was not taken is deleted by the next Open
}
