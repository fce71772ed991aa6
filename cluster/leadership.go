package cluster

import (
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
	mu       sync.Mutex
	now      Leadership
	ready    uint64        // term in which this leader's barrier has passed
	changed  chan struct{} // closed and replaced with every change
	watchers map[chan Leadership]struct{}
}

func (l *leadership) init() {
	l.changed = make(chan struct{})
	l.watchers = map[chan Leadership]struct{}{}
}

// current returns the state and a channel that is closed when it changes.
func (l *leadership) current() (Leadership, <-chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.now, l.changed
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

// Changes yields the present leadership at once and then every change; a watcher
// that is slow misses what lies between, never the latest. Call cancel when done;
// the channel is not closed.
func (c *Cluster) Changes() (changes <-chan Leadership, cancel func()) {
	l := &c.leadership
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

// Leadership is who leads now, as this node sees it.
func (c *Cluster) Leadership() Leadership {
	now, _ := c.leadership.current()
	return now
}

// followLeadership drains raft's signals, which raft would otherwise block on, and
// publishes what they add up to.
func (c *Cluster) followLeadership() {
	var barrier <-chan struct{} // closed when the running one has ended
	for {
		c.publish()
		if barrier == nil && c.needsBarrier() {
			barrier = c.passBarrier()
		}
		select {
		case <-c.notify:
		case <-c.observed:
		case <-barrier:
			barrier = nil
		case <-c.ctx.Done():
			return
		}
	}
}

func (c *Cluster) publish() {
	_, id := c.raft.LeaderWithID()
	c.leadership.set(Leadership{
		Leader:   c.raft.State() == raft.Leader,
		LeaderID: string(id),
		Term:     c.raft.CurrentTerm(),
	})
}

func (c *Cluster) needsBarrier() bool {
	c.leadership.mu.Lock()
	defer c.leadership.mu.Unlock()
	return c.raft.State() == raft.Leader && c.leadership.ready != c.raft.CurrentTerm()
}

// passBarrier waits until all that earlier leaders committed is applied here: only
// then does a new leader answer reads.
func (c *Cluster) passBarrier() <-chan struct{} {
	if !c.proposals.enter() {
		return nil
	}
	done := make(chan struct{})
	term := c.raft.CurrentTerm()
	go func() {
		defer c.proposals.leave()
		defer close(done)
		if c.raft.Barrier(5*time.Second).Error() == nil && c.raft.CurrentTerm() == term {
			c.leadership.markReady(term)
		} else {
			c.pause(100 * time.Millisecond) // still the leader, perhaps: try again
		}
	}()
	return done
}

// pause waits for d or until the node stops.
func (c *Cluster) pause(d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-c.ctx.Done():
	}
}
