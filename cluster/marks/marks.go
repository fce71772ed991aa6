package marks

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/hashicorp/raft"

	"almenara/cluster/raftlog"
	"almenara/storage/durable"
)

// ErrAmnesia is returned by Start when the raft log or the state machine is gone
// although this node has had one under its id. It must be wiped whole and join
// again as a new node: under its old id it could vote twice, or lead without
// committed entries.
var ErrAmnesia = errors.New("raft state is lost: this node must not return under its old id")

// The marks beside the log, which say what the log itself cannot.
const (
	markerFile  = "raft.begun"   // this id has voted or has a log
	removedFile = "raft.removed" // this id is no member any more
)

// MarkBegun records beside the log in dir that this id has one.
func MarkBegun(dir, nodeID string) error {
	path := filepath.Join(dir, markerFile)
	if _, err := os.Stat(path); err == nil {
		return nil
	}
	return durable.WriteFile(path, []byte(nodeID+"\n"))
}

// HeldBy is what the state machine has; its index is 0 for nothing.
func HeldBy(snapshots raft.SnapshotStore) (*raft.SnapshotMeta, error) {
	metas, err := snapshots.List()
	if err != nil {
		return nil, fmt.Errorf("reading state machine's index: %w", err)
	}
	if len(metas) == 0 {
		return &raft.SnapshotMeta{}, nil
	}
	return metas[0], nil
}

// CheckLog holds the log against the state machine and the mark beside it, and returns
// what the state machine has. ErrAmnesia when that or the log is less than this id has had.
func CheckLog(dir string, snapshots raft.SnapshotStore, store raftlog.Store) (*raft.SnapshotMeta, error) {
	held, err := HeldBy(snapshots)
	if err != nil {
		return nil, err
	}
	term, err := store.GetUint64(raftlog.KeyTerm) // raft writes it before anything else
	if err != nil {
		return nil, fmt.Errorf("reading raft log: %w", err)
	}
	first, err := store.FirstIndex()
	if err != nil {
		return nil, fmt.Errorf("reading raft log: %w", err)
	}
	_, marker := os.Stat(filepath.Join(dir, markerFile))
	switch {
	case term == 0 && marker == nil:
		return nil, fmt.Errorf("%w: it has taken part in the district, and its log is empty", ErrAmnesia)
	case term == 0 && held.Index > 0:
		return nil, fmt.Errorf("%w: it has the state up to entry %d, and its log is empty", ErrAmnesia, held.Index)
	case first > held.Index+1:
		return nil, fmt.Errorf("%w: its log begins at entry %d, and it has the state up to %d", ErrAmnesia, first, held.Index)
	}
	return held, nil
}

// WasRemoved reports whether the node of dir learnt that it is no member any more.
func WasRemoved(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, removedFile))
	return err == nil
}

// Begun reports whether dir, an Options.Dir, is of a node that has taken part in the
// district: it has voted or has a log.
func Begun(dir string) (bool, error) {
	_, err := os.Stat(filepath.Join(dir, markerFile))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("looking for raft state: %w", err)
	}
	return true, nil
}

// BegunBy is the server id under which dir, an Options.Dir, has taken part; "" for none.
func BegunBy(dir string) string {
	b, err := os.ReadFile(filepath.Join(dir, markerFile))
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(b))
}

// MarkRemoved records that the node of dir is no member any more.
func MarkRemoved(dir, nodeID string) error {
	return durable.WriteFile(filepath.Join(dir, removedFile), []byte(nodeID+"\n"))
}

// Clear takes away the marks of a node that does not agree or belong any more: it begins
// the district anew.
func Clear(dir string) error {
	for _, mark := range []string{quarantineFile, removedFile} {
		if err := os.Remove(filepath.Join(dir, mark)); err != nil && !errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("removing an old mark: %w", err)
		}
	}
	return nil
}
