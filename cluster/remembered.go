package cluster

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/hashicorp/raft"

	"almenara/storage/durable"
)

// heldFile remembers what the peers told of their logs, so that a node that comes back
// with less is known also by peers that were started anew meanwhile. Its first line is
// the SHA-256 of the rest: a byte that rotted must not accuse anybody.
const heldFile = "peers.held"

// heldEvery is how often the file is written at most, and so how far it may be behind
// after a crash: it then knows a lost log, but not a disk put back by less than that.
const heldEvery = 10 * time.Second

// beginRun makes this run's claim, of what the log and the state hold before raft
// begins, and a certificate that says it. A quarantined node claims nothing.
func (c *Cluster) beginRun(held *raft.SnapshotMeta) error {
	if c.marked == nil {
		last, err := c.store.LastIndex()
		if err != nil {
			return fmt.Errorf("reading raft log: %w", err)
		}
		term, err := c.store.GetUint64(keyTerm)
		if err != nil {
			return fmt.Errorf("reading raft log: %w", err)
		}
		c.start = logStart{Run: NewID(), logPosition: logPosition{Index: max(last, held.Index), Term: term}}
	}
	return c.renew(time.Now())
}

// position is how far this node's log reaches now. Raft publishes each of the numbers
// after what it says is on this disk, and what is committed is never cut off.
func (c *Cluster) position() logPosition {
	return logPosition{Index: min(c.raft.CommitIndex(), c.raft.LastIndex()), Term: c.raft.CurrentTerm()}
}

// tell puts what this node says of itself, and of the peer, on a request or an answer.
func (c *Cluster) tell(id string, h http.Header) {
	h.Set(versionHeader, strconv.FormatUint(c.options.Version, 10))
	if c.start.Run != "" {
		h.Set(heldHeader, encodeHeader(logClaim{Start: c.start, Now: c.position()}))
	}
	if known := encodeHeader(c.logs.of(id)); known != "" {
		h.Set(knownHeader, known)
	}
}

// heard takes what a member says of itself.
func (c *Cluster) heard(id string, h http.Header) {
	c.peers.hear(id, headerVersion(h))
	if claim := decodeHeader[logClaim](h, heldHeader); claim.Start.Run != "" {
		c.logs.hear(id, claim)
	}
}

// recall takes what a peer remembers of this node. All of it was said by this node once,
// so it is believed from anybody, and only what is missing here by our own reckoning
// counts: with less than an earlier run told this one should not have begun, and less
// than itself told it has when the machine was put back while it ran.
func (c *Cluster) recall(peer string, h http.Header) {
	known := decodeHeader[logMarks](h, knownHeader)
	if c.start.Run == "" || known == (logMarks{}) || c.quarantine.Load() != nil {
		return
	}
	if told := known.but(c.start.Run); c.start.short(told) {
		c.QuarantineFor(c.start.lacks(told, "when this node started", peer))
		return
	}
	told := known.by(c.start.Run)
	if now := c.position(); now.short(told) { // read after it was told
		c.QuarantineFor(now.lacks(told, "now", peer))
	}
}

// lacks is the sentence for the operator.
func (p logPosition) lacks(told logPosition, when, peer string) string {
	had := fmt.Sprintf("the raft log ended at %d %s, and %s knows that it had %d", p.Index, when, peer, told.Index)
	if p.Index >= told.Index {
		had = fmt.Sprintf("raft was in term %d %s, and %s knows that it had been in term %d", p.Term, when, peer, told.Term)
	}
	return had + ": its disk lost what was agreed, or is an older copy"
}

// remembers says whether the node at the other end of a raft connection may be heard: it
// began with all that it is known to have had.
func (c *Cluster) remembers(conn *peerConn) bool {
	if conn.cert == nil {
		return true
	}
	id, err := nodeOf(conn.cert)
	return err == nil && !c.logs.refuse(id, certificateStart(conn.cert))
}

// loadHeld reads what an earlier run of this node knew of its peers. What cannot be read
// or does not verify counts as nothing known.
func (c *Cluster) loadHeld() {
	raw, err := os.ReadFile(filepath.Join(c.options.Dir, heldFile))
	if errors.Is(err, os.ErrNotExist) {
		return
	}
	var told map[string]logMarks
	if err == nil {
		told, err = decodeHeld(raw)
	}
	if err != nil {
		c.options.Logger.Error("what the peers told of their logs is forgotten: one that lost its log is known again when it has been heard", "error", err)
		return
	}
	c.logs.mu.Lock()
	defer c.logs.mu.Unlock()
	maps.Copy(c.logs.told, told)
}

// saveHeld writes it when it has changed. Only keepHouse calls it.
func (c *Cluster) saveHeld() {
	c.logs.mu.Lock()
	told, changed := maps.Clone(c.logs.told), c.logs.changed
	c.logs.changed = false
	c.logs.mu.Unlock()
	if !changed {
		return
	}
	raw, err := encodeHeld(told)
	if err == nil {
		err = durable.WriteFile(filepath.Join(c.options.Dir, heldFile), raw)
	}
	if err != nil { // a restart would know less; nothing else
		c.options.Logger.Warn("writing what the peers told of their logs", "error", err)
	}
	c.heldSaved = time.Now()
}

func encodeHeld(told map[string]logMarks) ([]byte, error) {
	b, err := json.Marshal(told)
	if err != nil {
		return nil, fmt.Errorf("encoding the peers' logs: %w", err)
	}
	sum := sha256.Sum256(b)
	return append([]byte(hex.EncodeToString(sum[:])+"\n"), b...), nil
}

var errHeldFile = errors.New("its checksum is wrong")

func decodeHeld(raw []byte) (map[string]logMarks, error) {
	head, b, _ := bytes.Cut(raw, []byte("\n"))
	sum := sha256.Sum256(b)
	if string(head) != hex.EncodeToString(sum[:]) {
		return nil, fmt.Errorf("reading %s: %w", heldFile, errHeldFile)
	}
	var told map[string]logMarks
	if err := json.Unmarshal(b, &told); err != nil {
		return nil, fmt.Errorf("reading %s: %w", heldFile, err)
	}
	return told, nil
}
