package peers

import (
	"sync"
	"time"

	"github.com/hashicorp/raft"
)

// reachableFor is how long an answer makes a node reachable.
const reachableFor = 3 * time.Second

// contacts is who was heard and when, by the monotonic clock, in memory only.
type contacts struct {
	mu       sync.Mutex
	heard    map[string]time.Time // by server id; members only
	answered map[string]time.Time // the same, of answers to our own calls only
	gone     map[string]struct{}  // seen in a configuration and then not
	seen     map[string]struct{}  // the last configuration
}

func (c *contacts) init() {
	c.heard, c.answered = map[string]time.Time{}, map[string]time.Time{}
	c.gone, c.seen = map[string]struct{}{}, map[string]struct{}{}
}

func (c *contacts) hear(id string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.heard[id] = time.Now()
}

// compare notes the present configuration, and returns who left it since the last one.
func (c *contacts) compare(servers []raft.Server) (left []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := map[string]struct{}{}
	for _, s := range servers {
		now[string(s.ID)] = struct{}{}
		delete(c.gone, string(s.ID))
	}
	for id := range c.seen {
		if _, ok := now[id]; !ok {
			c.gone[id] = struct{}{}
			delete(c.heard, id)
			delete(c.answered, id)
			left = append(left, id)
		}
	}
	c.seen = now
	return left
}

// Answered notes that the peer answered a call of ours.
func (p *Peers) Answered(id string) {
	p.contacts.mu.Lock()
	defer p.contacts.mu.Unlock()
	p.contacts.answered[id] = time.Now()
}

// LastHeard is when the peer last answered or asked; zero when never.
func (p *Peers) LastHeard(id string) time.Time {
	p.contacts.mu.Lock()
	defer p.contacts.mu.Unlock()
	return p.contacts.heard[id]
}

// LastAnswer is when the peer last answered a call of ours; zero when never.
func (p *Peers) LastAnswer(id string) time.Time {
	p.contacts.mu.Lock()
	defer p.contacts.mu.Unlock()
	return p.contacts.answered[id]
}

// Gone reports whether the node was a member in this run, and is none any more.
func (p *Peers) Gone(id string) bool {
	p.contacts.mu.Lock()
	defer p.contacts.mu.Unlock()
	_, ok := p.contacts.gone[id]
	return ok
}

// Reachable reports whether the node answered within the last 3 s; this node always.
func (p *Peers) Reachable(id string) bool {
	return id == p.Self || time.Since(p.LastAnswer(id)) < reachableFor
}
