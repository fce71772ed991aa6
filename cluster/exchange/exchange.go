package exchange

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"almenara/cluster/fact"
	"almenara/cluster/journal"
	"almenara/storage/loglimit"
)

const (
	syncTick    = time.Second     // anti-entropy
	silentAfter = 2 * time.Second // then others propose an origin's facts
	orphanAfter = 10 * time.Second
	callTimeout = 5 * time.Second
)

// ErrBacklog is returned for a receipt block when 65,536 are waiting to be
// committed; the device is not acknowledged and sends again.
var ErrBacklog = errors.New("too many facts wait to be committed")

// Options joins the exchange to the rest of the node. All fields but
// FromStore, Leaderless, PeerID and Logger are needed.
type Options struct {
	Journal *journal.Journal
	Clock   *fact.Clock
	Signer  fact.Signer
	// Keys is the district's key ring.
	Keys func(keyID, origin string) (ed25519.PublicKey, bool)
	// Peers are the server ids of the other members.
	Peers func() []string
	// Call posts to a peer's handler, see cluster.Cluster.Call.
	Call func(ctx context.Context, peer, path string, body []byte) ([]byte, error)
	// PeerID names the sender of a request to the handlers, see internode.PeerID. Nil
	// means that requests prove nothing about who is alive.
	PeerID func(context.Context) string
	// Propose commits the facts, at most 64 of one origin's stream in order and 192
	// KiB, and returns when they are. An error leaves the outcome open: it will be
	// called again with the same facts. A known fact is a no-op for the state machine.
	Propose func(context.Context, []fact.Signed) error
	// Marks is how far the state machine has a lane, durably.
	Marks func(origin string, stream fact.Stream, epoch uint64) uint64
	// FromStore reads facts above seq that the state machine has, in order and without
	// a gap, for peers that lack what the journal has trimmed. Nil means none.
	FromStore func(origin string, stream fact.Stream, epoch, seq uint64, max int) ([]fact.Signed, error)
	// Leaderless says that receipts must travel between nodes by themselves. Nil means
	// never: raft carries them.
	Leaderless func() bool
	// OnNew is called for every fact that this process had not seen, own or foreign,
	// after it became durable here, in order of arrival, never twice at a time; rarely
	// again for one that the state machine reports later. On Start it is called for what the journal still holds. It must not block
	// and must not call the exchange.
	OnNew  func(fact.Fact, fact.Signed)
	Logger *slog.Logger
}

// Exchange makes facts, brings them to the other nodes and into the state machine,
// and takes theirs. Methods may be called from any goroutine between Start and
// Stop.
type Exchange struct {
	o       Options
	track   *tracker
	workers *peerWorkers
	heard   *heard
	refused loglimit.Lines // a node that lags behind the key ring refuses whole pages again and again
	ahead   loglimit.Lines
	adopt   map[fact.Stream]*adopter

	newMu sync.Mutex // serializes OnNew; taken under a ring's flushMu, before no other

	ctx    context.Context
	cancel context.CancelFunc
	wg     sync.WaitGroup
}

// New joins the parts; nothing runs before Start.
func New(o Options) *Exchange {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Leaderless == nil {
		o.Leaderless = func() bool { return false }
	}
	if o.PeerID == nil {
		o.PeerID = func(context.Context) string { return "" }
	}
	e := &Exchange{o: o, track: newTracker(), heard: newHeard()}
	e.ctx, e.cancel = context.WithCancel(context.Background())
	e.workers = newPeerWorkers(e)
	e.adopt = map[fact.Stream]*adopter{fact.Alerts: newAdopter(e, fact.Alerts), fact.Receipts: newAdopter(e, fact.Receipts)}
	o.Journal.OnArrival(e.arrived)
	return e
}

// Start tells OnNew what the journal holds and the state machine does not, and
// begins to exchange and adopt.
func (e *Exchange) Start() error {
	e.trim()
	if err := e.replay(); err != nil {
		return err
	}
	e.wg.Go(e.manage)
	for _, a := range e.adopt {
		e.wg.Go(a.run)
	}
	return nil
}

// Stop ends and awaits every goroutine. What is journaled stays for the next Start.
func (e *Exchange) Stop() {
	e.cancel()
	e.wg.Wait()
	e.workers.stop()
}

func (e *Exchange) replay() error {
	for _, l := range e.o.Journal.Vector() {
		seq := e.o.Journal.Adopted(l.Key())
		for {
			page, err := e.o.Journal.After(l.Origin, l.Stream, l.Epoch, seq, journal.PageFacts)
			if err != nil {
				return fmt.Errorf("replaying journal: %w", err)
			}
			for _, s := range page {
				f, err := s.Fact()
				if err != nil {
					return fmt.Errorf("replaying journal: %w", err)
				}
				e.tell(f, s)
				seq = f.Seq
			}
			if len(page) == 0 {
				break
			}
		}
	}
	return nil
}

// Create makes a fact of this node. On return it is on this disk, or only in
// memory where the disk fails and the stream is Alerts (Progress.Durable), OnNew
// has been called, and it is on its way to the peers and into the state machine
// until it is committed. Errors mean that nothing was made.
func (e *Exchange) Create(ctx context.Context, kind fact.Kind, stream fact.Stream, body []byte) (*Progress, error) {
	if len(body) > fact.MaxBody {
		return nil, fmt.Errorf("creating fact: %w: %d bytes", journal.ErrTooLarge, len(body))
	}
	if err := context.Cause(ctx); err != nil {
		return nil, fmt.Errorf("creating fact: %w", err)
	}
	now, err := e.o.Clock.Now()
	if err != nil {
		e.o.Logger.Warn("clock is not durable", "error", err)
	}
	p := &Progress{peers: func() int { return len(e.o.Peers()) }}
	sign := func(epoch, seq uint64) (fact.Signed, fact.Fact, error) {
		return e.sign(p, fact.Fact{Kind: kind, Stream: stream, Epoch: epoch, Seq: seq, HLC: now, Body: body})
	}
	if err := e.record(p, stream, sign); err != nil {
		return nil, fmt.Errorf("creating fact: %w", err)
	}
	return p, nil
}

// Backlog is how many receipt blocks of this process wait to be committed, and how many
// may: beyond that Create returns ErrBacklog, whatever room the journal still has.
func (e *Exchange) Backlog() (waiting, most int) { return e.track.waiting(fact.Receipts), maxTracked }

// record makes the fact durable, or an alert at least known.
func (e *Exchange) record(p *Progress, stream fact.Stream, sign func(epoch, seq uint64) (fact.Signed, fact.Fact, error)) error {
	err := e.o.Journal.AppendOwn(stream, sign)
	if err == nil {
		return nil
	}
	e.track.drop(p)
	if stream != fact.Alerts || errors.Is(err, journal.ErrClosed) || errors.Is(err, journal.ErrTooLarge) || errors.Is(err, ErrBacklog) {
		return err
	}
	e.o.Logger.Error("disk does not take an alert: going on in memory", "error", err)
	p.memory = true
	if err := e.o.Journal.KeepOwn(stream, sign); err != nil {
		e.track.drop(p)
		return err
	}
	return nil
}

// sign is called with the fact's place decided; the Progress is known before
// anything can be told of the fact.
func (e *Exchange) sign(p *Progress, f fact.Fact) (fact.Signed, fact.Fact, error) {
	f.Origin = e.o.Signer.Origin
	s, err := fact.Sign(f, e.o.Signer.KeyID, e.o.Signer.Key)
	if err != nil {
		return s, f, err
	}
	p.ID, p.Fact = s.ID(), f
	if !e.track.add(p) {
		return s, f, ErrBacklog
	}
	return s, f, nil
}

// arrived is the journal's report of a fact that became durable.
func (e *Exchange) arrived(f fact.Fact, s fact.Signed) {
	e.tell(f, s)
	if f.Origin == e.o.Signer.Origin && (f.Stream == fact.Alerts || e.o.Leaderless()) {
		e.workers.push(f, s)
	}
	e.adopt[f.Stream].wake()
}

func (e *Exchange) tell(f fact.Fact, s fact.Signed) {
	e.newMu.Lock()
	defer e.newMu.Unlock()
	e.o.OnNew(f, s)
}

// take checks and journals a fact that a peer sent.
func (e *Exchange) take(s fact.Signed) result {
	f, err := s.Open(e.o.Keys)
	if err != nil {
		e.refused.Log(e.o.Logger, slog.LevelWarn, "refusing fact", "error", err)
		return resultRefused
	}
	if !(fact.Lane{Origin: f.Origin, Stream: f.Stream}).Valid() || f.Seq == 0 || len(f.Body) > fact.MaxBody {
		return resultRefused
	}
	if !e.o.Clock.Observe(f.HLC) {
		e.ahead.Log(e.o.Logger, slog.LevelWarn, "clock of another node is far ahead", "node", f.Origin, "at", fact.WallTime(f.HLC))
	}
	if e.o.Journal.Adopted(f.Lane()) == 0 { // a lane that is new here may be old in the state machine
		e.o.Journal.Adopt(f.Lane(), e.o.Marks(f.Origin, f.Stream, f.Epoch))
	}
	_, err = e.o.Journal.Append(s, f)
	switch {
	case err == nil:
		return resultStored
	case errors.Is(err, journal.ErrConflict):
		e.o.Logger.Error("an origin has two facts in one place", "error", err)
		return resultRefused
	case f.Stream != fact.Alerts || errors.Is(err, journal.ErrTooFarAhead) || errors.Is(err, journal.ErrClosed):
		return resultFailed
	}
	e.o.Logger.Error("disk does not take an alert: going on in memory", "error", err)
	if _, err := e.o.Journal.Keep(s, f); err != nil {
		return resultFailed
	}
	return resultMemory
}

// Adopted is the state machine's report that it has the fact, after its commit on
// this node's disk, in the order of the log. It does not block.
func (e *Exchange) Adopted(s fact.Signed) {
	f, err := s.Fact()
	if err != nil {
		e.o.Logger.Error("adopted fact cannot be decoded", "error", err)
		return
	}
	if !e.o.Journal.Adopt(f.Lane(), f.Seq) {
		e.o.Clock.Observe(f.HLC)
		e.tell(f, s)
	}
	e.track.commit(f.Lane(), f.Seq)
}

// trim frees what the state machine has, also where its state was installed and
// Adopted was not called.
func (e *Exchange) trim() {
	e.o.Journal.Trim(e.o.Marks)
	e.track.commitAll(e.o.Journal.Adopted)
}
