package backup

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"almenara/storage/durable"
)

// ErrNoRoom refuses to write a backup where it does not fit.
var ErrNoRoom = errors.New("the backup does not fit there")

// ErrExists refuses to write over a file.
var ErrExists = errors.New("the file exists already")

// Save writes a backup to the file name, which only its owner may read, and reads it
// back from start to end. fill is called once with a function that checks the space for
// a size and gives the writer. The file appears, durably, only when it was found good;
// an existing one is left alone. progress may be nil; it is told how many bytes were
// read back.
func Save(name string, fill func(to func(size int64) (io.Writer, error)) error, progress func(int64)) (got *File, size int64, err error) {
	if _, err := os.Lstat(name); err == nil {
		return nil, 0, fmt.Errorf("writing backup: %w: %s", ErrExists, name)
	}
	dir := filepath.Dir(name)
	f, err := os.CreateTemp(dir, ".almenara-backup-*") // mode 0600
	if err != nil {
		return nil, 0, fmt.Errorf("writing backup: %w", err)
	}
	defer func() {
		err = errors.Join(err, f.Close())
		if err != nil {
			_ = os.Remove(f.Name())
		}
	}()
	err = fill(func(size int64) (io.Writer, error) { return f, room(dir, size) })
	if err == nil {
		err = f.Sync()
	}
	if err == nil {
		size, err = f.Seek(0, io.SeekEnd)
	}
	if err != nil {
		return nil, 0, fmt.Errorf("writing backup: %w", err)
	}
	if got, err = Open(f, size, progress); err != nil {
		return nil, 0, fmt.Errorf("reading the backup back: %w", err)
	}
	if err := os.Link(f.Name(), name); err != nil { // unlike a rename it never replaces
		return nil, 0, fmt.Errorf("naming backup: %w", err)
	}
	if err := os.Remove(f.Name()); err != nil {
		return nil, 0, fmt.Errorf("naming backup: %w", err)
	}
	return got, size, durable.SyncDir(dir)
}

// room returns ErrNoRoom when fewer than size bytes are free; a negative size is not
// known.
func room(dir string, size int64) error {
	free, _, err := durable.Space(dir)
	if err != nil {
		return fmt.Errorf("asking for free space of %s: %w", dir, err)
	}
	if size > 0 && free < uint64(size) {
		return fmt.Errorf("%w: %d bytes free in %s, %d needed", ErrNoRoom, free, dir, size)
	}
	return nil
}
