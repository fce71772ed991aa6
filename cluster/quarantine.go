package cluster

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"almenara/storage/durable"
)

// ErrQuarantined is the answer to whatever needs the district's agreement on a node
// that has met a newer incarnation of it, or has found that its disk does not hold what it
// wrote. Nothing happened, and nothing will until the node joins anew.
var ErrQuarantined = errors.New("this node takes no part in the district's agreement any more")

// quarantineFile stands beside the log of such a node.
const quarantineFile = "raft.quarantined"

// Quarantine is why a node takes no part in raft any more.
type Quarantine struct {
	By     *Incarnation // the newer incarnation; nil where the disk is damaged
	Peer   string       // server id of the node that told of it
	Addr   string       // where that node was dialled; empty where it came to us
	At     time.Time    // by this node's clock
	Reason string       // what is damaged; empty with By
}

// quarantineJSON is the file.
type quarantineJSON struct {
	Number    uint64    `json:"incarnation,omitempty"`
	Statement string    `json:"statement,omitempty"`
	Reason    string    `json:"reason,omitempty"`
	Peer      string    `json:"peer,omitempty"`
	Addr      string    `json:"address,omitempty"`
	At        time.Time `json:"at"`
}

// LoadQuarantine reads the mark in dir, an Options.Dir; nil where there is none.
func LoadQuarantine(dir string, d *District) (*Quarantine, error) {
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
		return &Quarantine{Reason: j.Reason, At: j.At}, nil
	}
	by, err := ParseIncarnation(j.Statement, d)
	if err == nil && by == nil {
		err = errors.New("it names no incarnation")
	}
	if err != nil {
		return nil, fmt.Errorf("reading quarantine: %w", err)
	}
	return &Quarantine{By: by, Peer: j.Peer, Addr: j.Addr, At: j.At}, nil
}

func (q *Quarantine) save(dir string) error {
	j := quarantineJSON{Reason: q.Reason, Peer: q.Peer, Addr: q.Addr, At: q.At}
	if q.By != nil {
		j.Number, j.Statement = q.By.Number, q.By.Text()
	}
	b, err := json.MarshalIndent(j, "", "  ")
	if err != nil {
		return fmt.Errorf("encoding quarantine: %w", err)
	}
	return durable.WriteFile(filepath.Join(dir, quarantineFile), append(b, '\n'))
}

// Quarantine is why this node takes no part in raft any more; nil while it does.
func (c *Cluster) Quarantine() *Quarantine { return c.quarantine.Load() }

// Quarantined is closed when this node has met a newer incarnation of its district,
// now or before Start. Raft has stopped for good then: Propose and reads that need
// agreement return ErrQuarantined. Calls between nodes of the old incarnation go on.
func (c *Cluster) Quarantined() <-chan struct{} { return c.quarantined }

// metIncarnation hears the statement of a node that is not of our incarnation.
func (c *Cluster) metIncarnation(peer string, theirs *Incarnation) {
	log := c.options.Logger.With("peer", peer)
	mine := c.identity.Load()
	if theirs != nil {
		if err := theirs.Verify(mine.District); err != nil {
			log.Warn("a node tells of an incarnation that this district never had", "error", err)
			return
		}
	}
	if mine.Incarnation.Compare(theirs) >= 0 {
		log.Debug("a node of an older incarnation was turned away", "number", theirs.Count())
		return
	}
	q := &Quarantine{By: theirs, Peer: peer, At: time.Now().UTC().Truncate(time.Second)}
	if c.begun.Load() {
		q.Addr, _ = c.resolve(peer)
	}
	c.beQuarantined(q)
}

// beQuarantined lets nothing more be agreed from here on. The mark is on this disk
// when it returns; raft ends in keepHouse, because this may be one of its goroutines.
func (c *Cluster) beQuarantined(q *Quarantine) {
	if !c.quarantine.CompareAndSwap(nil, q) {
		return
	}
	if q.By == nil {
		c.options.Logger.Error("this node is quarantined: its disk does not hold what it wrote", "reason", q.Reason)
	} else {
		c.options.Logger.Error("the district was recovered without this node: it agrees to nothing any more and must join anew",
			"incarnation", q.By.Number, "recovered_on", q.By.By, "at", q.By.Time())
	}
	if err := q.save(c.options.Dir); err != nil {
		c.options.Logger.Error("marking quarantine", "error", err) // met again at the next start
	}
	close(c.fenced)
}

// mayRaft says whether the holder of this certificate may speak raft with us.
func (c *Cluster) mayRaft(id string) bool { return c.quarantine.Load() == nil && c.allowed(id) }

// endForQuarantine ends raft, and waits for it.
func (c *Cluster) endForQuarantine() {
	c.port.conns.closeIf(protoRaft, func(string) bool { return true }) // raft's end waits for reads
	if err := c.shutdown(); err != nil {
		c.options.Logger.Error("ending raft", "error", err)
	}
	close(c.quarantined)
}
