// Package ratelimit bounds how often somebody may ask for something: a token bucket for
// each name, in bounded memory.
package ratelimit

import (
	"sync"
	"time"
)

// Options say what a Limiter allows each name.
type Options struct {
	PerSecond float64 // in the long run
	Burst     float64 // at once, after a pause
	Names     int     // of which a bucket is kept; 0 is 4,096, some 400 kB
}

// Limiter holds a bucket for each name. When it has as many as it may keep it forgets
// those that are full again; if none is, all new names share one bucket, so that a crowd of
// strangers fills their own bucket, and never the memory. It may be used from any
// goroutine.
type Limiter struct {
	o Options

	mu      sync.Mutex
	buckets map[string]*bucket
	shared  bucket
	swept   time.Time // when full buckets were looked for last
}

// bucket is what a name has left, as of a time.
type bucket struct {
	left float64
	at   time.Time
}

// sweepEvery is the least time between two looks for full buckets: each takes a while.
const sweepEvery = time.Second

// New makes a Limiter.
func New(o Options) *Limiter {
	if o.Names <= 0 {
		o.Names = 4096
	}
	return &Limiter{o: o, buckets: make(map[string]*bucket)}
}

// Wait is 0 where the name's bucket holds anything at now, which never goes back, or how long to
// wait until it does. Nothing is taken.
func (l *Limiter) Wait(name string, now time.Time) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	b := l.bucket(name, now)
	l.fill(b, now)
	if b.left > 0 {
		return 0
	}
	return time.Duration((1e-3 - b.left) / l.o.PerSecond * float64(time.Second))
}

// Charge takes what something has cost from the name's bucket at now, also more than it holds:
// that is owed.
func (l *Limiter) Charge(name string, cost float64, now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	b := l.bucket(name, now)
	l.fill(b, now)
	b.left -= cost
}

// Take takes one from the name's bucket at now, which never goes back. The answer is 0, or
// how long to wait until there will be one; then nothing was taken.
func (l *Limiter) Take(name string, now time.Time) (wait time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	b := l.bucket(name, now)
	l.fill(b, now)
	if b.left >= 1 {
		b.left--
		return 0
	}
	return time.Duration((1 - b.left) / l.o.PerSecond * float64(time.Second))
}

// bucket finds or makes the bucket of a name. mu is held.
func (l *Limiter) bucket(name string, now time.Time) *bucket {
	if b, ok := l.buckets[name]; ok {
		return b
	}
	if len(l.buckets) >= l.o.Names {
		l.sweep(now)
	}
	if len(l.buckets) >= l.o.Names {
		return &l.shared
	}
	b := &bucket{}
	l.buckets[name] = b
	return b
}

// fill brings a bucket up to now; a new one is full. mu is held.
func (l *Limiter) fill(b *bucket, now time.Time) {
	if b.at.IsZero() {
		b.left = l.o.Burst
	} else if passed := now.Sub(b.at); passed > 0 {
		b.left = min(l.o.Burst, b.left+passed.Seconds()*l.o.PerSecond)
	}
	b.at = now
}

// sweep forgets the buckets that are full: they are as new ones. mu is held.
func (l *Limiter) sweep(now time.Time) {
	if !l.swept.IsZero() && now.Sub(l.swept) < sweepEvery {
		return
	}
	l.swept = now
	for name, b := range l.buckets {
		if b.left+now.Sub(b.at).Seconds()*l.o.PerSecond >= l.o.Burst {
			delete(l.buckets, name)
		}
	}
}
