package cluster

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"almenara/cluster/identity"
	"almenara/cluster/internode"
	"almenara/cluster/marks"
	"almenara/cluster/outcome"
	"almenara/cluster/peers"
)

// fence keeps nodes of two incarnations of the district apart, and takes this one out of
// agreeing for good where it gives way, or where its disk does not hold what it wrote.
type fence struct {
	*group
	identity func() *identity.Identity
	port     *internode.Port
	rpc      *internode.RPC
	peers    *peers.Peers
	allowed  func(id string) bool // membership's
	ctx      context.Context      // ends with Stop
	dir      string
	clock    func() time.Time
	former   func() []string // nodes to greet; nil is none
	logger   *slog.Logger

	why      atomic.Pointer[marks.Quarantine] // nil while the node agrees
	raised   chan struct{}                    // closed with why, for maintenance
	ended    chan struct{}                    // closed once raft has ended for it
	notHeard marks.RestoredCopies
	greeted  time.Time // last; maintenance's only
}

// metIncarnation hears the statement of a node that is not of our incarnation.
func (f *fence) metIncarnation(peer string, theirs *identity.Incarnation) {
	log := f.logger.With("peer", peer)
	mine := f.identity()
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
	if theirs.Why == identity.WhyRestore && f.begun.Load() && f.outlived(theirs) {
		return
	}
	q := &marks.Quarantine{Cause: marks.CauseIncarnation, By: theirs, Peer: peer, At: f.clock().UTC().Truncate(time.Second)}
	if f.begun.Load() {
		q.Addr, _ = f.peers.Resolve(peer)
	}
	f.beQuarantined(q)
}

// beQuarantined lets nothing more be agreed from here on. The mark is on this disk
// when it returns; raft ends in maintenance, because this may be one of its goroutines.
func (f *fence) beQuarantined(q *marks.Quarantine) {
	if !f.why.CompareAndSwap(nil, q) {
		return
	}
	if q.By == nil {
		f.logger.Error("this node is quarantined: its disk does not hold what it wrote", "reason", q.Reason)
	} else {
		f.logger.Error("the district was recovered without this node: it agrees to nothing any more and must join anew",
			"incarnation", q.By.Number, "recovered_on", q.By.By, "at", q.By.Time())
	}
	if err := q.Save(f.dir); err != nil {
		f.logger.Error("marking quarantine", "error", err) // met again at the next start
	}
	close(f.raised)
}

// end ends raft, and waits for it.
func (f *fence) end() {
	f.port.CloseIf(identity.ProtoRaft, func(string) bool { return true }) // raft's end waits for reads
	if err := f.shutdown(); err != nil {
		f.logger.Error("ending raft", "error", err)
	}
	close(f.ended)
}

// refuseHandover is why this node takes nothing over; nil when it does.
func (f *fence) refuseHandover() error {
	if f.quarantined() {
		return outcome.ErrQuarantined
	}
	return nil
}

// standing is how this node stands to its district, as it says to whoever asks.
func (f *fence) standing() internode.Standing {
	if f.quarantined() {
		return internode.StandingQuarantined
	}
	if f.begun.Load() {
		if seen, _ := f.quorum.Look(); seen.Has() {
			return internode.StandingAgrees
		}
	}
	return internode.StandingAlone
}

// quarantineFor is beQuarantined for what this disk does not hold any more.
func (f *fence) quarantineFor(cause marks.Cause, reason string) {
	f.beQuarantined(&marks.Quarantine{Cause: cause, Reason: reason, At: f.clock().UTC().Truncate(time.Second)})
}

// quarantined reports whether this node agrees to nothing any more.
func (f *fence) quarantined() bool { return f.why.Load() != nil }

// greetEvery is how often nodes that are no members any more are greeted.
const greetEvery = 5 * time.Second

// greetFormer dials nodes that belonged here before the district was begun anew.
func (f *fence) greetFormer(greetings *sync.WaitGroup, greeting *limiter) {
	if f.former == nil || time.Since(f.greeted) < greetEvery {
		return
	}
	f.greeted = time.Now()
	for _, id := range f.former() {
		if addr, ok := f.peers.Resolve(id); ok && id != f.self && !slices.Contains(f.members(), id) && greeting.take(id) {
			greetings.Go(func() {
				defer greeting.give(id)
				f.greet(id, addr)
			})
		}
	}
}

// greet shakes hands and hangs up; whoever is of another incarnation is met on the way.
func (f *fence) greet(id, addr string) {
	ctx, cancel := context.WithTimeout(f.ctx, pingTimeout)
	defer cancel()
	if conn, err := f.port.Dial(ctx, id, addr, identity.ProtoRPC); err == nil {
		_ = conn.Close()
	}
}
