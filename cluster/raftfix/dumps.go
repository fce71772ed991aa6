package raftfix

import (
	"errors"
	"fmt"

	"github.com/hashicorp/raft"
)

// errOldDump refuses a dump of the state that ends before what is agreed here.
var errOldDump = errors.New("the dump is older than the log")

// receivedDumps refuses dumps that end before what this node's log holds and is agreed.
// Raft does not look: it would install one and delete the whole log, with entries that
// this node acknowledged. A leader sends one to a follower that refused its entries for
// long, a full disk say; its next dump is newer. Delete it when raft compares an offered
// dump with its own last index.
type receivedDumps struct {
	raft.SnapshotStore
	held func() uint64 // index
}

// NewReceivedDumps wraps a store; held says up to where the log here is agreed and durable.
func NewReceivedDumps(store raft.SnapshotStore, held func() uint64) raft.SnapshotStore {
	return receivedDumps{store, held}
}

// Create implements raft.SnapshotStore. Own snapshots end at what is applied and have no
// bytes here; only received ones are written to.
func (d receivedDumps) Create(version raft.SnapshotVersion, index, term uint64, conf raft.Configuration, confIndex uint64, trans raft.Transport) (raft.SnapshotSink, error) {
	sink, err := d.SnapshotStore.Create(version, index, term, conf, confIndex, trans)
	if err != nil {
		return nil, err
	}
	return receivedDump{SnapshotSink: sink, index: index, held: d.held}, nil
}

type receivedDump struct {
	raft.SnapshotSink
	index uint64
	held  func() uint64
}

// Write implements io.Writer.
func (d receivedDump) Write(p []byte) (int, error) {
	if held := d.held(); d.index < held {
		return 0, fmt.Errorf("receiving the state: %w: it ends at %d, the log holds %d", errOldDump, d.index, held)
	}
	return d.SnapshotSink.Write(p)
}
