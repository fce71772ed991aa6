package accept

import (
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"almenara/channels/mqtt/nonblocking"
	"almenara/storage/wait"
)

// Transport says what is below MQTT on a listener.
type Transport uint8

// The transports. The same rules hold on all of them.
const (
	TCP Transport = iota
	TLS
	WS  // WebSocket, subprotocol mqtt, at any path
	WSS // WebSocket over TLS
)

// String is the name as in metrics and logs.
func (t Transport) String() string { return [...]string{"tcp", "tls", "ws", "wss"}[t&3] }

// Listen opens address and serves it until Stop. It returns the address that it
// got, for port 0.
func (s *Server) Listen(address string, t Transport) (net.Addr, error) {
	ln, err := net.Listen("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("opening device gateway: %w", err)
	}
	serve, err := s.prepare(ln, t)
	if err != nil {
		_ = ln.Close()
		return nil, err
	}
	go func() {
		defer s.goroutines.Done()
		if err := serve(); !errors.Is(err, ErrStopped) {
			s.options.Log.Error("listener ended", "address", ln.Addr().String(), "error", err)
		}
	}()
	return ln.Addr(), nil
}

// Serve serves a listener and blocks until Stop, when it returns ErrStopped. It
// closes the listener.
func (s *Server) Serve(ln net.Listener, t Transport) error {
	serve, err := s.prepare(ln, t)
	if err != nil {
		_ = ln.Close()
		return err
	}
	defer s.goroutines.Done()
	return serve()
}

// Addrs are the addresses that are or were served, in the order in which they came.
func (s *Server) Addrs() []net.Addr {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]net.Addr(nil), s.addrs...)
}

// prepare registers the listener and counts the goroutine that is to serve it.
func (s *Server) prepare(ln net.Listener, t Transport) (serve func() error, err error) {
	if (t == TLS || t == WSS) && s.tls == nil {
		return nil, fmt.Errorf("serving %s on %s: no TLS configuration was given", t, ln.Addr())
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopped {
		return nil, ErrStopped
	}
	s.goroutines.Add(1)
	s.listeners = append(s.listeners, ln)
	s.addrs = append(s.addrs, ln.Addr())
	admitting := &admittingListener{ln, s, t}
	if t == TCP || t == TLS {
		return func() error { return s.acceptAll(admitting, t) }, nil
	}
	server := s.webServer(t)
	s.servers = append(s.servers, server)
	return func() error { return s.serveWeb(server, admitting, t) }, nil
}

// acceptAll serves plain and TLS listeners.
func (s *Server) acceptAll(ln *admittingListener, t Transport) error {
	for {
		out, err := ln.accept()
		if err != nil {
			return s.whyEnded(err)
		}
		var top net.Conn = out
		if t == TLS {
			top = tls.Server(out, s.tls.mqtt)
		}
		s.options.Begin(out, top, t)
	}
}

// whyEnded tells Stop from a broken listener.
func (s *Server) whyEnded(err error) error {
	if s.ctx.Err() != nil || errors.Is(err, http.ErrServerClosed) {
		return ErrStopped
	}
	return fmt.Errorf("accepting devices: %w", err)
}

// webServer takes WebSocket upgrades. Its goroutines are counted from a new
// connection until that is closed or has become a session.
func (s *Server) webServer(t Transport) *http.Server {
	return &http.Server{
		Handler:           s.Handler(),
		ReadHeaderTimeout: s.options.ConnectTimeout,
		IdleTimeout:       s.options.ConnectTimeout,
		MaxHeaderBytes:    8 << 10,
		ErrorLog:          slog.NewLogLogger(s.options.Log.Handler(), slog.LevelDebug),
		ConnState: func(_ net.Conn, state http.ConnState) {
			switch state {
			case http.StateNew:
				s.goroutines.Add(1)
			case http.StateHijacked, http.StateClosed:
				s.goroutines.Done()
			}
		},
	}
}

func (s *Server) serveWeb(server *http.Server, ln net.Listener, t Transport) error {
	if t == WSS {
		ln = tls.NewListener(ln, s.tls.http)
	}
	return s.whyEnded(server.Serve(ln))
}

// admittingListener lets in what the limits allow, as connections of ours.
type admittingListener struct {
	net.Listener
	s *Server
	t Transport
}

// Accept is accept for net/http.
func (l *admittingListener) Accept() (net.Conn, error) { return l.accept() }

// accept waits for a connection that is let in. Others are closed at once. Errors
// that pass, such as too many open files, are waited out.
func (l *admittingListener) accept() (*nonblocking.Conn, error) {
	pauses := wait.Backoff{First: 5 * time.Millisecond, Last: time.Second}
	for {
		conn, err := l.Listener.Accept()
		if err != nil {
			if !isPassing(err) || !wait.Sleep(l.s.ctx, pauses.Next()) {
				return nil, err
			}
			l.s.options.Log.Warn("accepting failed", "error", err)
			continue
		}
		if l.s.options.Conns.Enter(l.t, conn) {
			if out := l.s.Admit(conn); out != nil {
				return out, nil
			}
			l.s.options.Conns.Leave(conn)
		}
		_ = conn.Close()
	}
}

// isPassing reports errors of accept after which the listener still works.
func isPassing(err error) bool {
	var temporary interface{ Temporary() bool }
	return !errors.Is(err, net.ErrClosed) && errors.As(err, &temporary) && temporary.Temporary()
}
