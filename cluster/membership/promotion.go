package membership

import (
	"log/slog"
	"sync"
	"time"

	"github.com/hashicorp/raft"
)

const promotionLag = 250 // entries; raft-autopilot's MaxTrailingLogs

// Promote gives a vote to every new node that has kept up for long enough: voting
// earlier would raise the quorum before the node can be counted on. Every node watches
// for itself all the time: where leaders come and go, one that began anew would never
// have seen a newcomer long enough. What it saw as a follower was held against its own
// log, so the newcomer is asked once more against the leader's.
func (m *Membership) Promote() {
	m.correctAddresses()
	for _, s := range m.Group.Servers() {
		if s.Suffrage == raft.Voter || !m.promotions.stable(string(s.ID), m.Stabilization) ||
			len(m.behind(m.Context, []raft.Server{s})) > 0 {
			continue
		}
		m.change(string(s.ID), m.Group.Raft.AddVoter(s.ID, s.Address, 0, membershipTimeout).Error())
	}
}

func (m *Membership) change(id string, err error) {
	if err != nil { // tried again at the next tick
		m.Logger.Warn("changing membership", "peer", id, "error", err)
	}
}

// correctAddresses puts into the raft configuration what the members announced. Only the
// leader can.
func (m *Membership) correctAddresses() {
	for _, s := range m.Group.Servers() {
		id := string(s.ID)
		addr := m.peers.Announced(id)
		if id == m.Group.Self {
			addr = m.peers.Advertise
		}
		if addr == "" || addr == string(s.Address) || !m.peers.Reachable(id) {
			continue
		}
		if other := m.peers.Holder(addr, id); other != "" {
			m.sameAddress.Log(m.Logger, slog.LevelError, "two nodes say that they are reached at one address: give one of them another --advertise",
				"node", id, "other", other, "address", addr)
			continue
		}
		m.change(id, m.setServer(id, addr))
	}
}

// promotions knows since when each peer has kept up with this node's log.
type promotions struct {
	mu    sync.Mutex
	since map[string]time.Time
}

func (p *promotions) observe(id string, keepsUp bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.since == nil {
		p.since = map[string]time.Time{}
	}
	if _, ok := p.since[id]; ok && keepsUp {
		return
	}
	delete(p.since, id)
	if keepsUp {
		p.since[id] = time.Now()
	}
}

func (p *promotions) stable(id string, long time.Duration) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	since, ok := p.since[id]
	return ok && time.Since(since) >= long
}
