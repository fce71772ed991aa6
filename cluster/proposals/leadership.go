package proposals

import (
	"almenara/cluster/group"
	"context"
	"sync"
	"time"

	"github.com/hashicorp/raft"
)

// Leadership says who leads, as this node sees it.
type Leadership struct {
	Leader   bool   // this node leads, and has applied all that earlier leaders committed
	LeaderID string // empty when unknown
	Term     uint64
}

// leadership is the latest Leadership and who wants to hear of the next.
type leadership struct {
	group    *group.Group
	gate     *gate // of proposals: a barrier is one
	notify   chan bool
	observed chan raft.Observation

	mu       sync.Mutex
	now      Leadership
	ready    uint64        // term in which this leader's barrier has passed
	changed  chan struct{} // closed and replaced with every change
	watchers map[chan Leadership]struct{}
}

func newLeadership(g *group.Group, proposals *gate, notify chan bool, observed chan raft.Observation) *leadership {
	return &leadership{
		group: g, gate: proposals, notify: notify, observed: observed,
		changed: make(chan struct{}), watchers: map[chan Leadership]struct{}{},
	}
}

// current returns the state and a channel that is closed when it changes.
func (l *leadership) current() (Leadership, <-chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.now, l.changed
}

// watch is Cluster.Changes.
func (l *leadership) watch() (changes <-chan Leadership, cancel func()) {
	w := make(chan Leadership, 1)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.watchers[w] = struct{}{}
	w <- l.now
	return w, func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		delete(l.watchers, w)
	}
}

func (l *leadership) set(now Leadership) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if now.Leader && l.ready != now.Term {
		now.Leader = false
	}
	if now == l.now {
		return
	}
	l.now = now
	close(l.changed)
	l.changed = make(chan struct{})
	for w := range l.watchers {
		offer(w, now)
	}
}

func (l *leadership) markReady(term uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ready = term
}

// offer replaces what is in w, which holds one: a slow watcher sees the latest.
func offer(w chan Leadership, now Leadership) {
	select {
	case <-w:
	default:
	}
	w <- now // only set sends, under the lock, so there is room
}

// follow drains raft's signals, which raft would otherwise block on, and
// publishes what they add up to.
func (l *leadership) follow(ctx context.Context) {
	var barrier <-chan struct{} // closed when the running one has ended
	for {
		l.publish()
		if barrier == nil && l.needsBarrier() {
			barrier = l.passBarrier(ctx)
		}
		select {
		case <-l.notify:
		case <-l.observed:
		case <-barrier:
			barrier = nil
		case <-ctx.Done():
			return
		}
	}
}

func (l *leadership) publish() {
	l.group.Quorum.Look()
	_, id := l.group.Raft.LeaderWithID()
	l.set(Leadership{
		Leader:   l.group.Raft.State() == raft.Leader,
		LeaderID: string(id),
		Term:     l.group.Raft.CurrentTerm(),
	})
}

func (l *leadership) needsBarrier() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.group.Raft.State() == raft.Leader && l.ready != l.group.Raft.CurrentTerm()
}

// passBarrier waits until all that earlier leaders committed is applied here: only
// then does a new leader answer reads.
func (l *leadership) passBarrier(ctx context.Context) <-chan struct{} {
	if !l.gate.enter() {
		return nil
	}
	done := make(chan struct{})
	term := l.group.Raft.CurrentTerm()
	go func() {
		defer l.gate.leave()
		defer close(done)
		if l.group.Raft.Barrier(5*time.Second).Error() == nil && l.group.Raft.CurrentTerm() == term {
			l.markReady(term)
		} else {
			group.WaitFor(ctx, nil, 100*time.Millisecond) // still the leader, perhaps: try again
		}
	}()
	return done
}

// drainSignals takes what raft signals until stop is closed: raft would wait for it.
func (l *leadership) drainSignals(stop <-chan struct{}) {
	for {
		select {
		case <-l.notify:
		case <-l.observed:
		case <-stop:
			return
		}
	}
}
