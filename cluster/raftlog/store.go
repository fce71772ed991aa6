package raftlog

import (
	"errors"
	"fmt"
	"io"
	"runtime/debug"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/raft"
	wal "github.com/hashicorp/raft-wal"
	"github.com/hashicorp/raft-wal/types"

	"almenara/storage/durable"
)

// Store keeps raft's log, term and vote. Every write is on this disk when it
// returns. Nodes run raft-wal; whatever passes clustertest.RunLogStore may take its place.
type Store interface {
	raft.LogStore
	raft.StableStore
	io.Closer
}

// walSegmentBytes is preallocated per segment; raft-wal's own 64 MiB is much on
// eMMC.
const walSegmentBytes = 8 << 20

// Dir is the folder of the log in a node's data directory.
const Dir = "raft"

// KeyTerm is where raft keeps its term in the stable store.
var KeyTerm = []byte("CurrentTerm")

// ErrDamaged is returned by OpenWAL for files that raft-wal and the bbolt below it
// cannot even look at.
var ErrDamaged = errors.New("raft log is damaged")

// OpenWAL opens raft-wal in dir, which it makes. Errors, a damaged tail apart, mean
// that the node must not start under its id again.
func OpenWAL(dir string, logger hclog.Logger) (store Store, err error) {
	if err := durable.MkdirAll(dir); err != nil {
		return nil, fmt.Errorf("opening raft log: %w", err)
	}
	// An empty file with the log's metadata ends in a nil pointer there, a shortened
	// one in a fault of the memory that it is mapped to.
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if p := recover(); p != nil {
			store, err = nil, fmt.Errorf("opening raft log: %w: %v", ErrDamaged, p)
		}
	}()
	w, err := wal.Open(dir, wal.WithSegmentSize(walSegmentBytes), wal.WithLogger(logger), wal.WithSegmentFiler(logFiles(dir)))
	if err != nil {
		return nil, fmt.Errorf("opening raft log: %w", err)
	}
	return sealedStore{w}, nil
}

// emptyLog is in memory, and stands in for a log that cannot be used.
type emptyLog struct{ *raft.InmemStore }

// Close implements io.Closer.
func (emptyLog) Close() error { return nil }

// NewEmpty is a log without entries, in memory.
func NewEmpty() Store { return emptyLog{raft.NewInmemStore()} }

// Damaged reports whether an error says that the files do not hold what was written.
func Damaged(err error) bool {
	return errors.Is(err, ErrDamaged) || errors.Is(err, types.ErrCorrupt)
}
