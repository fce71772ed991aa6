package storage

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// The directory of a store holds:
//
//	CURRENT      the name of the live database, one line, replaced by rename
//	db-000001    the live database; the number grows with every install
//	*.tmp        unfinished work; deleted when the store is opened
const (
	currentFile = "CURRENT"
	dbPrefix    = "db-"
	tmpSuffix   = ".tmp"
)

// current finds the live database, removes what unfinished installs left, and
// names the first database of a new store. A database directory gets its final
// name only when it is complete, so a lone one without CURRENT is the first
// database of a store whose first start was cut short.
func (s *Store) current() (string, error) {
	names, err := s.databases()
	if err != nil {
		return "", err
	}
	raw, err := os.ReadFile(filepath.Join(s.dir, currentFile))
	switch {
	case errors.Is(err, fs.ErrNotExist) && len(names) == 0:
		return s.first()
	case errors.Is(err, fs.ErrNotExist) && len(names) == 1:
		return names[0], s.point(names[0])
	case errors.Is(err, fs.ErrNotExist):
		return "", fmt.Errorf("%w: %s is missing and there are %d databases", ErrDamaged, currentFile, len(names))
	case err != nil:
		return "", err
	}
	name := strings.TrimSuffix(string(raw), "\n")
	return name, s.reap(name, names)
}

// databases lists the complete databases and deletes unfinished work.
func (s *Store) databases() ([]string, error) {
	entries, err := os.ReadDir(s.dir)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, e := range entries {
		switch {
		case strings.HasSuffix(e.Name(), tmpSuffix):
			if err := os.RemoveAll(filepath.Join(s.dir, e.Name())); err != nil {
				return nil, fmt.Errorf("removing unfinished work: %w", err)
			}
		case e.IsDir() && strings.HasPrefix(e.Name(), dbPrefix):
			names = append(names, e.Name())
		}
	}
	return names, nil
}

// reap deletes every database but the live one, which must exist.
func (s *Store) reap(live string, names []string) error {
	if !slices.Contains(names, live) {
		return fmt.Errorf("%w: %s names %q, which is not there", ErrDamaged, currentFile, live)
	}
	for _, n := range names {
		if n == live {
			continue
		}
		if err := os.RemoveAll(filepath.Join(s.dir, n)); err != nil {
			return fmt.Errorf("removing replaced database: %w", err)
		}
	}
	return nil
}

// first creates an empty database under its final name and points at it.
func (s *Store) first() (string, error) {
	name := dbPrefix + "000001"
	tmp := filepath.Join(s.dir, name+tmpSuffix)
	db, err := openBadger(s.opts.badger(tmp))
	if err != nil {
		return "", fmt.Errorf("creating database: %w", err)
	}
	if err := db.Close(); err != nil {
		return "", fmt.Errorf("creating database: %w", err)
	}
	if err := s.finish(tmp, name); err != nil {
		return "", err
	}
	return name, s.point(name)
}

// finish makes a closed database durable and gives it its final name.
func (s *Store) finish(tmp, name string) error {
	if err := syncTree(tmp); err != nil {
		return fmt.Errorf("syncing new database: %w", err)
	}
	if err := os.Rename(tmp, filepath.Join(s.dir, name)); err != nil {
		return fmt.Errorf("naming new database: %w", err)
	}
	return syncPath(s.dir)
}

// point makes name the live database of the next start: durable on return.
func (s *Store) point(name string) error {
	tmp := filepath.Join(s.dir, currentFile+tmpSuffix)
	if err := os.WriteFile(tmp, []byte(name+"\n"), 0o600); err != nil {
		return fmt.Errorf("pointing at %s: %w", name, err)
	}
	if err := syncPath(tmp); err != nil {
		return fmt.Errorf("pointing at %s: %w", name, err)
	}
	if err := os.Rename(tmp, filepath.Join(s.dir, currentFile)); err != nil {
		return fmt.Errorf("pointing at %s: %w", name, err)
	}
	return syncPath(s.dir)
}

// next is the name after the live database's.
func next(live string) (string, error) {
	n, err := strconv.ParseUint(strings.TrimPrefix(filepath.Base(live), dbPrefix), 10, 32)
	if err != nil {
		return "", fmt.Errorf("%w: database name %q", ErrDamaged, live)
	}
	return fmt.Sprintf("%s%06d", dbPrefix, n+1), nil
}

// syncTree syncs every file of dir, and dir.
func syncTree(dir string) error {
	return filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return syncPath(path)
	})
}

// syncPath syncs one file or directory.
func syncPath(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
