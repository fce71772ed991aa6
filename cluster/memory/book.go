package memory

import (
	"crypto/x509"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/hashicorp/raft"
)

// A node that lost its raft log, or whose disk was put back to an earlier moment, cannot
// always know it. So every node tells the others how far its log reaches, they remember
// it, and whoever comes back with less is not heard by raft. DESIGN.md proves that a healthy
// node is never refused.
const (
	// heldHeader carries, on every request and answer between nodes, a claim.
	heldHeader = "Almenara-Log-Held"
	// knownHeader carries what the sender remembers of the one it speaks to: marks.
	knownHeader = "Almenara-Log-Known"
	// logHost is the host of the certificate's URI with a start.
	logHost = "log"
)

// Position is how far a raft log reaches. Its two numbers never go down on a disk
// that keeps what it acknowledged, each by itself; zero says nothing.
type Position struct {
	Index uint64 `json:"index,omitempty"` // of an entry that is durable here and committed
	Term  uint64 `json:"term,omitempty"`  // of raft's, durable
}

// short says that p lacks something of what q says.
func (p Position) short(q Position) bool { return p.Index < q.Index || p.Term < q.Term }

// start is with what a run of a node, from Start to Stop, began. It is never less
// than what earlier runs told, because that was durable and committed when it was told.
type start struct {
	Run string `json:"run"` // random; empty where nothing is claimed
	Position
}

// claim is what a node says of its own log.
type claim struct {
	Start start    `json:"start"`
	Now   Position `json:"now"`
}

// mark is the highest number that any run of a node told, and the run that did.
type mark struct {
	Run string `json:"run,omitempty"`
	At  uint64 `json:"at,omitempty"`
}

// tell notes a number. It does not matter in which order runs are heard: words of one that
// has ended may come late.
func (m *mark) tell(run string, at uint64) {
	if at > m.At {
		*m = mark{run, at}
	}
}

// by is the mark where the run told it, else 0; but is it where another one did.
func (m mark) by(run string) uint64 {
	if m.Run == run {
		return m.At
	}
	return 0
}

func (m mark) but(run string) uint64 { return m.At - m.by(run) }

// marks is what was told of one node's log.
type marks struct {
	Index mark `json:"index"`
	Term  mark `json:"term"`
}

func (m *marks) tell(c claim) {
	m.Index.tell(c.Start.Run, c.Now.Index)
	m.Term.tell(c.Start.Run, c.Now.Term)
}

func (m marks) by(run string) Position {
	return Position{Index: m.Index.by(run), Term: m.Term.by(run)}
}

func (m marks) but(run string) Position {
	return Position{Index: m.Index.but(run), Term: m.Term.but(run)}
}

// book is what this node remembers of its peers' logs.
type book struct {
	mu      sync.Mutex
	told    map[string]marks // by server id
	latest  map[string]start // the run heard last of each
	changed bool             // told, since it was last written
}

func (b *book) init() { b.told, b.latest = map[string]marks{}, map[string]start{} }

// hear notes what a peer says of its log. What a run says that began with less than
// others had counts for nothing: it may be a copy of the node that goes on by itself, and
// must not accuse the one that is whole.
func (b *book) hear(id string, c claim) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.latest[id] = c.Start
	known := b.told[id]
	if b.lost(id, c.Start) {
		return
	}
	if known.tell(c); known != b.told[id] {
		b.told[id], b.changed = known, true
	}
}

// lost says that a run of the peer began with less than its earlier runs told. Whoever
// claims nothing, which is older software or a quarantined node, is judged by nothing. mu
// is held.
func (b *book) lost(id string, s start) bool {
	return s.Run != "" && s.short(b.told[id].but(s.Run))
}

// refuse is lost for a connection, and makes its run the one heard last.
func (b *book) refuse(id string, s start) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.lost(id, s) {
		return false
	}
	b.latest[id] = s
	return true
}

// behind says that the peer, as it was heard last, is refused.
func (b *book) behind(id string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.lost(id, b.latest[id])
}

func (b *book) of(id string) marks {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.told[id]
}

// keep forgets who is no member. An empty configuration says nothing.
func (b *book) keep(servers []raft.Server) {
	if len(servers) == 0 {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for id := range b.told {
		if !slices.ContainsFunc(servers, func(s raft.Server) bool { return string(s.ID) == id }) {
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

// uri is the claim in a certificate: almenara://log/RUN/INDEX/TERM; nil where nothing is
// claimed.
func (s start) uri() *url.URL {
	if s.Run == "" {
		return nil
	}
	return &url.URL{Scheme: "almenara", Host: logHost, Path: "/" + s.Run + "/" +
		strconv.FormatUint(s.Index, 10) + "/" + strconv.FormatUint(s.Term, 10)}
}

// certificateStart reads the claim in a peer's certificate; zero where there is none.
func certificateStart(cert *x509.Certificate) start {
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
			return start{Run: parts[0], Position: Position{Index: index, Term: term}}
		}
	}
	return start{}
}
