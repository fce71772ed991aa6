package cluster

import "sync"

// limiter bounds what runs at a time, in all and per key.
type limiter struct {
	mu          sync.Mutex
	all, perKey int
	total       int
	byKey       map[string]int
}

func newLimiter(all, perKey int) *limiter {
	return &limiter{all: all, perKey: perKey, byKey: map[string]int{}}
}

func (l *limiter) take(key string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.total >= l.all || l.byKey[key] >= l.perKey {
		return false
	}
	l.total++
	l.byKey[key]++
	return true
}

func (l *limiter) give(key string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.total--
	if l.byKey[key]--; l.byKey[key] <= 0 {
		delete(l.byKey, key)
	}
}
