// Package fence keeps the incarnations of a district apart and takes a node out of agreeing for
// good: where a newer incarnation was met, or where its disk does not hold what it wrote. It
// never imports cluster, membership or proposals.
package fence

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"almenara/cluster/group"
	"almenara/cluster/identity"
	"almenara/cluster/internode"
	"almenara/cluster/marks"
	"almenara/cluster/outcome"
	"almenara/cluster/peers"
)

// FenceOptions say what a fence rests on. Former may be nil, all else is needed.
type Options struct {
	Group    *group.Group
	Identity func() *identity.Identity
	Context  context.Context // ends with the node
	Dir      string          // where the mark of a quarantine lies
	Clock    func() time.Time
	Former   func() []string // nodes to greet
	Logger   *slog.Logger
}

// Fence keeps nodes of two incarnations of the district apart, and takes this one out of
// agreeing for good where it gives way, or where its disk does not hold what it wrote. Its
// methods may be called from any goroutine, but for GreetFormer, which one calls.
type Fence struct {
	Options
	port  *internode.Port
	rpc   *internode.RPC
	peers *peers.Peers

	why      atomic.Pointer[marks.Quarantine] // nil while the node agrees
	raised   chan struct{}                    // closed with why
	ended    chan struct{}                    // closed once raft has ended for it
	notHeard marks.RestoredCopies
	greeted  time.Time // last
}

// New makes one; Open comes before anybody is heard.
func New(o Options) *Fence {
	return &Fence{Options: o, raised: make(chan struct{}), ended: make(chan struct{})}
}

// Open hands over what is opened after the fence is made, and reads which restored copies are
// not heard.
func (f *Fence) Open(port *internode.Port, rpc *internode.RPC, known *peers.Peers) {
	f.port, f.rpc, f.peers = port, rpc, known
	f.notHeard.Load(f.Dir, f.Logger)
}

// Why is the quarantine of this node; nil while it agrees.
func (f *Fence) Why() *marks.Quarantine { return f.why.Load() }

// Raised is closed with the quarantine, which End must follow, and Ended once that is done.
func (f *Fence) Raised() <-chan struct{} { return f.raised }

// Ended is closed once raft has ended for a quarantine.
func (f *Fence) Ended() <-chan struct{} { return f.ended }

// Begin quarantines a node that starts with the mark on its disk.
func (f *Fence) Begin(q *marks.Quarantine) {
	f.why.Store(q)
	f.End()
}

// MetIncarnation hears the statement of a node that is not of our incarnation.
func (f *Fence) MetIncarnation(peer string, theirs *identity.Incarnation) {
	log := f.Logger.With("peer", peer)
	mine := f.Identity()
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
	if theirs.Why == identity.WhyRestore && f.Group.Begun.Load() && f.outlived(theirs) {
		return
	}
	q := &marks.Quarantine{Cause: marks.CauseIncarnation, By: theirs, Peer: peer, At: f.Clock().UTC().Truncate(time.Second)}
	if f.Group.Begun.Load() {
		q.Addr, _ = f.peers.Resolve(peer)
	}
	f.beQuarantined(q)
}

// beQuarantined lets nothing more be agreed from here on. The mark is on this disk
// when it returns; raft ends in maintenance, because this may be one of its goroutines.
func (f *Fence) beQuarantined(q *marks.Quarantine) {
	if !f.why.CompareAndSwap(nil, q) {
		return
	}
	if q.By == nil {
		f.Logger.Error("this node is quarantined: its disk does not hold what it wrote", "reason", q.Reason)
	} else {
		f.Logger.Error("the district was recovered without this node: it agrees to nothing any more and must join anew",
			"incarnation", q.By.Number, "recovered_on", q.By.By, "at", q.By.Time())
	}
	if err := q.Save(f.Dir); err != nil {
		f.Logger.Error("marking quarantine", "error", err) // met again at the next start
	}
	close(f.raised)
}

// End ends raft, and waits for it.
func (f *Fence) End() {
	f.port.CloseIf(identity.ProtoRaft, func(string) bool { return true }) // raft's end waits for reads
	if err := f.Group.Shutdown(); err != nil {
		f.Logger.Error("ending raft", "error", err)
	}
	close(f.ended)
}

// RefuseHandover is why this node takes nothing over; nil when it does.
func (f *Fence) RefuseHandover() error {
	if f.Quarantined() {
		return outcome.ErrQuarantined
	}
	return nil
}

// Standing is how this node stands to its district, as it says to whoever asks.
func (f *Fence) Standing() internode.Standing {
	if f.Quarantined() {
		return internode.StandingQuarantined
	}
	if f.Group.Begun.Load() {
		if seen, _ := f.Group.Quorum.Look(); seen.Has() {
			return internode.StandingAgrees
		}
	}
	return internode.StandingAlone
}

// QuarantineFor is beQuarantined for what this disk does not hold any more.
func (f *Fence) QuarantineFor(cause marks.Cause, reason string) {
	f.beQuarantined(&marks.Quarantine{Cause: cause, Reason: reason, At: f.Clock().UTC().Truncate(time.Second)})
}

// Quarantined reports whether this node agrees to nothing any more.
func (f *Fence) Quarantined() bool { return f.why.Load() != nil }

// greetEvery is how often nodes that are no members any more are greeted.
const greetEvery = 5 * time.Second

// GreetFormer dials nodes that belonged here before the district was begun anew.
func (f *Fence) GreetFormer(greetings *sync.WaitGroup, greeting *peers.Limiter) {
	if f.Former == nil || time.Since(f.greeted) < greetEvery {
		return
	}
	f.greeted = time.Now()
	for _, id := range f.Former() {
		if addr, ok := f.peers.Resolve(id); ok && id != f.Group.Self && !slices.Contains(f.Group.Members(), id) && greeting.Take(id) {
			greetings.Go(func() {
				defer greeting.Give(id)
				f.greet(id, addr)
			})
		}
	}
}

// greet shakes hands and hangs up; whoever is of another incarnation is met on the way.
func (f *Fence) greet(id, addr string) {
	ctx, cancel := context.WithTimeout(f.Context, peers.AskTimeout)
	defer cancel()
	if conn, err := f.port.Dial(ctx, id, addr, identity.ProtoRPC); err == nil {
		_ = conn.Close()
	}
}
