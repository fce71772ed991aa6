// Package httpserver listens for HTTP: the listener, TLS, which connections are let in, how
// long a request may take to come and to be answered, and an end that waits for what is being
// answered. It knows no route and no caller, and imports nothing of ours.
package httpserver

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"
)

// Options are the settings of a Server.
type Options struct {
	Address string       // host:port; port 0 takes a free one
	Handler http.Handler // of everything that is served: the API and the pages
	// EndStreams is called before Stop waits for the requests to end: streams never
	// end by themselves. Nil is nothing to end.
	EndStreams func()
	TLS        *tls.Config   // nil serves plain HTTP
	Logger     *slog.Logger  // nil discards
	Conns      Conns         // shares out the descriptors; nil takes every connection
	Timeout    time.Duration // for reading a request and for writing an answer; 0 is 60 s; some routes give themselves more
}

// Conns bounds the connections that are open at a time. Its methods are called from any
// goroutine.
type Conns interface {
	// Enter counts a connection that was accepted; false closes it.
	Enter(net.Conn) bool
	// KnownAs says that who is behind it has shown a token of this user that is good.
	KnownAs(conn net.Conn, user string)
	// Leave says that it was closed.
	Leave(net.Conn)
}

// anyConns takes every connection.
type anyConns struct{}

func (anyConns) Enter(net.Conn) bool      { return true } // Enter implements Conns.
func (anyConns) KnownAs(net.Conn, string) {}              // KnownAs implements Conns.
func (anyConns) Leave(net.Conn)           {}              // Leave implements Conns.

// entering lets in what Conns allows.
type entering struct {
	net.Listener
	conns Conns
}

// Accept implements net.Listener.
func (l entering) Accept() (net.Conn, error) {
	for {
		conn, err := l.Listener.Accept()
		if err != nil || l.conns.Enter(conn) {
			return conn, err
		}
		_ = conn.Close()
	}
}

// knownKey is where a request's context has the function that marks its connection.
type knownKey struct{}

// KnownAs marks the connection of a request whose token is a good one of the user. A request
// that no Server took, as in tests, has none to mark.
func KnownAs(r *http.Request, user string) {
	if mark, ok := r.Context().Value(knownKey{}).(func(string)); ok {
		mark(user)
	}
}

// maxHeader bounds what a stranger can make a connection cost: a token, a path and a query
// take some hundred bytes.
const maxHeader = 16 << 10

// Server serves HTTP with timeouts and a graceful end. Start and Stop may be
// called from any goroutine; both once.
type Server struct {
	opts Options
	http *http.Server

	mu       sync.Mutex // guards listener and served
	listener net.Listener
	served   chan error // carries the end of Serve, once
}

// New makes a server; nothing listens yet.
func New(opts Options) *Server {
	if opts.Logger == nil {
		opts.Logger = slog.New(slog.DiscardHandler)
	}
	if opts.Timeout <= 0 {
		opts.Timeout = time.Minute
	}
	if opts.Conns == nil {
		opts.Conns = anyConns{}
	}
	return &Server{opts: opts, http: &http.Server{
		Handler:           opts.Handler,
		ReadHeaderTimeout: min(opts.Timeout, 10*time.Second), // slowloris
		ReadTimeout:       opts.Timeout,
		WriteTimeout:      opts.Timeout,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    maxHeader,
		ConnContext: func(ctx context.Context, c net.Conn) context.Context {
			return context.WithValue(ctx, knownKey{}, func(user string) { opts.Conns.KnownAs(c, user) })
		},
		ConnState: func(c net.Conn, state http.ConnState) {
			if state == http.StateClosed { // one that was hijacked leaves with whoever took it
				opts.Conns.Leave(c)
			}
		},
		ErrorLog: slog.NewLogLogger(opts.Logger.With("component", "http").Handler(), slog.LevelWarn),
	}}
}

// Start listens and serves until Stop. When it returns without an error, requests
// are taken at Addr.
func (s *Server) Start() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.listener != nil {
		return errors.New("starting HTTP server: it was started before")
	}
	listener, err := net.Listen("tcp", s.opts.Address)
	if err != nil {
		return fmt.Errorf("listening for HTTP: %w", err)
	}
	s.listener, s.served = listener, make(chan error, 1)
	listener = entering{listener, s.opts.Conns}
	if s.opts.TLS != nil {
		listener = tls.NewListener(listener, s.opts.TLS)
	}
	go func(served chan<- error) { served <- s.http.Serve(listener) }(s.served)
	return nil
}

// Addr is where the server listens; nil before Start.
func (s *Server) Addr() net.Addr {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.listener == nil {
		return nil
	}
	return s.listener.Addr()
}

// Stop takes no new requests, ends the streams, waits for the other requests until
// ctx ends, then cuts them. When it returns, no handler is called any more. It is
// safe before Start and may be repeated.
func (s *Server) Stop(ctx context.Context) error {
	if s.opts.EndStreams != nil {
		s.opts.EndStreams()
	}
	err := s.http.Shutdown(ctx)
	if err != nil {
		err = errors.Join(fmt.Errorf("waiting for requests to end: %w", err), s.http.Close())
	}
	s.mu.Lock()
	served := s.served
	s.served = nil
	s.mu.Unlock()
	if served == nil {
		return err
	}
	if end := <-served; !errors.Is(end, http.ErrServerClosed) {
		err = errors.Join(err, fmt.Errorf("serving HTTP: %w", end))
	}
	return err
}
