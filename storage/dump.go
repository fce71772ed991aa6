package storage

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"os"

	"github.com/klauspost/compress/zstd"
)

// A dump is the whole database at one raft index, for a node that is too far behind
// and for backups:
//
//	magic            8 bytes, "ALMDUMP" and the format's number: 1, or 2 where entries
//	                 of version 2 or above were applied, so that the software before
//	                 those versions refuses it
//	header length    4 bytes, big-endian
//	header           Applied, canonical CBOR
//	body             zstd: frames {key length, value length (uvarint), key, value}
//	                 in strictly ascending key order; two zero bytes; the number of
//	                 frames (uvarint)
//	CRC              4 bytes, big-endian, CRC-32C over everything before
const (
	dumpMagic     = "ALMDUMP\x01"
	dumpMagic2    = "ALMDUMP\x02"
	maxDumpHeader = 64 << 10
	maxDumpKey    = 1 << 10
	maxDumpValue  = 1 << 20
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

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
	sum := crc32.New(castagnoli)
	w := io.MultiWriter(to, sum)
	if err := writeDumpHeader(w, applied); err != nil {
		return applied, err
	}
	z, err := zstd.NewWriter(w, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1))
	if err != nil {
		return applied, err
	}
	if err := t.dumpFrames(z); err != nil {
		z.Close()
		return applied, err
	}
	if err := z.Close(); err != nil {
		return applied, err
	}
	_, err = to.Write(binary.BigEndian.AppendUint32(nil, sum.Sum32()))
	return applied, err
}

func writeDumpHeader(w io.Writer, applied Applied) error {
	header, err := Canonical.Marshal(applied)
	if err != nil {
		return err
	}
	magic := dumpMagic
	if applied.Version >= 2 {
		magic = dumpMagic2
	}
	b := binary.BigEndian.AppendUint32([]byte(magic), uint32(len(header)))
	_, err = w.Write(append(b, header...))
	return err
}

func (t *Txn) dumpFrames(to io.Writer) error {
	w := bufio.NewWriterSize(to, 64<<10)
	var n uint64
	err := t.Scan(nil, nil, func(k, v []byte) (bool, error) {
		if bytes.Equal(k, keyApplied) {
			return true, nil
		}
		n++
		writeFrame(w, k, v)
		return true, nil
	})
	if err != nil {
		return err
	}
	w.Write([]byte{0, 0})
	w.Write(binary.AppendUvarint(nil, n))
	return w.Flush()
}
