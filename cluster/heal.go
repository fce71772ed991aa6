package cluster

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

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

// dropStaleLog deletes a log that ends before what the state machine holds, index
// held. A crash leaves such a log between the installation of a state and the removal
// of the entries before it, which raft does not repeat; a damaged tail leaves one too.
// Everything in it is in the state machine. Raft-wal would refuse the entry after
// held for ever, because it does not follow the log's last one.
func (c *Cluster) dropStaleLog(held uint64) error {
	first, err := c.store.FirstIndex()
	if err != nil {
		return fmt.Errorf("reading raft log: %w", err)
	}
	last, err := c.store.LastIndex()
	if err != nil {
		return fmt.Errorf("reading raft log: %w", err)
	}
	if last == 0 || last >= held {
		return nil
	}
	c.options.Logger.Error("dropping a raft log that ends before the state: a state was being installed, or the disk lost its end",
		"last", last, "state", held)
	if err := c.store.DeleteRange(first, last); err != nil {
		return fmt.Errorf("dropping stale raft log: %w", err)
	}
	return nil
}
