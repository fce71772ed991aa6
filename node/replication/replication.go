// Package replication says how far the facts of this node's alerts have got: durable here, held by
// other nodes, agreed by a majority.
//
//	exchange.Progress ─> Put ─> Facts ─> Of, Await ─> wire.Replication
//
// It keeps nothing on disk: what it has forgotten is asked of the log. It never imports api,
// channels, storage or another part of node but inflight and wire.
package replication

import (
	"maps"
	"sync"

	"almenara/cluster/exchange"
)

// Facts holds the progress of this node's own facts of alerts until they are agreed. Its
// methods may be called from any goroutine.
type Facts struct {
	agreed func(id string) (bool, error) // whether the fact is in the log

	mu    sync.Mutex
	facts map[string]*exchange.Progress
}

// New makes one; agreed reports whether the fact with an id is in the log.
func New(agreed func(id string) (bool, error)) *Facts {
	return &Facts{agreed: agreed, facts: map[string]*exchange.Progress{}}
}

// Put follows a fact that was just made.
func (u *Facts) Put(p *exchange.Progress) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.facts[p.ID.String()] = p
	u.settle() // this one may be committed already, and forget will not be called again
}

// settle drops what is committed. mu is held.
func (u *Facts) settle() {
	maps.DeleteFunc(u.facts, func(_ string, p *exchange.Progress) bool { return p.Level() == exchange.Committed })
}

func (u *Facts) get(id string) *exchange.Progress {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.facts[id]
}

// Forget is told that the fact is agreed.
func (u *Facts) Forget(id string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	delete(u.facts, id)
}

// Count is how many are not agreed yet.
func (u *Facts) Count() int {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.settle()
	return len(u.facts)
}

// Of says how far the fact with an id has got, as far as this node knows.
func (u *Facts) Of(id string) Reach {
	if agreed, err := u.agreed(id); err == nil && agreed {
		u.Forget(id)
		return Reach{level: exchange.Committed}
	}
	if p := u.get(id); p != nil {
		return Now(p)
	}
	return Reach{level: exchange.Local}
}
