package internode

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"time"

	"almenara/cluster/connlimit"
	"almenara/cluster/identity"
	"almenara/storage/wait"
)

// Bounds of the internode port.
const (
	HandshakeTimeout    = 5 * time.Second
	maxConnsPerPeer     = 64 // raft keeps 3, HTTP at most callConns
	acceptBackoffAtMost = time.Second
)

// Port is the one listener of a node and all its connections. Accept never waits for a
// client. Who has not shown a certificate is a stranger: too many of one address are
// closed before the handshake, which costs a signature, and when there are too many in
// all the oldest gives way (connlimit), so that one that stalls keeps nobody out.
type Port struct {
	identity func() *identity.Identity
	listener net.Listener
	dialTCP  func(ctx context.Context, network, addr string) (net.Conn, error)
	logger   *slog.Logger
	services map[string]*service                             // by ALPN, without the incarnation; fixed after newPort
	met      func(peer string, theirs *identity.Incarnation) // told of nodes of another incarnation; nil tells nobody
	conns    *conns
	shares   *connlimit.Port
	rates    *arrivals

	ctx    context.Context // ends with close
	cancel context.CancelFunc
	wg     sync.WaitGroup // the accept loop and every handshake
}

// PortOptions is what a port needs. Conns and Met may be nil.
type PortOptions struct {
	Listen   string                    // host:port; port 0 picks one
	Identity func() *identity.Identity // of now: certificates are renewed
	Dial     DialFunc
	Conns    *connlimit.Port // the share of the process's descriptors; nil is one of its own
	// Met is told of nodes of another incarnation.
	Met    func(peer string, theirs *identity.Incarnation)
	Logger *slog.Logger
}

// NewPort listens. Nobody is served before start.
func NewPort(o PortOptions) (*Port, error) {
	l, err := net.Listen("tcp", o.Listen)
	if err != nil {
		return nil, fmt.Errorf("opening internode port: %w", err)
	}
	p := &Port{
		identity: o.Identity, listener: l, dialTCP: o.Dial, logger: o.Logger, met: o.Met,
		services: map[string]*service{},
		conns:    newConns(),
		shares:   o.Conns,
		rates:    newArrivals(),
	}
	if p.shares == nil {
		p.shares = connlimit.NewPool(maxOwnConns).Port(connlimit.Share{Strangers: connlimit.InternodeStrangers})
	}
	for _, proto := range []string{identity.ProtoRaft, identity.ProtoRPC, identity.ProtoHandover, identity.ProtoJoin} {
		p.services[proto] = newService(l.Addr())
	}
	p.conns.left = func(conn net.Conn) { p.shares.Leave(conn) }
	p.ctx, p.cancel = context.WithCancel(context.Background())
	return p, nil
}

// Addr is where the port listens.
func (p *Port) Addr() net.Addr { return p.listener.Addr() }

// Service is the listener of one protocol; what it yields is a *peerConn.
func (p *Port) Service(proto string) net.Listener { return p.services[proto] }

// CloseIf ends the connections of one protocol, or of all when it is empty, with the peers
// for which end says so.
func (p *Port) CloseIf(proto string, end func(peer string) bool) { p.conns.closeIf(proto, end) }

// CloseDialled ends what this node dialled to the peer at any address but that one.
func (p *Port) CloseDialled(peer, but string) { p.conns.closeDialled(peer, but) }

// TrustAddress says that a node of the district is reached at host:port: a flood of
// handshakes from there is not held against it.
func (p *Port) TrustAddress(addr string) { p.rates.trustAddress(addr) }

// maxOwnConns is how many connections a port takes that shares with nobody.
const maxOwnConns = 4096

// DialFunc opens a TCP connection; tests cut links with it.
type DialFunc func(ctx context.Context, network, addr string) (net.Conn, error)

// Start begins to accept. Services that nobody listens on refuse.
func (p *Port) Start() {
	p.wg.Add(1)
	go p.accept(identity.ServerTLS(p.identity))
}

func (p *Port) accept(config *tls.Config) {
	defer p.wg.Done()
	pauses := wait.Backoff{First: 5 * time.Millisecond, Last: acceptBackoffAtMost}
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
			wait.Sleep(p.ctx, pauses.Next())
			continue
		}
		pauses.Reset()
		p.admit(conn, config)
	}
}

func (p *Port) admit(conn net.Conn, config *tls.Config) {
	if !p.rates.allow(hostOf(conn), time.Now()) || !p.shares.Enter(conn) {
		_ = conn.Close()
		return
	}
	p.wg.Add(1)
	go func() {
		defer p.wg.Done()
		if err := p.serve(tls.Server(conn, config)); err != nil {
			p.shares.Leave(conn)
			p.logger.Debug("refusing internode connection", "remote", conn.RemoteAddr().String(), "error", err)
		}
	}()
}

func hostOf(conn net.Conn) string {
	host, _, _ := net.SplitHostPort(conn.RemoteAddr().String())
	return host
}

// serve shakes hands and gives the connection to the service it asked for.
func (p *Port) serve(conn *tls.Conn) error {
	ctx, cancel := context.WithTimeout(p.ctx, HandshakeTimeout)
	defer cancel()
	if err := identity.Handshake(ctx, conn); err != nil {
		return err
	}
	state := conn.ConnectionState()
	proto := identity.ServiceOf(state.NegotiatedProtocol)
	var id string
	if proto != identity.ProtoJoin {
		var err error
		if id, err = identity.CertificateID(state.PeerCertificates); err != nil {
			return errors.Join(err, conn.Close())
		}
		p.shares.Known(conn)
		p.rates.trust(hostOf(conn))
	}
	if proto == identity.ProtoFence {
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
	if proto != identity.ProtoJoin {
		pc.Cert = state.PeerCertificates[0]
	}
	return s.give(ctx, pc)
}

// Dial opens a connection to the node with this id (or any node of the district
// when it is empty) for one service.
func (p *Port) Dial(ctx context.Context, peerID, addr, proto string) (*Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, HandshakeTimeout)
	defer cancel()
	defer context.AfterFunc(p.ctx, cancel)()
	raw, err := p.dialTCP(ctx, "tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("dialling %s: %w", addr, err)
	}
	conn := tls.Client(raw, identity.ClientTLS(p.identity(), peerID, proto))
	if err := identity.Handshake(ctx, conn); err != nil {
		return nil, err
	}
	state := conn.ConnectionState()
	got := state.NegotiatedProtocol
	if got == identity.ProtoFence {
		return nil, p.meet(ctx, conn, peerID)
	}
	if identity.ServiceOf(got) != proto {
		return nil, errors.Join(fmt.Errorf("dialling %s: peer speaks %q", addr, got), conn.Close())
	}
	pc, err := p.conns.add(conn, peerID, proto)
	if err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	pc.Cert = state.PeerCertificates[0]
	p.conns.dialled(pc, addr)
	return pc, nil
}

// Close stops accepting, ends every connection and waits for the handshakes.
func (p *Port) Close() error {
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
	ready  chan *Conn
	closed chan struct{}
	once   sync.Once
}

func newService(addr net.Addr) *service {
	return &service{addr: addr, ready: make(chan *Conn), closed: make(chan struct{})}
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

func (s *service) give(ctx context.Context, c *Conn) error {
	select {
	case s.ready <- c:
		return nil
	case <-s.closed:
		return errors.Join(net.ErrClosed, c.Close())
	case <-ctx.Done():
		return errors.Join(context.Cause(ctx), c.Close())
	}
}
