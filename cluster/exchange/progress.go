package exchange

import (
	"maps"
	"slices"
	"sync"

	"almenara/cluster/fact"
)

// Progress is how far one fact of this node has got. Its methods may be called
// from any goroutine.
type Progress struct {
	ID     fact.ID
	Fact   fact.Fact
	memory bool // this node's disk did not take it

	mu        sync.Mutex
	peers     func() int // other nodes of the district
	reached   map[string]struct{}
	done      bool
	committed chan struct{}
}

// Durable says that the fact is on this node's disk.
func (p *Progress) Durable() bool { return !p.memory }

// Reached is on how many of the district's nodes the fact is known to be durable,
// this one included, and how many there are.
func (p *Progress) Reached() (k, n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	k = len(p.reached)
	if !p.memory {
		k++
	}
	n = max(p.peers()+1, k)
	if p.done {
		k = max(k, n/2+1) // a majority has it, in the state machine
	}
	return k, n
}

// Committed is closed when the state machine of this node has adopted the fact.
func (p *Progress) Committed() <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.committed == nil {
		p.committed = make(chan struct{})
		if p.done {
			close(p.committed)
		}
	}
	return p.committed
}

// Level is how far a fact has got. Reached says on how many nodes one that is Held is.
type Level uint8

// The levels, each further than the one before.
const (
	InMemory  Level = iota // not even on this node's disk
	Local                  // durable on this node
	Held                   // durable on other nodes too
	Committed              // agreed
)

// Level is how far the fact has got.
func (p *Progress) Level() Level {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.done:
		return Committed
	case len(p.reached) > 0:
		return Held
	case p.memory:
		return InMemory
	default:
		return Local
	}
}

func (p *Progress) reach(peer string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.reached == nil {
		p.reached = map[string]struct{}{}
	}
	p.reached[peer] = struct{}{}
}

func (p *Progress) commit() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.done {
		return
	}
	p.done = true
	if p.committed != nil {
		close(p.committed)
	}
}

// tracker holds the Progress of every own fact that is not committed.
type tracker struct {
	mu    sync.Mutex
	lanes map[fact.LaneKey]map[uint64]*Progress
	count map[fact.Stream]int
}

// maxTracked bounds the receipt blocks that wait for a commit: each is kept in memory
// until then.
const maxTracked = 1 << 16

func newTracker() *tracker {
	return &tracker{lanes: map[fact.LaneKey]map[uint64]*Progress{}, count: map[fact.Stream]int{}}
}

func (t *tracker) add(p *Progress) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if p.Fact.Stream == fact.Receipts && t.count[fact.Receipts] >= maxTracked { // alerts are bounded by their ring
		return false
	}
	key := p.Fact.Lane()
	if t.lanes[key] == nil {
		t.lanes[key] = map[uint64]*Progress{}
	}
	t.lanes[key][p.Fact.Seq] = p
	t.count[p.Fact.Stream]++
	return true
}

func (t *tracker) waiting(s fact.Stream) int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.count[s]
}

func (t *tracker) drop(p *Progress) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.lanes[p.Fact.Lane()][p.Fact.Seq] == p {
		t.forget(p.Fact.Lane(), p.Fact.Seq)
	}
}

func (t *tracker) forget(key fact.LaneKey, seq uint64) {
	delete(t.lanes[key], seq)
	if len(t.lanes[key]) == 0 {
		delete(t.lanes, key)
	}
	t.count[key.Stream]--
}

// reach notes that a peer has the lane up to high, or the one fact only.
func (t *tracker) reach(peer string, key fact.LaneKey, high uint64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for seq, p := range t.lanes[key] {
		if seq <= high {
			p.reach(peer)
		}
	}
}

func (t *tracker) reachOne(peer string, key fact.LaneKey, seq uint64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if p := t.lanes[key][seq]; p != nil {
		p.reach(peer)
	}
}

// commit resolves one fact.
func (t *tracker) commit(key fact.LaneKey, seq uint64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if p := t.lanes[key][seq]; p != nil {
		p.commit()
		t.forget(key, seq)
	}
}

// commitAll resolves what marks say is adopted, for facts whose adoption was not
// reported one by one: the state machine was installed from another node.
func (t *tracker) commitAll(base func(fact.LaneKey) uint64) {
	for _, key := range t.keys() {
		mark := base(key) // takes the journal's lock, under which facts are added here
		t.commitTo(key, mark)
	}
}

func (t *tracker) keys() []fact.LaneKey {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Collect(maps.Keys(t.lanes))
}

func (t *tracker) commitTo(key fact.LaneKey, mark uint64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for seq, p := range t.lanes[key] {
		if seq <= mark {
			p.commit()
			t.forget(key, seq)
		}
	}
}
