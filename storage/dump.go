package storage

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"

	"almenara/storage/dumpfile"
)

// Dump is a dump in a file of its own that has no name any more: it is gone when it
// is closed, or when the process ends.
type Dump struct {
	Applied Applied // what it contains, read in the same transaction as the records
	Size    int64   // bytes
	file    *os.File
}

// Read reads the dump.
func (d *Dump) Read(p []byte) (int, error) { return d.file.Read(p) }

// Close ends the dump and frees its space.
func (d *Dump) Close() error { return d.file.Close() }

// Dump writes a dump to a temporary file first, so that a slow reader does not keep
// the transaction open. All tables are verified before. One dump is written at a time: ErrBusy tells of another one,
// ErrNoSpace of too little space for it. The caller must Close it.
func (s *Store) Dump() (*Dump, error) {
	if !s.dumpMu.TryLock() {
		return nil, ErrBusy
	}
	defer s.dumpMu.Unlock()
	if err := s.CheckSpace(uint64(s.Size())); err != nil {
		return nil, fmt.Errorf("writing dump: %w", err)
	}
	if err := s.Verify(context.Background()); err != nil { // or a damaged block would be missing in it, unseen
		return nil, fmt.Errorf("writing dump: %w", err)
	}
	f, err := s.TempFile("dump")
	if err != nil {
		return nil, fmt.Errorf("writing dump: %w", err)
	}
	d := &Dump{file: f}
	if err := d.fill(s); err != nil {
		f.Close()
		return nil, fmt.Errorf("writing dump: %w", err)
	}
	return d, nil
}

// fill writes everything and rewinds.
func (d *Dump) fill(s *Store) error {
	err := s.View(func(t *Txn) (err error) {
		d.Applied, err = t.dump(d.file)
		return err
	})
	if err != nil {
		return err
	}
	if d.Size, err = d.file.Seek(0, io.SeekCurrent); err != nil {
		return err
	}
	_, err = d.file.Seek(0, io.SeekStart)
	return err
}

// Backup writes a dump to w and says what it contains.
func (s *Store) Backup(w io.Writer) (Applied, error) {
	d, err := s.Dump()
	if err != nil {
		return Applied{}, err
	}
	defer d.Close()
	if _, err := io.Copy(w, d); err != nil {
		return Applied{}, fmt.Errorf("writing backup: %w", err)
	}
	return d.Applied, nil
}

// TempFile is a file in the store's directory that has no name, so that a crash
// leaves nothing.
func (s *Store) TempFile(purpose string) (*os.File, error) {
	f, err := os.CreateTemp(s.dir, purpose+"-*"+tmpSuffix)
	if err != nil {
		return nil, err
	}
	if err := os.Remove(f.Name()); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// dump writes everything that t sees.
func (t *Txn) dump(to io.Writer) (Applied, error) {
	applied, err := AppliedRecord.Value(t)
	if err != nil {
		return applied, err
	}
	header, err := Canonical.Marshal(applied)
	if err != nil {
		return applied, err
	}
	return applied, dumpfile.Write(to, header, applied.Version >= 2, func(put func(key, value []byte)) error {
		return t.Scan(nil, nil, func(k, v []byte) (bool, error) {
			if !bytes.Equal(k, keyApplied) {
				put(k, v)
			}
			return true, nil
		})
	})
}
