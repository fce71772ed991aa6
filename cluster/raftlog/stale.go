package raftlog

import (
	"fmt"
	"log/slog"
)

// DropStale deletes a log that ends before what the state machine holds, index
// held. A crash leaves such a log between the installation of a state and the removal
// of the entries before it, which raft does not repeat; a damaged tail leaves one too.
// Everything in it is in the state machine. Raft-wal would refuse the entry after
// held for ever, because it does not follow the log's last one.
func DropStale(store Store, held uint64, logger *slog.Logger) error {
	first, err := store.FirstIndex()
	if err != nil {
		return fmt.Errorf("reading raft log: %w", err)
	}
	last, err := store.LastIndex()
	if err != nil {
		return fmt.Errorf("reading raft log: %w", err)
	}
	if last == 0 || last >= held {
		return nil
	}
	logger.Error("dropping a raft log that ends before the state: a state was being installed, or the disk lost its end",
		"last", last, "state", held)
	if err := store.DeleteRange(first, last); err != nil {
		return fmt.Errorf("dropping stale raft log: %w", err)
	}
	return nil
}
