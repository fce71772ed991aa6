package folder

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"almenara/cluster/marks"
	"almenara/storage/durable"
)

// begunFile stands beside the identity once the node has taken part under it.
const begunFile = "begun"

// Folders below the data folder.
const (
	stateDir   = "state"
	journalDir = "journal"
)

// StateDir is where the agreed state lies in a data folder.
func StateDir(dir string) string { return filepath.Join(dir, stateDir) }

// JournalDir is where the facts lie.
func JournalDir(dir string) string { return filepath.Join(dir, journalDir) }

// OriginalsDir is where messages lie that are too large for their facts.
func OriginalsDir(dir string) string { return filepath.Join(dir, "originals") }

// RaftDir is where the raft log lies.
func RaftDir(dir string) string { return filepath.Join(dir, "raft") }

// IdentityDir is where the keys and certificates lie.
func IdentityDir(dir string) string { return filepath.Join(dir, "identity") }

// CheckBegun refuses to start node under an identity that has taken part and whose raft
// state is gone as a whole, its own mark with it: the node could vote twice, and the
// first node of a district would begin the district anew beside the others.
func CheckBegun(dir, node string) error {
	_, err := os.Stat(begunPath(dir))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("looking for raft state: %w", err)
	}
	begun, err := marks.Begun(RaftDir(dir))
	if err == nil && !begun {
		err = fmt.Errorf("starting %s: %w", node, marks.ErrAmnesia)
	}
	return err
}

// MarkBegun puts the mark beside the identity as soon as there is one with the log.
func MarkBegun(dir, node string) error {
	if _, err := os.Stat(begunPath(dir)); err == nil {
		return nil
	}
	begun, err := marks.Begun(RaftDir(dir))
	if err != nil || !begun {
		return err
	}
	return durable.WriteFile(begunPath(dir), []byte(node+"\n"))
}

func begunPath(dir string) string { return filepath.Join(IdentityDir(dir), begunFile) }
