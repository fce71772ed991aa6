package fact

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// file is what the journal needs of a file; tests put one in its place that loses
// what was not synced.
type file interface {
	io.ReaderAt
	io.WriterAt
	io.Closer
	Sync() error
}

// openFile opens path for the ring, with all its space taken, so that an emergency
// can be recorded on a full disk. A new file is on this disk when it returns.
func openFile(path string, size int64) (file, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("opening segment: %w", err)
	}
	info, err := f.Stat()
	if err == nil && info.Size() < size {
		if err = preallocate(f, size); err == nil {
			err = errors.Join(f.Sync(), syncDir(filepath.Dir(path)))
		}
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("allocating %s: %w", path, err), f.Close())
	}
	return f, nil
}

// fill writes zeros from the file's end to size: the portable way to take space.
func fill(f *os.File, size int64) error {
	info, err := f.Stat()
	if err != nil {
		return err
	}
	zeros := make([]byte, 64<<10)
	for at := info.Size(); at < size; {
		n, err := f.WriteAt(zeros[:min(int64(len(zeros)), size-at)], at)
		if err != nil {
			return err
		}
		at += int64(n)
	}
	return nil
}

// writeFile replaces path with a small file. On return it is on this disk; a crash
// before that leaves the old one.
func writeFile(path string, b []byte) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return fmt.Errorf("creating %s: %w", path, err)
	}
	defer func() {
		if err != nil {
			_ = os.Remove(f.Name())
		}
	}()
	_, err = f.Write(b)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("writing %s: %w", path, err)
	}
	if err = os.Rename(f.Name(), path); err != nil {
		return fmt.Errorf("replacing %s: %w", path, err)
	}
	return syncDir(filepath.Dir(path))
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return fmt.Errorf("opening %s: %w", dir, err)
	}
	if err := errors.Join(d.Sync(), d.Close()); err != nil {
		return fmt.Errorf("syncing %s: %w", dir, err)
	}
	return nil
}
