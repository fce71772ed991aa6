package journal

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"almenara/storage/durable"
)

// File is what the journal needs of a file. Its methods are called from several
// goroutines; Sync returns when what was written before it survives a power cut.
type File interface {
	io.ReaderAt
	io.WriterAt
	io.Closer
	Sync() error
}

// openFile opens path for the ring, with all its space taken, so that an emergency
// can be recorded on a full disk. A new file is on this disk when it returns.
func openFile(path string, size int64) (File, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("opening segment: %w", err)
	}
	info, err := f.Stat()
	if err == nil && info.Size() < size {
		if err = durable.Reserve(f, size); err == nil {
			err = errors.Join(f.Sync(), durable.SyncDir(filepath.Dir(path)))
		}
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("allocating %s: %w", path, err), f.Close())
	}
	return f, nil
}
