package mqtt

import (
	"hash/maphash"
	"sync"
	"time"

	"almenara/channels/contract"
	"almenara/channels/mqtt/metrics"
	"almenara/channels/mqtt/packet"
	"almenara/channels/signal"
)

// shard is the part of the sessions that one worker serves.
type shard struct {
	wake signal.Signal // there is something to look at

	mu       sync.Mutex
	sessions map[string]*session // by device id: the current one only
	lists    [2][]*session       // the same sessions, loud ones first
}

// put makes s the session of its device and returns the one it replaces.
func (sh *shard) put(s *session) (old *session) {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	if old = sh.sessions[s.from.Device]; old != nil {
		sh.unlist(old)
	}
	sh.sessions[s.from.Device] = s
	list := &sh.lists[s.rank()]
	s.index = len(*list)
	*list = append(*list, s)
	return old
}

// remove takes s out, if it is still the session of its device: the comparison is
// by identity, as a newer connection may have taken the device over.
func (sh *shard) remove(s *session) bool {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	if sh.sessions[s.from.Device] != s {
		return false
	}
	delete(sh.sessions, s.from.Device)
	sh.unlist(s)
	return true
}

// unlist moves the last session into the gap.
func (sh *shard) unlist(s *session) {
	list := sh.lists[s.rank()]
	last := len(list) - 1
	list[s.index] = list[last]
	list[s.index].index = s.index
	list[last] = nil
	sh.lists[s.rank()] = list[:last]
}

func (sh *shard) get(device string) *session {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	return sh.sessions[device]
}

// list appends the sessions of one rank to into.
func (sh *shard) list(rank int, into []*session) []*session {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	return append(into, sh.lists[rank]...)
}

func (g *Gateway) hash(device string) uint64 { return maphash.String(g.seed, device) }

func (g *Gateway) shardOf(device string) *shard {
	return g.shards[g.hash(device)%uint64(len(g.shards))]
}

func (g *Gateway) allSessions() []*session {
	var all []*session
	for _, sh := range g.shards {
		for rank := range sh.lists {
			all = sh.list(rank, all)
		}
	}
	return all
}

// Connected reports whether the device has a session on this node.
func (g *Gateway) Connected(device string) bool { return g.shardOf(device).get(device) != nil }

// Sessions is the number of devices that have a session.
func (g *Gateway) Sessions() int {
	n := 0
	for _, sh := range g.shards {
		sh.mu.Lock()
		n += len(sh.sessions)
		sh.mu.Unlock()
	}
	return n
}

// Drop ends the device's session at once, as when its credential is revoked, and
// reports whether it had one. It does not keep the device from coming back: that is
// Auth's to do.
func (g *Gateway) Drop(device string) bool {
	s := g.shardOf(device).get(device)
	if s != nil {
		s.end(packet.CodeAdministrative, metrics.Dropped)
	}
	return s != nil
}

// inOrder calls f while nothing else of this device is told to the hooks.
func (g *Gateway) inOrder(device string, f func()) {
	stripe := &g.order[g.hash(device)>>32%uint64(len(g.order))]
	stripe.Lock()
	defer stripe.Unlock()
	f()
}

// enrol makes s the device's session. An older one ends at once; nothing waits
// for it. It reports false when the gateway is stopped.
func (g *Gateway) enrol(s *session, connack []byte) bool {
	g.inOrder(s.from.Device, func() {
		old := g.shardOf(s.from.Device).put(s)
		if old != nil {
			old.end(packet.CodeTakenOver, metrics.TakenOver)
		}
		s.write(connack)
		if g.hooks != nil {
			g.hooks.Session(s.from, true)
		}
	})
	return g.ctx.Err() == nil
}

// leave takes s out and tells the hooks, unless the device is here again.
func (g *Gateway) leave(s *session) {
	g.inOrder(s.from.Device, func() {
		last := g.shardOf(s.from.Device).remove(s)
		lost := last && s.why != metrics.Disconnect && s.why != metrics.Stopping
		if g.extra != nil {
			g.extra.leave(s, lost)
		}
		if !last || g.hooks == nil {
			return
		}
		if s.will != nil && lost {
			g.hooks.State(s.from, lastWords(s.will.Payload))
		}
		g.hooks.Session(s.from, false)
	})
}

// lastWords reads a will; an unreadable one still means that the device is lost.
func lastWords(payload []byte) contract.State {
	state, err := contract.ParseState(payload)
	if err != nil {
		return contract.State{State: contract.StateLost}
	}
	return state
}

// sweep ends sessions whose keep alive or acknowledgement is overdue. One pass
// over all sessions is cheaper than a timer in each.
func (g *Gateway) sweep() {
	ticker := time.NewTicker(max(time.Millisecond, min(time.Second, g.limits.AckTimeout/4)))
	defer ticker.Stop()
	var sessions []*session
	for {
		select {
		case <-g.ctx.Done():
			return
		case <-ticker.C:
		}
		g.accept.Maintain()
		for _, sh := range g.shards {
			for rank := range sh.lists {
				sessions = sh.list(rank, sessions[:0])
				for _, s := range sessions {
					s.checkTimes(g.clock.Now())
				}
				clear(sessions)
			}
		}
	}
}
