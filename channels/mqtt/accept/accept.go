// Package accept lets connections in: it owns the listeners, the limits of who may connect
// and how fast, TLS and its session tickets, the turns of handshakes at the processors, and
// the count of connections that are open. What it lets in it hands to Options.Begin. It knows
// nothing of what is said on a connection.
//
// Of our packages it imports channels/mqtt/nonblocking and channels/mqtt/websocket.
package accept

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"almenara/channels/mqtt/nonblocking"
)

// ErrStopped is returned by Serve and Listen after Close.
var ErrStopped = errors.New("gateway is stopped")

// Conns bounds the connections that are open at a time, beside Limits: those of this
// gateway among all that its process has. Its methods are called from any goroutine.
type Conns interface {
	// Enter counts a connection that a listener has accepted; false closes it.
	Enter(Transport, net.Conn) bool
	// Known says that the device on it has shown its secret. Connections that another
	// server accepted are told of, too.
	Known(net.Conn)
	// Leave says that it was closed.
	Leave(net.Conn)
}

// anyConns takes every connection.
type anyConns struct{}

func (anyConns) Enter(Transport, net.Conn) bool { return true } // Enter implements Conns.
func (anyConns) Known(net.Conn)                 {}              // Known implements Conns.
func (anyConns) Leave(net.Conn)                 {}              // Leave implements Conns.

// Metrics counts what is let in, and what is not.
type Metrics struct {
	Connections prometheus.Gauge   // open
	Rate        prometheus.Counter // refused: the address opens too many
	Full        prometheus.Counter // refused: too many are open
	Protocol    prometheus.Counter // refused: not a WebSocket upgrade that may be done
}

// Options is what a server is made of. Only TLS, Tickets, Origins and Conns may be nil.
type Options struct {
	Begin      func(out *nonblocking.Conn, top net.Conn, t Transport) // starts what speaks on a connection; it must not wait
	Goroutines *sync.WaitGroup                                        // counts all that the server starts, and the users of connections
	TLS        *tls.Config                                            // nil: neither TLS nor WSS can be served
	Tickets    []byte                                                 // secret of the session tickets; nil: they are forgotten with the process
	Origins    func() []string                                        // further hosts whose pages may connect over WebSocket
	Conns      Conns                                                  // nil takes what the limits allow
	Clock      func() time.Time                                       // the time of day
	Log        *slog.Logger
	Metrics    Metrics

	MaxConnections  int           // open at the same time
	AcceptPerSecond float64       // for each address
	AcceptBurst     int           // of one address, after a pause
	Handshakes      int           // of TLS that are computed at the same time
	ConnectTimeout  time.Duration // for the head of a WebSocket request
	MaxPending      int           // bytes that may wait for one device
	Stall           time.Duration // without progress of what a device is sent, before it is closed
	SendBuffer      int           // bytes of SO_SNDBUF
}

// Server accepts connections. Its methods may be called from any goroutine, Maintain from
// one at a time.
type Server struct {
	ctx        context.Context // ends before Close is called
	options    Options
	goroutines *sync.WaitGroup
	tls        *tlsConfigs
	conn       nonblocking.Options
	handshakes chan struct{}
	rates      *rates
	ticketDay  int64 // of the keys in use; New's, then Maintain's

	mu        sync.Mutex // guards what follows
	stopped   bool
	listeners []net.Listener
	servers   []*http.Server
	addrs     []net.Addr
	conns     map[*nonblocking.Conn]net.Conn // what was accepted for each, as Conns knows it; nil where nobody asks
}

// New makes a server that serves no address yet. ctx ends when it is to stop, just before
// Close is called: whoever accepts then knows that its listener was closed on purpose.
func New(ctx context.Context, o Options) (*Server, error) {
	if o.Conns == nil {
		o.Conns = anyConns{}
	}
	s := &Server{
		ctx: ctx, options: o, goroutines: o.Goroutines, tls: newTLSConfigs(o.TLS),
		handshakes: make(chan struct{}, o.Handshakes), rates: newRates(o.AcceptPerSecond, o.AcceptBurst),
		conns: map[*nonblocking.Conn]net.Conn{},
	}
	s.conn = nonblocking.Options{Goroutines: o.Goroutines, Closed: s.connClosed, MaxPending: o.MaxPending, Stall: o.Stall}
	return s, s.renewTickets(o.Clock())
}

// Maintain forgets what is over, and renews the keys of session tickets with the date. It is
// called about once a second.
func (s *Server) Maintain() {
	s.rates.forget(time.Now())
	if err := s.renewTickets(s.options.Clock()); err != nil {
		s.options.Log.Error("ticket keys stay those of another day", "error", err)
	}
}

// Close closes the listeners and refuses new ones, and every connection. Those that are open
// stay; it may be called again.
func (s *Server) Close() {
	s.mu.Lock()
	s.stopped = true
	listeners, servers := s.listeners, s.servers
	s.listeners, s.servers = nil, nil
	s.mu.Unlock()
	for _, ln := range listeners {
		_ = ln.Close()
	}
	for _, server := range servers {
		_ = server.Close()
	}
}

// Conns lists the connections that are open.
func (s *Server) Conns() []*nonblocking.Conn {
	s.mu.Lock()
	defer s.mu.Unlock()
	conns := make([]*nonblocking.Conn, 0, len(s.conns))
	for c := range s.conns {
		conns = append(conns, c)
	}
	return conns
}

// Known says that the device on a connection has shown its secret.
func (s *Server) Known(c *nonblocking.Conn) { s.options.Conns.Known(c.Conn) }

// enter counts a goroutine, unless the server is closed.
func (s *Server) enter() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopped {
		return false
	}
	s.goroutines.Add(1)
	return true
}

// connClosed gives the connection's place back.
func (s *Server) connClosed(c *nonblocking.Conn) {
	s.mu.Lock()
	accepted := s.conns[c] // not c.Conn: a poller may have taken it over
	delete(s.conns, c)
	s.mu.Unlock()
	s.options.Conns.Leave(accepted)
	s.options.Metrics.Connections.Dec()
}
