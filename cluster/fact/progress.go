package fact

import (
	"fmt"
	"maps"
	"slices"
	"sync"
)

// Progress is how far one fact of this node has got. Its methods may be called
// from any goroutine.
type Progress struct {
	ID     ID
	Fact   Fact
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

// State is "committed", "reached k of n", "local", or "memory" when not even this
// node's disk has it.
func (p *Progress) State() string {
	p.mu.Lock()
	done, others := p.done, len(p.reached)
	p.mu.Unlock()
	switch {
	case done:
		return "committed"
	case others > 0:
		k, n := p.Reached()
		return fmt.Sprintf("reached %d of %d", k, n)
	case p.memory:
		return "memory"
	default:
		return "local"
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
	lanes map[laneKey]map[uint64]*Progress
	count map[Stream]int
}

// maxTracked bounds the receipt blocks that wait for a commit: each is kept in memory
// until then.
const maxTracked = 1 << 16

func newTracker() *tracker {
	return &tracker{lanes: map[laneKey]map[uint64]*Progress{}, count: map[Stream]int{}}
}

func (t *tracker) add(p *Progress) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if p.Fact.Stream == Receipts && t.count[Receipts] >= maxTracked { // alerts are bounded by their ring
		return false
	}
	key := p.Fact.lane()
	if t.lanes[key] == nil {
		t.lanes[key] = map[uint64]*Progress{}
	}
	t.lanes[key][p.Fact.Seq] = p
	t.count[p.Fact.Stream]++
	return true
}

func (t *tracker) waiting(s Stream) int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.count[s]
}

func (t *tracker) drop(p *Progress) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.lanes[p.Fact.lane()][p.Fact.Seq] == p {
		t.forget(p.Fact.lane(), p.Fact.Seq)
	}
}

func (t *tracker) forget(key laneKey, seq uint64) {
	delete(t.lanes[key], seq)
	if len(t.lanes[key]) == 0 {
		delete(t.lanes, key)
	}
	t.count[key.Stream]--
}

// reach notes that a peer has the lane up to high, or the one fact only.
func (t *tracker) reach(peer string, key laneKey, high uint64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for seq, p := range t.lanes[key] {
		if seq <= high {
			p.reach(peer)
		}
	}
}

func (t *tracker) reachOne(peer string, key laneKey, seq uint64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if p := t.lanes[key][seq]; p != nil {
		p.reach(peer)
	}
}

// commit resolves one fact.
func (t *tracker) commit(key laneKey, seq uint64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if p := t.lanes[key][seq]; p != nil {
		p.commit()
		t.forget(key, seq)
	}
}

// commitAll resolves what marks say is adopted, for facts whose adoption was not
// reported one by one: the state machine was installed from another node.
func (t *tracker) commitAll(base func(laneKey) uint64) {
	for _, key := range t.keys() {
		mark := base(key) // takes the journal's lock, under which facts are added here
		t.commitTo(key, mark)
	}
}

func (t *tracker) keys() []laneKey {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Collect(maps.Keys(t.lanes))
}

func (t *tracker) commitTo(key laneKey, mark uint64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for seq, p := range t.lanes[key] {
		if seq <= mark {
			p.commit()
			t.forget(key, seq)
		}
	}
}
