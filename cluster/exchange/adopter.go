package exchange

import (
	"context"
	"time"

	"almenara/cluster/fact"
	"almenara/storage/wait"
)

const (
	adoptTick    = 250 * time.Millisecond
	adoptTimeout = 10 * time.Second
	adoptBackoff = 100 * time.Millisecond
	adoptPause   = time.Second // at most, after failures
	adoptRest    = time.Second // at most, between rounds of receipts
	// settleFor is how long a proposed fact is not proposed again while this node's
	// state machine has not reported it.
	settleFor = 2 * time.Second
)

// adopter brings one stream's facts into the state machine, in the order of each
// origin, and repeats until they are there. Only its goroutine uses its fields.
type adopter struct {
	e      *Exchange
	stream fact.Stream
	awake  chan struct{}
	lanes  map[fact.LaneKey]*adoption
}

// adoption is what was tried with one lane.
type adoption struct {
	proposed uint64 // up to here, successfully, at
	at       time.Time
	base     uint64    // adopted, when last looked
	behind   time.Time // since when that has not moved
	next     time.Time // not before, after a failure
	failures int
}

func newAdopter(e *Exchange, s fact.Stream) *adopter {
	return &adopter{e: e, stream: s, awake: make(chan struct{}, 1), lanes: map[fact.LaneKey]*adoption{}}
}

func (a *adopter) wake() {
	select {
	case a.awake <- struct{}{}:
	default:
	}
}

func (a *adopter) run() {
	tick := time.NewTicker(adoptTick)
	defer tick.Stop()
	for {
		for took, ok := a.paced(); ok; took, ok = a.paced() { // as long as there is something to propose
			if a.stream == fact.Receipts && !a.rest(min(took, adoptRest)) {
				return
			}
		}
		select {
		case <-a.awake:
		case <-tick.C:
		case <-a.e.ctx.Done():
			return
		}
	}
}

// paced is one round and how long it took.
func (a *adopter) paced() (took time.Duration, progressed bool) {
	if a.stream == fact.Receipts && a.e.alertsWait() {
		return 0, false
	}
	begun := time.Now()
	progressed = a.round()
	return time.Since(begun), progressed
}

// rest waits between two rounds of receipts for as long as the last one took: a spool
// that was filled in an isolation takes half of what the district can commit, and
// everything else the rest. It returns false when the exchange stops.
func (a *adopter) rest(d time.Duration) bool { return wait.Sleep(a.e.ctx, d) }

// alertsWait says that an alert of this node is younger than settleFor and not adopted:
// its facts go before receipts.
func (e *Exchange) alertsWait() bool {
	now := fact.HLC(e.o.Clock.Wall().Add(-settleFor))
	hlc, ok := e.o.Journal.Oldest(fact.Alerts)
	return ok && hlc > now
}

// round proposes at most one command per lane, and says whether one got through.
func (a *adopter) round() (progressed bool) {
	for _, l := range a.e.o.Journal.Vector() {
		if l.Stream != a.stream || a.e.ctx.Err() != nil {
			continue
		}
		if from, ok := a.due(l); ok && a.propose(l.Key(), from) {
			progressed = true
		}
	}
	return progressed
}

// due says from where on the lane is to be proposed, by us and now.
func (a *adopter) due(l fact.Lane) (from uint64, ok bool) {
	key := l.Key()
	base := a.e.o.Journal.Adopted(key)
	if l.High <= base {
		delete(a.lanes, key)
		return 0, false
	}
	s := a.lanes[key]
	if s == nil {
		s = &adoption{base: base, behind: time.Now()}
		a.lanes[key] = s
	}
	if base != s.base {
		s.base, s.behind = base, time.Now()
	}
	from = base
	if time.Since(s.at) < settleFor {
		from = max(base, s.proposed)
	}
	return from, from < l.High && !time.Now().Before(s.next) && a.ours(l.Origin, s)
}

// ours says that this node proposes the origin's facts: its own always; another's
// when that has been silent for 2 s and we have the lowest id of those who live, or
// when they have waited for 10 s, whoever should have done it.
func (a *adopter) ours(origin string, s *adoption) bool {
	self := a.e.o.Signer.Origin
	if origin == self || time.Since(s.behind) > orphanAfter {
		return true
	}
	if a.e.heard.silence(origin) <= silentAfter {
		return false
	}
	for _, peer := range a.e.o.Peers() {
		if peer < self && peer != origin && a.e.heard.silence(peer) <= silentAfter {
			return false
		}
	}
	return true
}

func (a *adopter) propose(key fact.LaneKey, from uint64) bool {
	s := a.lanes[key]
	facts, err := a.e.o.Journal.After(key.Origin, key.Stream, key.Epoch, from, adoptFacts)
	facts = commandOf(facts, a.most())
	if err == nil && len(facts) == 0 {
		return false // adopted meanwhile, or not ours to judge
	}
	if err == nil {
		ctx, cancel := context.WithTimeout(a.e.ctx, adoptTimeout)
		err = a.e.o.Propose(ctx, facts)
		cancel()
	}
	if err != nil {
		pause := min(adoptBackoff<<min(s.failures, 8), adoptPause)
		s.failures, s.next = s.failures+1, time.Now().Add(pause)
		a.e.o.Logger.Debug("adopting facts", "origin", key.Origin, "error", err)
		return false
	}
	s.proposed, s.at = from+uint64(len(facts)), time.Now()
	s.failures, s.next = 0, time.Time{}
	return true
}

// commandOf cuts facts to most bytes; the first always fits. Facts of a
// kind that only newer software knows, and those after them, are left to that: the
// log would record them without effect.
func commandOf(facts []fact.Signed, most int) []fact.Signed {
	bytes := 0
	for i, s := range facts {
		if s.Kind().Since() == 0 {
			return facts[:i]
		}
		if bytes += len(s.Canonical) + len(s.Signature) + 128; bytes > most && i > 0 {
			return facts[:i]
		}
	}
	return facts
}

// most is how many bytes one command may have. Receipts go in smaller ones: an entry that
// takes long to fold holds up the alerts behind it.
func (a *adopter) most() int {
	if a.stream == fact.Receipts {
		return adoptBytes / 3
	}
	return adoptBytes
}
