package inflight

import (
	"context"
	"slices"
	"sync"
	"time"
)

// turnWait is how long a request waits for its turn at most. A turn takes about a second on a
// small box, and who has waited for that many others is better served by another node.
const turnWait = 15 * time.Second

// Turns lets a few requests at a time be worked on; the others wait. The lowest rank goes
// first, and of one rank who came first. Its methods may be called from any goroutine.
type Turns struct {
	mu      sync.Mutex
	free    int
	waiting []*waiter // in the order in which they go
}

// waiter is a request that waits; turn is closed when it is its turn.
type waiter struct {
	rank int
	turn chan struct{}
}

// NewTurns makes turns of which so many are taken at a time, one at least.
func NewTurns(atOnce int) *Turns { return &Turns{free: max(1, atOnce)} }

// Begin waits for a turn. end gives it back; it may be called more than once, from any
// goroutine. An error is that of ctx, or a *wire.Problem (busy) after turnWait; then nothing
// was taken.
func (t *Turns) Begin(ctx context.Context, rank int) (end func(), err error) {
	w := t.enter(rank)
	timer := time.NewTimer(turnWait)
	defer timer.Stop()
	select {
	case <-w.turn:
		return sync.OnceFunc(t.give), nil
	case <-ctx.Done():
		err = ctx.Err()
	case <-timer.C:
		err = busy("other large messages are still being read here; try again later, or at another node")
	}
	t.leave(w)
	return nil, err
}

// enter gives a turn if one is free, or else a place among those who wait.
func (t *Turns) enter(rank int) *waiter {
	w := &waiter{rank: rank, turn: make(chan struct{})}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.free > 0 {
		t.free--
		close(w.turn)
		return w
	}
	at := len(t.waiting)
	for at > 0 && t.waiting[at-1].rank > rank {
		at--
	}
	t.waiting = slices.Insert(t.waiting, at, w)
	return w
}

// leave takes the waiter out, and gives the turn back that it may have got meanwhile.
func (t *Turns) leave(w *waiter) {
	t.mu.Lock()
	at := slices.Index(t.waiting, w)
	if at >= 0 {
		t.waiting = slices.Delete(t.waiting, at, at+1)
	}
	t.mu.Unlock()
	if at < 0 {
		t.give()
	}
}

// give passes a turn on to the first who waits.
func (t *Turns) give() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.waiting) == 0 {
		t.free++
		return
	}
	close(t.waiting[0].turn)
	t.waiting = slices.Delete(t.waiting, 0, 1)
}
