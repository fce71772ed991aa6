package cluster

import (
	"crypto/x509"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"

	"github.com/hashicorp/raft"
)

// A node that lost its raft log, or whose disk was put back to an earlier moment, cannot
// always know it. So every node tells the others how far its log reaches, they remember
// it, and whoever comes back with less is not heard by raft. DESIGN.md, "What the peers
// remember", proves that a healthy node is never refused.
const (
	// heldHeader carries, on every request and answer between nodes, a logClaim.
	heldHeader = "Almenara-Log-Held"
	// knownHeader carries what the sender remembers of the one it speaks to: logMarks.
	knownHeader = "Almenara-Log-Known"
	// logHost is the host of the certificate's URI with a logStart.
	logHost = "log"
)

// logPosition is how far a raft log reaches. Its two numbers never go down on a disk
// that keeps what it acknowledged, each by itself; zero says nothing.
type logPosition struct {
	Index uint64 `json:"index,omitempty"` // of an entry that is durable here and committed
	Term  uint64 `json:"term,omitempty"`  // of raft's, durable
}

// short says that p lacks something of what q says.
func (p logPosition) short(q logPosition) bool { return p.Index < q.Index || p.Term < q.Term }

// logStart is with what a run of a node, from Start to Stop, began. It is never less
// than what earlier runs told, because that was durable and committed when it was told.
type logStart struct {
	Run string `json:"run"` // random; empty where nothing is claimed
	logPosition
}

// logClaim is what a node says of its own log.
type logClaim struct {
	Start logStart    `json:"start"`
	Now   logPosition `json:"now"`
}

// logMark is the highest number that any run of a node told, and the run that did.
type logMark struct {
	Run string `json:"run,omitempty"`
	At  uint64 `json:"at,omitempty"`
}

// tell notes a number. It does not matter in which order runs are heard: words of one that
// has ended may come late.
func (m *logMark) tell(run string, at uint64) {
	if at > m.At {
		*m = logMark{run, at}
	}
}

// by is the mark where the run told it, else 0; but is it where another one did.
func (m logMark) by(run string) uint64 {
	if m.Run == run {
		return m.At
	}
	return 0
}

func (m logMark) but(run string) uint64 { return m.At - m.by(run) }

// logMarks is what was told of one node's log.
type logMarks struct {
	Index logMark `json:"index"`
	Term  logMark `json:"term"`
}

func (m *logMarks) tell(c logClaim) {
	m.Index.tell(c.Start.Run, c.Now.Index)
	m.Term.tell(c.Start.Run, c.Now.Term)
}

func (m logMarks) by(run string) logPosition {
	return logPosition{Index: m.Index.by(run), Term: m.Term.by(run)}
}

func (m logMarks) but(run string) logPosition {
	return logPosition{Index: m.Index.but(run), Term: m.Term.but(run)}
}

// heldBook is what this node remembers of its peers' logs.
type heldBook struct {
	mu      sync.Mutex
	told    map[string]logMarks // by server id
	latest  map[string]logStart // the run heard last of each
	changed bool                // told, since it was last written
}

func (b *heldBook) init() { b.told, b.latest = map[string]logMarks{}, map[string]logStart{} }

// hear notes what a peer says of its log. What a run says that began with less than
// others had counts for nothing: it may be a copy of the node that goes on by itself, and
// must not accuse the one that is whole.
func (b *heldBook) hear(id string, c logClaim) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.latest[id] = c.Start
	marks := b.told[id]
	if b.lostLocked(id, c.Start) {
		return
	}
	if marks.tell(c); marks != b.told[id] {
		b.told[id], b.changed = marks, true
	}
}

// lost says that a run of the peer began with less than its earlier runs told. Whoever
// claims nothing, which is older software or a quarantined node, is judged by nothing.
func (b *heldBook) lost(id string, s logStart) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.lostLocked(id, s)
}

func (b *heldBook) lostLocked(id string, s logStart) bool {
	return s.Run != "" && s.short(b.told[id].but(s.Run))
}

// refuse is lost for a connection, and makes its run the one heard last.
func (b *heldBook) refuse(id string, s logStart) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.lostLocked(id, s) {
		return false
	}
	b.latest[id] = s
	return true
}

// behind says that the peer, as it was heard last, is refused.
func (b *heldBook) behind(id string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.lostLocked(id, b.latest[id])
}

func (b *heldBook) of(id string) logMarks {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.told[id]
}

// keep forgets who is no member. An empty configuration says nothing.
func (b *heldBook) keep(servers []raft.Server) {
	if len(servers) == 0 {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for id := range b.told {
		if !inConfiguration(raft.Configuration{Servers: servers}, id) {
			delete(b.told, id)
			delete(b.latest, id)
			b.changed = true
		}
	}
}

// encodeHeader writes a header's value; "" for the zero one.
func encodeHeader[T comparable](v T) string {
	var zero T
	if v == zero {
		return ""
	}
	b, err := json.Marshal(v)
	if err != nil {
		return "" // numbers and texts always encode
	}
	return string(b)
}

// maxHeldHeader bounds what is read of either header; they take under 400 bytes.
const maxHeldHeader = 1 << 10

// decodeHeader reads what encodeHeader wrote; zero for anything else.
func decodeHeader[T comparable](h http.Header, name string) T {
	var v, zero T
	text := h.Get(name)
	if text == "" || len(text) > maxHeldHeader || json.Unmarshal([]byte(text), &v) != nil {
		return zero
	}
	return v
}

// uri is the claim in a certificate: almenara://log/RUN/INDEX/TERM.
func (s logStart) uri() *url.URL {
	return &url.URL{Scheme: "almenara", Host: logHost, Path: "/" + s.Run + "/" +
		strconv.FormatUint(s.Index, 10) + "/" + strconv.FormatUint(s.Term, 10)}
}

// certificateStart reads the claim in a peer's certificate; zero where there is none.
func certificateStart(cert *x509.Certificate) logStart {
	for _, u := range cert.URIs {
		parts := strings.Split(strings.TrimPrefix(u.Path, "/"), "/")
		if u.Scheme != "almenara" || u.Host != logHost || len(parts) != 3 || parts[0] == "" {
			continue
		}
		index, err := strconv.ParseUint(parts[1], 10, 64)
		if err != nil {
			continue
		}
		if term, err := strconv.ParseUint(parts[2], 10, 64); err == nil {
			return logStart{Run: parts[0], logPosition: logPosition{Index: index, Term: term}}
		}
	}
	return logStart{}
}
