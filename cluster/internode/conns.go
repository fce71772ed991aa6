package internode

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

// Conn is a connection whose handshake is done. peer is the server id from
// the certificate; empty for join, and for a peer dialled by address only.
type Conn struct {
	net.Conn
	peer    string
	Cert    *x509.Certificate // the peer's; nil for join
	proto   string
	dialled string // the address, where this node dialled; owner.mu guards it
	owner   *conns
	closed  sync.Once
}

// Close closes the connection once and forgets it.
func (c *Conn) Close() (err error) {
	c.closed.Do(func() {
		c.owner.remove(c)
		err = c.Conn.Close()
		c.owner.left(c.Conn)
	})
	return err
}

// conns is the set of open connections, so that they can be ended when a peer is
// removed or the node stops; reads on them have no deadline of their own.
type conns struct {
	mu     sync.Mutex
	all    map[*Conn]struct{}
	counts map[string]int
	closed bool
	left   func(net.Conn) // told of each that was closed
}

func newConns() *conns {
	return &conns{all: map[*Conn]struct{}{}, counts: map[string]int{}, left: func(net.Conn) {}}
}

func (s *conns) add(conn net.Conn, peer, proto string) (*Conn, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, errPortClosed
	}
	if s.counts[peer] >= maxConnsPerPeer {
		return nil, errTooManyConns
	}
	c := &Conn{Conn: conn, peer: peer, proto: proto, owner: s}
	s.all[c] = struct{}{}
	s.counts[peer]++
	return c, nil
}

func (s *conns) remove(c *Conn) {
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
	var ending []*Conn
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

// dialled notes where a connection of this node leads.
func (s *conns) dialled(c *Conn, addr string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c.dialled = addr
}

// closeDialled ends what this node dialled to the peer at any address but that one.
func (s *conns) closeDialled(peer, but string) {
	s.mu.Lock()
	var ending []*Conn
	for c := range s.all {
		if c.peer == peer && c.dialled != "" && c.dialled != but {
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
