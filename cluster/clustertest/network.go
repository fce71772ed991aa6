package clustertest

import (
	"context"
	"errors"
	"net"
	"sync"
)

var errCut = errors.New("link is cut")

// network dials for all nodes and can cut each off from the others, by its address and
// both ways, connections in use included.
type network struct {
	mu    sync.Mutex
	cut   map[string]bool
	conns map[[2]string]map[net.Conn]struct{}
}

func (n *network) dialFrom(from string) func(context.Context, string, string) (net.Conn, error) {
	return func(ctx context.Context, network, to string) (net.Conn, error) {
		if n.isCut(from, to) {
			return nil, errCut
		}
		c, err := (&net.Dialer{}).DialContext(ctx, network, to)
		if err != nil {
			return nil, err
		}
		return n.keep(from, to, c)
	}
}

func (n *network) keep(from, to string, c net.Conn) (net.Conn, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.cutLocked(from, to) {
		return nil, errors.Join(errCut, c.Close())
	}
	key := [2]string{from, to}
	if n.conns[key] == nil {
		n.conns[key] = map[net.Conn]struct{}{}
	}
	l := &link{Conn: c, forget: func(l net.Conn) {
		n.mu.Lock()
		defer n.mu.Unlock()
		delete(n.conns[key], l)
	}}
	n.conns[key][l] = struct{}{}
	return l, nil
}

type link struct {
	net.Conn
	forget func(net.Conn)
}

// Close implements net.Conn.
func (l *link) Close() error {
	l.forget(l)
	return l.Conn.Close()
}

func (n *network) isCut(a, b string) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.cutLocked(a, b)
}

func (n *network) cutLocked(a, b string) bool {
	return n.cut[a] || n.cut[b]
}

func (n *network) isolated(a string) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.cut[a]
}

func (n *network) setCut(a string, cut bool) {
	n.mu.Lock()
	n.cut[a] = cut
	var ending []net.Conn
	for key, conns := range n.conns {
		if !n.cutLocked(key[0], key[1]) {
			continue
		}
		for c := range conns {
			ending = append(ending, c)
		}
	}
	n.mu.Unlock()
	for _, c := range ending { // Close takes mu
		_ = c.Close()
	}
}

// Cut isolates a node from all others.
func (d *District) Cut(n *Node) { d.network.setCut(n.Addr, true) }

// Heal undoes Cut.
func (d *District) Heal(n *Node) { d.network.setCut(n.Addr, false) }
