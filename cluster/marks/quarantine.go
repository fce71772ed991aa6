package marks

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"almenara/cluster/identity"
	"almenara/storage/durable"
)

// quarantineFile stands beside the log of such a node.
const quarantineFile = "raft.quarantined"

// Cause is what quarantined a node.
type Cause string

// The causes. Marks of software of before them have none.
const (
	CauseIncarnation Cause = "incarnation" // it met a newer incarnation
	CauseState       Cause = "state"       // the agreed state on its disk is damaged
	CauseJournal     Cause = "journal"     // its journal is
	CauseLog         Cause = "log"         // its raft log is
	CauseMemory      Cause = "memory"      // its peers know that it had more than it has
)

// Quarantine is why a node takes no part in raft any more.
type Quarantine struct {
	Cause  Cause
	By     *identity.Incarnation // the newer incarnation; nil where the disk is damaged
	Peer   string                // server id of the node that told of it
	Addr   string                // where that node was dialled; empty where it came to us
	At     time.Time             // by this node's clock
	Reason string                // what is damaged; empty with By
}

// quarantineJSON is the file.
type quarantineJSON struct {
	Cause     Cause     `json:"cause,omitempty"`
	Number    uint64    `json:"incarnation,omitempty"`
	Statement string    `json:"statement,omitempty"`
	Reason    string    `json:"reason,omitempty"`
	Peer      string    `json:"peer,omitempty"`
	Addr      string    `json:"address,omitempty"`
	At        time.Time `json:"at"`
}

// LoadQuarantine reads the mark in dir, an Options.Dir; nil where there is none.
func LoadQuarantine(dir string, d *identity.District) (*Quarantine, error) {
	b, err := os.ReadFile(filepath.Join(dir, quarantineFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading quarantine: %w", err)
	}
	var j quarantineJSON
	if err := json.Unmarshal(b, &j); err != nil {
		return nil, fmt.Errorf("reading quarantine: %w", err)
	}
	if j.Statement == "" && j.Reason != "" {
		return &Quarantine{Cause: j.Cause, Reason: j.Reason, At: j.At}, nil
	}
	by, err := identity.ParseIncarnation(j.Statement, d)
	if err == nil && by == nil {
		err = errors.New("it names no incarnation")
	}
	if err != nil {
		return nil, fmt.Errorf("reading quarantine: %w", err)
	}
	return &Quarantine{Cause: CauseIncarnation, By: by, Peer: j.Peer, Addr: j.Addr, At: j.At}, nil
}

func (q *Quarantine) Save(dir string) error {
	j := quarantineJSON{Cause: q.Cause, Reason: q.Reason, Peer: q.Peer, Addr: q.Addr, At: q.At}
	if q.By != nil {
		j.Number, j.Statement = q.By.Number, q.By.Text()
	}
	b, err := json.MarshalIndent(j, "", "  ")
	if err != nil {
		return fmt.Errorf("encoding quarantine: %w", err)
	}
	return durable.WriteFile(filepath.Join(dir, quarantineFile), append(b, '\n'))
}

// MarkQuarantined leaves the mark of QuarantineFor in dir, an Options.Dir, for a node
// that is not running. A mark that is there stays.
func MarkQuarantined(dir string, cause Cause, reason string, d *identity.District, now time.Time) error {
	if q, err := LoadQuarantine(dir, d); err != nil || q != nil {
		return err
	}
	return (&Quarantine{Cause: cause, Reason: reason, At: now.UTC().Truncate(time.Second)}).Save(dir)
}
