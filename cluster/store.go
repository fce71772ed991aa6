package cluster

import (
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"runtime/debug"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/raft"
	boltstore "github.com/hashicorp/raft-boltdb/v2"
	wal "github.com/hashicorp/raft-wal"

	"almenara/storage/durable"
)

// LogStore keeps raft's log, term and vote. Every write is on this disk when it
// returns. raft-wal is what nodes run; raft-boltdb passes the same conformance
// suite and is the way out.
type LogStore interface {
	raft.LogStore
	raft.StableStore
	io.Closer
}

// walSegmentBytes is preallocated per segment; raft-wal's own 64 MiB is much on
// eMMC.
const walSegmentBytes = 8 << 20

// ErrLogDamaged is returned by OpenWAL for files that raft-wal and the bbolt below it
// cannot even look at.
var ErrLogDamaged = errors.New("raft log is damaged")

// OpenWAL opens raft-wal in dir, which it makes. Errors, a damaged tail apart, mean
// that the node must not start under its id again.
func OpenWAL(dir string, logger hclog.Logger) (store LogStore, err error) {
	if err := durable.MkdirAll(dir); err != nil {
		return nil, fmt.Errorf("opening raft log: %w", err)
	}
	// An empty file with the log's metadata ends in a nil pointer there, a shortened
	// one in a fault of the memory that it is mapped to.
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if p := recover(); p != nil {
			store, err = nil, fmt.Errorf("opening raft log: %w: %v", ErrLogDamaged, p)
		}
	}()
	w, err := wal.Open(dir, wal.WithSegmentSize(walSegmentBytes), wal.WithLogger(logger), wal.WithSegmentFiler(logFiles(dir)))
	if err != nil {
		return nil, fmt.Errorf("opening raft log: %w", err)
	}
	return sealedStore{w}, nil
}

// OpenBolt opens raft-boltdb in dir, which it makes.
func OpenBolt(dir string) (LogStore, error) {
	if err := durable.MkdirAll(dir); err != nil {
		return nil, fmt.Errorf("opening raft log: %w", err)
	}
	b, err := boltstore.NewBoltStore(filepath.Join(dir, "raft.db"))
	if err != nil {
		return nil, fmt.Errorf("opening raft log: %w", err)
	}
	return sealedStore{boltLog{b}}, nil
}

// boltLog gives boltdb raft-wal's manners where they differ: a key that was never
// set is nil or zero, not an error.
type boltLog struct{ *boltstore.BoltStore }

// Get implements raft.StableStore.
func (b boltLog) Get(key []byte) ([]byte, error) {
	v, err := b.BoltStore.Get(key)
	if errors.Is(err, boltstore.ErrKeyNotFound) {
		return nil, nil
	}
	return v, err
}

// GetUint64 implements raft.StableStore.
func (b boltLog) GetUint64(key []byte) (uint64, error) {
	v, err := b.BoltStore.GetUint64(key)
	if errors.Is(err, boltstore.ErrKeyNotFound) {
		return 0, nil
	}
	return v, err
}
