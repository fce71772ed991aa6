package memory

import (
	"bytes"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"github.com/hashicorp/raft"

	"almenara/cluster/identity"
	"almenara/storage/durable"
)

// heldFile remembers what the peers told of their logs, so that a node that comes back
// with less is known also by peers that were started anew meanwhile. Its first line is
// the SHA-256 of the rest: a byte that rotted must not accuse anybody.
const heldFile = "peers.held"

// heldEvery is how often the file is written at most, and so how far it may be behind
// after a crash: it then knows a lost log, but not a disk put back by less than that.
const heldEvery = 10 * time.Second

// Memory is what a node remembers of its peers' logs, and what it claims of its own. Safe
// for concurrent use, but for Save.
type Memory struct {
	dir   string
	log   *slog.Logger
	book  book
	own   start           // what this run claims; empty for nothing
	now   func() Position // how far this node's log reaches
	saved time.Time       // last; Save's own
}

// Open reads what an earlier run of this node in the data directory dir knew of its peers.
// What cannot be read or does not verify counts as nothing known.
func Open(dir string, log *slog.Logger) *Memory {
	m := &Memory{dir: dir, log: log}
	m.book.init()
	raw, err := os.ReadFile(filepath.Join(dir, heldFile))
	if errors.Is(err, os.ErrNotExist) {
		return m
	}
	var told map[string]marks
	if err == nil {
		told, err = decodeHeld(raw)
	}
	if err != nil {
		log.Error("what the peers told of their logs is forgotten: one that lost its log is known again when it has been heard", "error", err)
		return m
	}
	maps.Copy(m.book.told, told)
	return m
}

// Begin makes this run's claim: began is what the log and the state hold before raft begins,
// now how far the log reaches from then on. Of the latter each number must be durable here
// before it is told, and what is committed is never cut off. Call it before anybody is
// spoken to; without it, on a quarantined node, nothing is claimed.
func (m *Memory) Begin(began Position, now func() Position) {
	m.own, m.now = start{Run: identity.NewID(), Position: began}, now
}

// Claim is what this node's certificate says of the run; nil where nothing is claimed.
func (m *Memory) Claim() *url.URL { return m.own.uri() }

// Tell puts what this node says of its log, and of that of the peer, on a request or an
// answer.
func (m *Memory) Tell(id string, h http.Header) {
	if m.own.Run != "" {
		h.Set(heldHeader, encodeHeader(claim{Start: m.own, Now: m.now()}))
	}
	if known := encodeHeader(m.book.of(id)); known != "" {
		h.Set(knownHeader, known)
	}
}

// Hear takes what a member says of its log.
func (m *Memory) Hear(id string, h http.Header) {
	if said := decodeHeader[claim](h, heldHeader); said.Start.Run != "" {
		m.book.hear(id, said)
	}
}

// Missing takes what a peer remembers of this node, and returns in a sentence what is
// missing here; "" for nothing. All of it was said by this node once, so it is believed
// from anybody, and only what is missing by our own reckoning counts: with less than an
// earlier run told this one should not have begun, and less than itself told it has when
// the machine was put back while it ran.
func (m *Memory) Missing(peer string, h http.Header) string {
	known := decodeHeader[marks](h, knownHeader)
	if m.own.Run == "" || known == (marks{}) {
		return ""
	}
	if told := known.but(m.own.Run); m.own.short(told) {
		return m.own.lacks(told, "when this node started", peer)
	}
	told := known.by(m.own.Run)
	if now := m.now(); now.short(told) { // read after it was told
		return now.lacks(told, "now", peer)
	}
	return ""
}

// lacks is the sentence for the operator.
func (p Position) lacks(told Position, when, peer string) string {
	had := fmt.Sprintf("the raft log ended at %d %s, and %s knows that it had %d", p.Index, when, peer, told.Index)
	if p.Index >= told.Index {
		had = fmt.Sprintf("raft was in term %d %s, and %s knows that it had been in term %d", p.Term, when, peer, told.Term)
	}
	return had + ": its disk lost what was agreed, or is an older copy"
}

// Admits says whether the node with the certificate may be heard by raft: it began with
// all that it is known to have had. Nil is a peer without one.
func (m *Memory) Admits(cert *x509.Certificate) bool {
	if cert == nil {
		return true
	}
	id, err := identity.NodeOf(cert)
	return err == nil && !m.book.refuse(id, certificateStart(cert))
}

// Lost says that the peer, as it was heard last, is refused.
func (m *Memory) Lost(id string) bool { return m.book.behind(id) }

// Held is the highest raft index that the peer said it holds; 0 when it never did.
func (m *Memory) Held(id string) uint64 { return m.book.of(id).Index.At }

// Knows reports whether anything was ever told of the peer's log.
func (m *Memory) Knows(id string) bool { return m.book.of(id) != (marks{}) }

// Keep forgets who is no member. An empty configuration says nothing.
func (m *Memory) Keep(servers []raft.Server) { m.book.keep(servers) }

// Save writes what was told when it has changed, and every 10 s at most unless at once is
// asked for. Only one goroutine may call it.
func (m *Memory) Save(atOnce bool) {
	if !atOnce && time.Since(m.saved) < heldEvery {
		return
	}
	m.book.mu.Lock()
	told, changed := maps.Clone(m.book.told), m.book.changed
	m.book.changed = false
	m.book.mu.Unlock()
	if !changed {
		return
	}
	raw, err := encodeHeld(told)
	if err == nil {
		err = durable.WriteFile(filepath.Join(m.dir, heldFile), raw)
	}
	if err != nil { // a restart would know less; nothing else
		m.log.Warn("writing what the peers told of their logs", "error", err)
	}
	m.saved = time.Now()
}

func encodeHeld(told map[string]marks) ([]byte, error) {
	b, err := json.Marshal(told)
	if err != nil {
		return nil, fmt.Errorf("encoding the peers' logs: %w", err)
	}
	sum := sha256.Sum256(b)
	return append([]byte(hex.EncodeToString(sum[:])+"\n"), b...), nil
}

var errHeldFile = errors.New("its checksum is wrong")

func decodeHeld(raw []byte) (map[string]marks, error) {
	head, b, _ := bytes.Cut(raw, []byte("\n"))
	sum := sha256.Sum256(b)
	if string(head) != hex.EncodeToString(sum[:]) {
		return nil, fmt.Errorf("reading %s: %w", heldFile, errHeldFile)
	}
	var told map[string]marks
	if err := json.Unmarshal(b, &told); err != nil {
		return nil, fmt.Errorf("reading %s: %w", heldFile, err)
	}
	return told, nil
}
