package exchange

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"almenara/cluster/fact"
	"almenara/cluster/journal"
	"almenara/cluster/journal/journaltest"
)

var errUnreachable = errors.New("unreachable")

// town is several exchanges with links that can be cut and a state machine that
// needs a quorum to be switched on. It runs inside a synctest bubble.
type town struct {
	t     *testing.T
	mu    sync.Mutex
	nodes map[string]*tower
	names []string
	alone map[string]bool // no links
	lossy bool            // pushes are lost
	// quorum false: Propose fails.
	quorum   bool
	log      []fact.Signed
	commands []int // facts per command
	proposer []string
	pushes   int
}

// tower is one node.
type tower struct {
	*Exchange
	name string
	disk *journaltest.Disk
	opts journal.Options

	mu    sync.Mutex
	new   []string
	marks map[fact.LaneKey]uint64
}

type senderKey struct{}

func newTown(t *testing.T, names ...string) *town {
	w := &town{t: t, names: names, nodes: map[string]*tower{}, alone: map[string]bool{}, quorum: true}
	for _, name := range names {
		d := journaltest.NewDisk()
		o := journal.Options{
			Dir: t.TempDir(), Origin: name, AlertsBytes: 256 << 10, ReceiptsBytes: 16 << 10, SegmentBytes: 4 << 10,
			Open: func(path string, size int64) (journal.File, error) { return d.Open(path, size), nil },
		}
		w.nodes[name] = &tower{name: name, disk: d, opts: o, marks: map[fact.LaneKey]uint64{}}
	}
	for _, name := range names {
		w.start(name)
	}
	t.Cleanup(func() {
		for _, name := range names {
			w.stop(name)
		}
	})
	synctest.Wait()
	return w
}

func (w *town) start(name string) {
	n := w.nodes[name]
	j, err := journal.Open(n.opts)
	require.NoError(w.t, err)
	w.t.Cleanup(func() { _ = j.Close() })
	clock, err := fact.OpenClock(filepath.Join(n.opts.Dir, "clock"), nil)
	require.NoError(w.t, err)
	e := New(Options{
		Journal: j, Clock: clock, Signer: journaltest.Named(name).Signer, Keys: journaltest.Keys(w.names...),
		Peers: func() []string {
			return slices.DeleteFunc(slices.Clone(w.names), func(s string) bool { return s == name })
		},
		Call: func(ctx context.Context, peer, path string, body []byte) ([]byte, error) {
			return w.call(name, peer, path, body)
		},
		PeerID:     func(ctx context.Context) string { s, _ := ctx.Value(senderKey{}).(string); return s },
		Propose:    func(_ context.Context, facts []fact.Signed) error { return w.propose(name, facts) },
		Marks:      n.mark,
		FromStore:  w.fromStore,
		Leaderless: func() bool { w.mu.Lock(); defer w.mu.Unlock(); return !w.quorum },
		OnNew:      n.onNew,
	})
	w.mu.Lock()
	n.Exchange = e
	w.mu.Unlock()
	require.NoError(w.t, e.Start())
}

func (w *town) stop(name string) {
	w.mu.Lock()
	n := w.nodes[name]
	e := n.Exchange
	n.Exchange = nil
	w.mu.Unlock()
	if e != nil {
		e.Stop()
		require.NoError(w.t, e.o.Journal.Close())
	}
}

func (n *tower) onNew(f fact.Fact, _ fact.Signed) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.new = append(n.new, string(f.Body))
}

func (n *tower) news() []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return slices.Clone(n.new)
}

func (n *tower) mark(origin string, stream fact.Stream, epoch uint64) uint64 {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.marks[fact.LaneKey{Origin: origin, Stream: stream, Epoch: epoch}]
}

func (w *town) call(from, to, path string, body []byte) ([]byte, error) {
	w.mu.Lock()
	cut := w.alone[from] || w.alone[to] || w.lossy && path == "/fact/push"
	e := w.nodes[to].Exchange
	if path == "/fact/push" {
		w.pushes++
	}
	w.mu.Unlock()
	if cut || e == nil {
		return nil, errUnreachable
	}
	answer := post(e, path, from, body)
	if answer.Code != http.StatusOK {
		return nil, errors.New(answer.Body.String())
	}
	return answer.Body.Bytes(), nil
}

func post(e *Exchange, path, from string, body []byte) *httptest.ResponseRecorder {
	req := httptest.NewRequest(http.MethodPost, path, bytes.NewReader(body))
	req = req.WithContext(context.WithValue(req.Context(), senderKey{}, from))
	answer := httptest.NewRecorder()
	e.Handlers()["POST "+path].ServeHTTP(answer, req)
	return answer
}

// propose applies to every node that runs, in one order, as raft would. A gap is
// refused, a known fact skipped.
func (w *town) propose(from string, facts []fact.Signed) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.quorum || w.alone[from] {
		return errUnreachable
	}
	w.commands = append(w.commands, len(facts))
	w.proposer = append(w.proposer, from)
	for _, s := range facts {
		f, err := s.Fact()
		require.NoError(w.t, err)
		fresh := false
		for _, name := range w.names {
			if n := w.nodes[name]; n.Exchange != nil && !w.alone[name] {
				fresh = n.apply(w.t, f, s) || fresh
			}
		}
		if fresh {
			w.log = append(w.log, s)
		}
	}
	return nil
}

func (n *tower) apply(t *testing.T, f fact.Fact, s fact.Signed) bool {
	n.mu.Lock()
	mark := n.marks[f.Lane()]
	fresh := f.Seq == mark+1
	if fresh {
		n.marks[f.Lane()] = f.Seq
	}
	n.mu.Unlock()
	require.LessOrEqual(t, f.Seq, mark+1, "gap of %s", f.Origin)
	if fresh {
		n.Adopted(s)
	}
	return fresh
}

func (w *town) fromStore(origin string, stream fact.Stream, epoch, seq uint64, count int) ([]fact.Signed, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	var facts []fact.Signed
	for _, s := range w.log {
		f, err := s.Fact()
		if err != nil {
			return nil, err
		}
		if f.Lane() == (fact.LaneKey{Origin: origin, Stream: stream, Epoch: epoch}) && f.Seq > seq && len(facts) < count {
			facts = append(facts, s)
		}
	}
	return facts, nil
}

func (w *town) set(f func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	f()
}

func (w *town) create(name, body string) *Progress {
	w.t.Helper()
	p, err := w.nodes[name].Create(w.t.Context(), fact.KindAlert, fact.Alerts, []byte(body))
	require.NoError(w.t, err)
	return p
}

func (w *town) adopted() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	var b []string
	for _, s := range w.log {
		f, _ := s.Fact()
		b = append(b, string(f.Body))
	}
	return strings.Join(b, " ")
}
