package node_test

import (
	"context"
	"errors"
	"net"
	"sync"
)

// wires are the links between nodes, which can be cut. Safe for concurrent use.
type wires struct {
	mu    sync.Mutex
	cut   map[string]bool // addresses of nodes that nobody reaches, and that reach nobody
	conns map[net.Conn][2]string
}

var errCut = errors.New("the link is cut")

func newWires() *wires { return &wires{cut: map[string]bool{}, conns: map[net.Conn][2]string{}} }

// lay is the dialler of the node that listens at from.
func (w *wires) lay(from string) func(ctx context.Context, network, addr string) (net.Conn, error) {
	return func(ctx context.Context, network, to string) (net.Conn, error) {
		if w.broken(from, to) {
			return nil, errCut
		}
		conn, err := (&net.Dialer{}).DialContext(ctx, network, to)
		if err != nil {
			return nil, err
		}
		w.mu.Lock()
		defer w.mu.Unlock()
		if w.cut[from] != w.cut[to] { // meanwhile
			return nil, errors.Join(errCut, conn.Close())
		}
		w.conns[conn] = [2]string{from, to}
		return conn, nil
	}
}

func (w *wires) broken(from, to string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.cut[from] != w.cut[to]
}

// isolate cuts the nodes off from all others, but not from each other; without nodes
// it heals every link.
func (w *wires) isolate(nodes ...string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	clear(w.cut)
	for _, addr := range nodes {
		w.cut[addr] = true
	}
	for conn, ends := range w.conns {
		if w.cut[ends[0]] != w.cut[ends[1]] {
			_ = conn.Close()
			delete(w.conns, conn)
		}
	}
}
