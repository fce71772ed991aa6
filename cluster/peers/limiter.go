package peers

import "sync"

// Limiter bounds what runs at a time, in all and per key.
type Limiter struct {
	mu          sync.Mutex
	all, perKey int
	total       int
	byKey       map[string]int
}

func NewLimiter(all, perKey int) *Limiter {
	return &Limiter{all: all, perKey: perKey, byKey: map[string]int{}}
}

func (l *Limiter) Take(key string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.total >= l.all || l.byKey[key] >= l.perKey {
		return false
	}
	l.total++
	l.byKey[key]++
	return true
}

func (l *Limiter) Give(key string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.total--
	if l.byKey[key]--; l.byKey[key] <= 0 {
		delete(l.byKey, key)
	}
}
