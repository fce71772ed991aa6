//go:build linux

package main

import (
	"context"
	"fmt"
	"net"
	"sync"
)

// proxy stands before the internode port of one node: the others are told its
// address instead. Everything between two nodes goes through the proxy of the one
// that was dialled, and obeys the wires in each direction.
type proxy struct {
	owner    int    // whose port it is
	target   string // where that node listens
	listener net.Listener
	wires    *wires
	whose    func(net.Conn) int // which node dialled

	ctx    context.Context
	cancel context.CancelFunc
	wg     sync.WaitGroup

	mu    sync.Mutex
	pairs map[*pair]struct{}
	seen  map[int]int // connections so far, by who dialled
}

// pair is one connection through the proxy.
type pair struct {
	from         int
	client, node net.Conn // node is nil while it is not dialled
	once         sync.Once
}

func newProxy(owner int, listener net.Listener, target string, w *wires, whose func(net.Conn) int) *proxy {
	p := &proxy{owner: owner, target: target, listener: listener, wires: w, whose: whose, pairs: map[*pair]struct{}{}, seen: map[int]int{}}
	p.ctx, p.cancel = context.WithCancel(context.Background())
	p.wg.Add(1)
	go p.accept(listener)
	return p
}

func (p *proxy) addr() string { return p.at().Addr().String() }

// at is where it listens now.
func (p *proxy) at() net.Listener {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.listener
}

// close ends every connection and waits for all goroutines.
func (p *proxy) close() {
	p.cancel()
	_ = p.at().Close()
	p.endIf(func(*pair) bool { return true })
	p.wg.Wait()
}

func (p *proxy) accept(listener net.Listener) {
	defer p.wg.Done()
	for {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		p.wg.Add(1)
		go func() {
			defer p.wg.Done()
			p.serve(conn)
		}()
	}
}

// serve carries one connection. It is dialled on only once both directions are
// open, as a handshake of TCP would need.
func (p *proxy) serve(client net.Conn) {
	one := &pair{from: p.whose(client), client: client}
	p.add(one)
	defer p.end(one)
	if p.refused(one.from) || p.both(one.from) != nil {
		return
	}
	conn, err := new(net.Dialer).DialContext(p.ctx, "tcp", p.target)
	if err != nil || !p.dialled(one, conn) {
		return
	}
	var pumps sync.WaitGroup
	pumps.Go(func() { p.pump(one, conn, client, one.from, p.owner) })
	pumps.Go(func() { p.pump(one, client, conn, p.owner, one.from) })
	pumps.Wait()
}

func (p *proxy) both(from int) error {
	if err := p.wires.pass(p.ctx, from, p.owner); err != nil {
		return err
	}
	return p.wires.pass(p.ctx, p.owner, from)
}

// refused reports whether connections with that node end at once.
func (p *proxy) refused(from int) bool {
	there, _ := p.wires.get(from, p.owner)
	back, _ := p.wires.get(p.owner, from)
	return there.refuse || back.refuse
}

// pump copies one direction until either end is gone. An end travels over the wire
// too: while that is cut, the other side does not learn of it.
func (p *proxy) pump(one *pair, dst, src net.Conn, from, to int) {
	defer p.end(one)
	buf := make([]byte, 32<<10)
	for {
		n, err := src.Read(buf)
		if p.wires.pass(p.ctx, from, to) != nil {
			return
		}
		if n > 0 {
			if _, err := dst.Write(buf[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

func (p *proxy) add(one *pair) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.pairs[one] = struct{}{}
	p.seen[one.from]++
}

// from is how many connections that node has dialled so far.
func (p *proxy) from(node int) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.seen[node]
}

// dialled notes the node's side; false when the pair has ended meanwhile.
func (p *proxy) dialled(one *pair, conn net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if _, open := p.pairs[one]; !open {
		_ = conn.Close()
		return false
	}
	one.node = conn
	return true
}

func (p *proxy) end(one *pair) {
	p.mu.Lock()
	delete(p.pairs, one)
	conn := one.node
	p.mu.Unlock()
	one.once.Do(func() {
		_ = one.client.Close()
		if conn != nil {
			_ = conn.Close()
		}
	})
}

// endRefused ends the connections that the wires do not let live.
func (p *proxy) endRefused() { p.endIf(func(one *pair) bool { return p.refused(one.from) }) }

func (p *proxy) endIf(which func(*pair) bool) {
	p.mu.Lock()
	var ending []*pair
	for one := range p.pairs {
		if which(one) {
			ending = append(ending, one)
		}
	}
	p.mu.Unlock()
	for _, one := range ending {
		p.end(one)
	}
}

// listen opens a port of loopback that is free and, being below the range from
// which the kernel takes the ports of clients (32768 and up), stays so while the
// one who listens there is dead.
func (p *ports) listen() (net.Listener, error) {
	for range 1000 {
		port := 12000 + p.pick(8000)
		if p.used[port] {
			continue
		}
		p.used[port] = true
		if l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port)); err == nil {
			return l, nil
		}
	}
	return nil, fmt.Errorf("finding a free port: none of 1000 is")
}

// ports hands out ports, each of them once.
type ports struct {
	used map[int]bool
	pick func(n int) int
}

// free is an address on which nobody listens.
func (p *ports) free() (string, error) {
	l, err := p.listen()
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}
