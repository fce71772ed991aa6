package cluster

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"time"
)

// Bounds of the internode port.
const (
	handshakeTimeout    = 5 * time.Second
	maxHandshakes       = 64 // at a time, in all
	maxHandshakesPerIP  = 16 // so that one broken box cannot keep the others out
	maxConnsPerPeer     = 64 // raft keeps 3, HTTP at most callConns
	acceptBackoffAtMost = time.Second
)

// port is the one listener of a node and all its connections. A client that
// stalls or misbehaves costs one handshake slot until its deadline; Accept never
// waits for it.
type port struct {
	identity func() *Identity
	listener net.Listener
	dialTCP  func(ctx context.Context, network, addr string) (net.Conn, error)
	logger   *slog.Logger
	services map[string]*service                    // by ALPN, without the incarnation; fixed after newPort
	met      func(peer string, theirs *Incarnation) // told of nodes of another incarnation; nil tells nobody
	conns    *conns
	shaking  *limiter

	ctx    context.Context // ends with close
	cancel context.CancelFunc
	wg     sync.WaitGroup // the accept loop and every handshake
}

func newPort(listen string, identity func() *Identity, dial dialFunc, logger *slog.Logger) (*port, error) {
	l, err := net.Listen("tcp", listen)
	if err != nil {
		return nil, fmt.Errorf("opening internode port: %w", err)
	}
	p := &port{
		identity: identity, listener: l, dialTCP: dial, logger: logger,
		services: map[string]*service{},
		conns:    newConns(),
		shaking:  newLimiter(maxHandshakes, maxHandshakesPerIP),
	}
	for _, proto := range []string{protoRaft, protoRPC, protoHandover, protoJoin} {
		p.services[proto] = newService(l.Addr())
	}
	p.ctx, p.cancel = context.WithCancel(context.Background())
	return p, nil
}

// dialFunc opens a TCP connection; tests cut links with it.
type dialFunc func(ctx context.Context, network, addr string) (net.Conn, error)

// start begins to accept. Services that nobody listens on refuse.
func (p *port) start() {
	p.wg.Add(1)
	go p.accept(serverTLS(p.identity))
}

func (p *port) accept(config *tls.Config) {
	defer p.wg.Done()
	backoff := 5 * time.Millisecond
	for {
		conn, err := p.listener.Accept()
		if p.ctx.Err() != nil {
			if err == nil {
				_ = conn.Close()
			}
			return
		}
		if err != nil { // out of descriptors, say: others' connections will end
			p.logger.Warn("accepting internode connection", "error", err)
			p.pause(backoff)
			backoff = min(2*backoff, acceptBackoffAtMost)
			continue
		}
		backoff = 5 * time.Millisecond
		p.admit(conn, config)
	}
}

func (p *port) pause(d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-p.ctx.Done():
	}
}

func (p *port) admit(conn net.Conn, config *tls.Config) {
	host, _, _ := net.SplitHostPort(conn.RemoteAddr().String())
	if !p.shaking.take(host) {
		_ = conn.Close()
		return
	}
	p.wg.Add(1)
	go func() {
		defer p.wg.Done()
		defer p.shaking.give(host)
		if err := p.serve(tls.Server(conn, config)); err != nil {
			p.logger.Debug("refusing internode connection", "remote", conn.RemoteAddr().String(), "error", err)
		}
	}()
}

// serve shakes hands and gives the connection to the service it asked for.
func (p *port) serve(conn *tls.Conn) error {
	ctx, cancel := context.WithTimeout(p.ctx, handshakeTimeout)
	defer cancel()
	if err := handshake(ctx, conn); err != nil {
		return err
	}
	state := conn.ConnectionState()
	proto := serviceOf(state.NegotiatedProtocol)
	var id string
	if proto != protoJoin {
		var err error
		if id, err = certificateID(state.PeerCertificates); err != nil {
			return errors.Join(err, conn.Close())
		}
	}
	if proto == protoFence {
		return p.meet(ctx, conn, id)
	}
	s, ok := p.services[proto]
	if !ok {
		return errors.Join(errors.New("no service chosen"), conn.Close())
	}
	pc, err := p.conns.add(conn, id, proto)
	if err != nil {
		return errors.Join(err, conn.Close())
	}
	if proto != protoJoin {
		pc.cert = state.PeerCertificates[0]
	}
	return s.give(ctx, pc)
}

// dial opens a connection to the node with this id (or any node of the district
// when it is empty) for one service.
func (p *port) dial(ctx context.Context, peerID, addr, proto string) (*peerConn, error) {
	ctx, cancel := context.WithTimeout(ctx, handshakeTimeout)
	defer cancel()
	defer context.AfterFunc(p.ctx, cancel)()
	raw, err := p.dialTCP(ctx, "tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("dialling %s: %w", addr, err)
	}
	conn := tls.Client(raw, clientTLS(p.identity(), peerID, proto))
	if err := handshake(ctx, conn); err != nil {
		return nil, err
	}
	state := conn.ConnectionState()
	got := state.NegotiatedProtocol
	if got == protoFence {
		return nil, p.meet(ctx, conn, peerID)
	}
	if serviceOf(got) != proto {
		return nil, errors.Join(fmt.Errorf("dialling %s: peer speaks %q", addr, got), conn.Close())
	}
	pc, err := p.conns.add(conn, peerID, proto)
	if err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	pc.cert = state.PeerCertificates[0]
	return pc, nil
}

// close stops accepting, ends every connection and waits for the handshakes.
func (p *port) close() error {
	p.cancel()
	err := p.listener.Close()
	for _, s := range p.services {
		_ = s.Close()
	}
	p.conns.closeAll()
	p.wg.Wait()
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

// service is the net.Listener of one ALPN protocol: it yields connections whose
// handshake is done.
type service struct {
	addr   net.Addr
	ready  chan *peerConn
	closed chan struct{}
	once   sync.Once
}

func newService(addr net.Addr) *service {
	return &service{addr: addr, ready: make(chan *peerConn), closed: make(chan struct{})}
}

// Accept implements net.Listener.
func (s *service) Accept() (net.Conn, error) {
	select {
	case c := <-s.ready:
		return c, nil
	case <-s.closed:
		return nil, net.ErrClosed
	}
}

// Close implements net.Listener; connections already given stay open.
func (s *service) Close() error {
	s.once.Do(func() { close(s.closed) })
	return nil
}

// Addr implements net.Listener.
func (s *service) Addr() net.Addr { return s.addr }

func (s *service) give(ctx context.Context, c *peerConn) error {
	select {
	case s.ready <- c:
		return nil
	case <-s.closed:
		return errors.Join(net.ErrClosed, c.Close())
	case <-ctx.Done():
		return errors.Join(context.Cause(ctx), c.Close())
	}
}
