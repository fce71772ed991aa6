// Package connlimit shares the descriptors of a process out among its listeners, so that
// whoever opens connections without end takes them from nobody but himself: not from
// raft's log, the journal and the store, not from another port, and not from those who
// have proved who they are.
//
// A connection is a stranger's until Known is called for it. Strangers of one port share
// its part by address: when there is no room for another, the oldest stranger of the
// address that has the most is closed, so that a newcomer always gets in, long enough to
// prove who it is. Known connections are never closed here; a port holds Guaranteed
// of them whatever the others do, and more while descriptors are left. Where one user may
// have many, KnownAs keeps OfUser of them; those beyond stay strangers', and give way.
package connlimit

import (
	"container/list"
	"net"
	"net/netip"
	"sync"
)

// Share is a port's part.
type Share struct {
	Strangers  int // connections that have not proved who they are; at least 1
	Guaranteed int // of all connections, whatever the other ports hold; at least 1
	Most       int // of all connections; 0 is no bound of its own
	// OfUser is how many known connections one user has; 0 is MostOfUser.
	OfUser int
	// Loopback is how many connections of this machine are let in though nothing is left:
	// they come out of what is reserved.
	Loopback int
}

// MostOfUser is how many connections of one user are never closed for others: event streams
// (64 of one user, node/api/routing) and as many requests beside them.
const MostOfUser = 128

// Pool is what all ports of a process share. Its methods may be called from any
// goroutine.
type Pool struct {
	mu       sync.Mutex
	spare    int // connections beyond the ports' guarantees
	borrowed int // of spare
	arrivals uint64
	conns    map[net.Conn]*held
}

// Port is one listener, or several of one kind.
type Port struct {
	pool      *Pool
	share     Share
	count     int // connections, without those beyond
	beyond    int // let in out of the reserve
	strangers int
	address   map[netip.Addr]*list.List // strangers' *held, oldest first; no empty lists
	users     map[string]int            // known connections of each; no zeros
	dropped   uint64
	refused   uint64
}

// held is one connection.
type held struct {
	port   *Port
	conn   net.Conn
	from   netip.Addr
	place  *list.Element // in its address's list; nil once it is known
	order  uint64        // in which connections came
	user   string        // that it is known as; empty is nobody
	beyond bool
}

// NewPool shares out so many connections.
func NewPool(connections int) *Pool {
	return &Pool{spare: connections, conns: map[net.Conn]*held{}}
}

// Port adds a port, whose guarantee is taken from what is spare. A share that is more
// than is there is cut down to what is there, but to one connection.
func (p *Pool) Port(share Share) *Port {
	p.mu.Lock()
	defer p.mu.Unlock()
	share.Strangers = max(1, share.Strangers)
	share.Guaranteed = max(1, min(share.Guaranteed, p.spare))
	p.spare = max(0, p.spare-share.Guaranteed)
	if share.OfUser <= 0 {
		share.OfUser = MostOfUser
	}
	return &Port{pool: p, share: share, address: map[netip.Addr]*list.List{}, users: map[string]int{}}
}

// Enter counts a connection that was accepted, as a stranger's. When there is no room a
// stranger is closed for it. It reports false when there is none to close: the caller
// closes the new connection then.
func (p *Port) Enter(conn net.Conn) bool {
	victim, ok := p.enter(conn)
	if victim != nil {
		_ = victim.Close()
	}
	return ok
}

func (p *Port) enter(conn net.Conn) (victim net.Conn, ok bool) {
	p.pool.mu.Lock()
	defer p.pool.mu.Unlock()
	p.pool.arrivals++
	h := &held{port: p, conn: conn, from: addressOf(conn), order: p.pool.arrivals}
	if p.strangers >= p.share.Strangers || !p.room() {
		switch first := p.oldest(); {
		case first != nil && (!first.beyond || h.from.IsLoopback()):
			victim, h.beyond = first.conn, first.beyond
			p.pool.remove(first)
			p.dropped++
		case h.from.IsLoopback() && p.beyond < p.share.Loopback:
			h.beyond = true
		default:
			p.refused++
			return nil, false
		}
	}
	p.add(h)
	return victim, true
}

// room reports whether the port may hold one connection more.
func (p *Port) room() bool {
	return (p.share.Most == 0 || p.count < p.share.Most) && (p.count < p.share.Guaranteed || p.pool.borrowed < p.pool.spare)
}

// oldest is the stranger that gives way: the oldest one of the address that has the most,
// and of addresses that have as many the one that came first. Nil is none.
func (p *Port) oldest() *held {
	var first *held
	most := 0
	for _, line := range p.address {
		h := line.Front().Value.(*held)
		if line.Len() > most || line.Len() == most && h.order < first.order {
			first, most = h, line.Len()
		}
	}
	return first
}

func (p *Port) add(h *held) {
	switch {
	case h.beyond:
		p.beyond++
	default:
		if p.count >= p.share.Guaranteed {
			p.pool.borrowed++
		}
		p.count++
	}
	line := p.address[h.from]
	if line == nil {
		line = list.New()
		p.address[h.from] = line
	}
	h.place = line.PushBack(h)
	p.strangers++
	p.pool.conns[h.conn] = h
}

// Known says that a connection has proved who it is: it is closed for nobody any more.
// Connections that did not enter, and layers of TLS over those that did, may be given.
func (p *Pool) Known(conn net.Conn) {
	conn = bottom(conn)
	p.mu.Lock()
	defer p.mu.Unlock()
	if h := p.conns[conn]; h != nil {
		h.leaveLine()
	}
}

// KnownAs is Known for a connection of a user, who may have others: when Share.OfUser of
// them are known already it stays a stranger's, until one of those has left and it is
// called again.
func (p *Pool) KnownAs(conn net.Conn, user string) {
	conn = bottom(conn)
	p.mu.Lock()
	defer p.mu.Unlock()
	h := p.conns[conn]
	if h == nil || h.place == nil || h.port.users[user] >= h.port.share.OfUser {
		return
	}
	h.leaveLine()
	h.user = user
	h.port.users[user]++
}

// Leave gives back what a connection took; the caller has closed it. It may be called
// again, and for connections that did not enter.
func (p *Pool) Leave(conn net.Conn) {
	conn = bottom(conn)
	p.mu.Lock()
	defer p.mu.Unlock()
	if h := p.conns[conn]; h != nil {
		p.remove(h)
	}
}

// Known is Pool.Known: a port is all that a listener needs.
func (p *Port) Known(conn net.Conn) { p.pool.Known(conn) }

// KnownAs is Pool.KnownAs.
func (p *Port) KnownAs(conn net.Conn, user string) { p.pool.KnownAs(conn, user) }

// Leave is Pool.Leave.
func (p *Port) Leave(conn net.Conn) { p.pool.Leave(conn) }

// remove takes a connection out of the counts.
func (p *Pool) remove(h *held) {
	h.leaveLine()
	delete(p.conns, h.conn)
	if h.user != "" {
		if h.port.users[h.user]--; h.port.users[h.user] == 0 {
			delete(h.port.users, h.user)
		}
	}
	if h.beyond {
		h.port.beyond--
		return
	}
	h.port.count--
	if h.port.count >= h.port.share.Guaranteed {
		p.borrowed--
	}
}

// leaveLine takes a connection out of the strangers.
func (h *held) leaveLine() {
	if h.place == nil {
		return
	}
	line := h.port.address[h.from]
	line.Remove(h.place)
	if line.Len() == 0 {
		delete(h.port.address, h.from)
	}
	h.place = nil
	h.port.strangers--
}

// Counts are what a port holds and has turned away.
type Counts struct {
	Connections int    // open now
	Strangers   int    // of them, who have not proved who they are
	Dropped     uint64 // strangers that were closed for others, ever
	Refused     uint64 // connections that were not let in, ever
}

// Counts are those of this moment.
func (p *Port) Counts() Counts {
	p.pool.mu.Lock()
	defer p.pool.mu.Unlock()
	return Counts{Connections: p.count + p.beyond, Strangers: p.strangers, Dropped: p.dropped, Refused: p.refused}
}

// bottom is the connection below layers of TLS.
func bottom(conn net.Conn) net.Conn {
	for {
		layer, ok := conn.(interface{ NetConn() net.Conn })
		if !ok {
			return conn
		}
		conn = layer.NetConn()
	}
}

// addressOf is who a connection counts for: its address, or the /64 of an IPv6 one, which
// a single machine has for itself. The zero value stands for all that cannot be read.
func addressOf(conn net.Conn) netip.Addr {
	at, err := netip.ParseAddrPort(conn.RemoteAddr().String())
	if err != nil {
		return netip.Addr{}
	}
	addr := at.Addr().Unmap()
	if addr.Is6() && !addr.IsLoopback() {
		prefix, _ := addr.Prefix(64) // 64 is within range
		return prefix.Addr()
	}
	return addr
}
