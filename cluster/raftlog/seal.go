package raftlog

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"slices"

	"github.com/hashicorp/raft"
	wal "github.com/hashicorp/raft-wal"
)

// Raft-wal does not look at a checksum when it reads an entry: a byte
// that has rotted would be applied here and not elsewhere. So every entry carries one of
// its own, behind its extensions, which nothing here uses otherwise.
const (
	sealBytes = 5
	sealMark  = 0xA5 // the last byte of a sealed entry
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// sealedStore adds a checksum to every entry that it writes and checks it on reading.
// Entries without one, of older software, are taken as they are.
type sealedStore struct{ Store }

// IsMonotonic tells raft about gaps, as the store itself would.
func (s sealedStore) IsMonotonic() bool {
	m, ok := s.Store.(raft.MonotonicLogStore)
	return ok && m.IsMonotonic()
}

// StoreLog implements raft.LogStore.
func (s sealedStore) StoreLog(l *raft.Log) error { return s.StoreLogs([]*raft.Log{l}) }

// StoreLogs implements raft.LogStore. The entries given stay as they are.
func (s sealedStore) StoreLogs(logs []*raft.Log) error {
	sealed := make([]*raft.Log, len(logs))
	for i, l := range logs {
		c := *l
		c.Extensions = append(binary.LittleEndian.AppendUint32(slices.Clone(l.Extensions), sealSum(l)), sealMark)
		sealed[i] = &c
	}
	return s.Store.StoreLogs(sealed)
}

// GetLog implements raft.LogStore. ErrDamaged says that what is on disk is not what
// was written, or cannot be read.
func (s sealedStore) GetLog(index uint64, l *raft.Log) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("reading entry %d: %w: %v", index, ErrDamaged, p)
		}
	}()
	err = s.Store.GetLog(index, l)
	switch {
	case errors.Is(err, raft.ErrLogNotFound), errors.Is(err, wal.ErrClosed), errors.Is(err, io.ErrClosedPipe):
		return err
	case err != nil:
		return fmt.Errorf("reading entry %d: %w: %w", index, ErrDamaged, err)
	case l.Index != index:
		return fmt.Errorf("reading entry %d: %w: it says that it is %d", index, ErrDamaged, l.Index)
	}
	return unseal(l)
}

func unseal(l *raft.Log) error {
	n := len(l.Extensions) - sealBytes
	if n < 0 || l.Extensions[n+sealBytes-1] != sealMark {
		if len(l.Extensions) == 0 {
			return nil
		}
		return fmt.Errorf("reading entry %d: %w: its seal is broken", l.Index, ErrDamaged)
	}
	want := binary.LittleEndian.Uint32(l.Extensions[n:])
	if l.Extensions = l.Extensions[:n:n]; n == 0 {
		l.Extensions = nil
	}
	if sealSum(l) != want {
		return fmt.Errorf("reading entry %d: %w: its checksum is wrong", l.Index, ErrDamaged)
	}
	return nil
}

func sealSum(l *raft.Log) uint32 {
	var b [17]byte
	binary.LittleEndian.PutUint64(b[:], l.Index)
	binary.LittleEndian.PutUint64(b[8:], l.Term)
	b[16] = byte(l.Type)
	sum := crc32.Checksum(b[:], castagnoli)
	return crc32.Update(crc32.Update(sum, castagnoli, l.Data), castagnoli, l.Extensions)
}

// Check reads every entry of the log.
func Check(ctx context.Context, s raft.LogStore) error {
	first, err := s.FirstIndex()
	if err != nil {
		return fmt.Errorf("reading raft log: %w: %w", ErrDamaged, err)
	}
	last, err := s.LastIndex()
	if err != nil {
		return fmt.Errorf("reading raft log: %w: %w", ErrDamaged, err)
	}
	if last == 0 {
		return nil
	}
	for i := first; i <= last; i++ {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		var l raft.Log
		if err := s.GetLog(i, &l); err != nil && !errors.Is(err, raft.ErrLogNotFound) { // truncated meanwhile
			return err
		}
	}
	return nil
}
