package cluster

import (
	"crypto/x509"
	"errors"
	"net"
	"sync"
)

var (
	errTooManyConns = errors.New("too many connections with this peer")
	errPortClosed   = errors.New("internode port is closed")
)

// peerConn is a connection whose handshake is done. peer is the server id from
// the certificate; empty for join, and for a peer dialled by address only.
type peerConn struct {
	net.Conn
	peer   string
	cert   *x509.Certificate // the peer's; nil for join
	proto  string
	owner  *conns
	closed sync.Once
}

// Close closes the connection once and forgets it.
func (c *peerConn) Close() (err error) {
	c.closed.Do(func() {
		c.owner.remove(c)
		err = c.Conn.Close()
	})
	return err
}

// conns is the set of open connections, so that they can be ended when a peer is
// removed or the node stops; reads on them have no deadline of their own.
type conns struct {
	mu     sync.Mutex
	all    map[*peerConn]struct{}
	counts map[string]int
	closed bool
}

func newConns() *conns {
	return &conns{all: map[*peerConn]struct{}{}, counts: map[string]int{}}
}

func (s *conns) add(conn net.Conn, peer, proto string) (*peerConn, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, errPortClosed
	}
	if s.counts[peer] >= maxConnsPerPeer {
		return nil, errTooManyConns
	}
	c := &peerConn{Conn: conn, peer: peer, proto: proto, owner: s}
	s.all[c] = struct{}{}
	s.counts[peer]++
	return c, nil
}

func (s *conns) remove(c *peerConn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.all, c)
	if s.counts[c.peer]--; s.counts[c.peer] <= 0 {
		delete(s.counts, c.peer)
	}
}

// closeIf ends the connections of one protocol, or of all when it is empty, with
// the peers for which end says so.
func (s *conns) closeIf(proto string, end func(peer string) bool) {
	s.mu.Lock()
	var ending []*peerConn
	for c := range s.all {
		if (proto == "" || c.proto == proto) && end(c.peer) {
			ending = append(ending, c)
		}
	}
	s.mu.Unlock()
	for _, c := range ending { // Close takes mu
		_ = c.Close()
	}
}

func (s *conns) closeAll() {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.closeIf("", func(string) bool { return true })
}

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
