package inflight

import (
	"context"
	"sync"
	"time"
)

// Readers lets a few answers at a time be worked out for one user; further requests wait. Its
// methods may be called from any goroutine.
type Readers struct {
	atOnce int
	wait   time.Duration

	mu sync.Mutex
	of map[string]*reader // the users who are reading now
}

// reader is a user.
type reader struct {
	free     chan struct{} // holds what is taken
	requests int           // that hold or await a turn
}

// NewReaders makes turns of which each user has so many, and waits for one so long.
func NewReaders(atOnce int, wait time.Duration) *Readers {
	return &Readers{atOnce: atOnce, wait: wait, of: map[string]*reader{}}
}

// Begin waits for a turn of the user; false where there was none in time, or before ctx ended.
// done gives it back; it may be called more than once.
func (r *Readers) Begin(ctx context.Context, user string) (done func(), ok bool) {
	r.mu.Lock()
	one := r.of[user]
	if one == nil {
		one = &reader{free: make(chan struct{}, r.atOnce)}
		r.of[user] = one
	}
	one.requests++
	r.mu.Unlock()
	leave := func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		if one.requests--; one.requests == 0 {
			delete(r.of, user)
		}
	}
	ctx, cancel := context.WithTimeout(ctx, r.wait)
	defer cancel()
	select {
	case one.free <- struct{}{}:
		return sync.OnceFunc(func() { <-one.free; leave() }), true
	case <-ctx.Done():
		leave()
		return nil, false
	}
}
