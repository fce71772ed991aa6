package node

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"almenara/cluster"
	"almenara/storage/durable"
)

// begunFile stands beside the identity once the node has taken part under it.
const begunFile = "begun"

// Folders below the data folder.
const (
	stateDir   = "state"
	journalDir = "journal"
)

func (n *Node) raftDir() string { return raftDirOf(n.options.Dir) }

func raftDirOf(dir string) string { return filepath.Join(dir, "raft") }

// checkMemory refuses to start under an identity that has taken part and whose raft
// state is gone as a whole, its own mark with it: the node could vote twice, and the
// first node of a district would begin the district anew beside the others.
func (n *Node) checkMemory() error {
	_, err := os.Stat(n.begunPath())
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("looking for raft state: %w", err)
	}
	begun, err := cluster.Begun(n.raftDir())
	if err == nil && !begun {
		err = fmt.Errorf("starting %s: %w", n.ID(), cluster.ErrAmnesia)
	}
	return err
}

// remember puts the mark beside the identity as soon as there is one with the log.
func (n *Node) remember() error {
	if _, err := os.Stat(n.begunPath()); err == nil {
		return nil
	}
	begun, err := cluster.Begun(n.raftDir())
	if err != nil || !begun {
		return err
	}
	return durable.WriteFile(n.begunPath(), []byte(n.ID()+"\n"))
}

func (n *Node) begunPath() string { return filepath.Join(identityDir(n.options.Dir), begunFile) }
