package api

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

// ServerOptions are the settings of a Server.
type ServerOptions struct {
	Address string       // host:port; port 0 takes a free one
	Handler http.Handler // of everything that is served: the API and the pages
	// EndStreams is called before Stop waits for the requests to end: streams never
	// end by themselves. Nil is nothing to end.
	EndStreams func()
	TLS        *tls.Config   // nil serves plain HTTP
	Logger     *slog.Logger  // nil discards
	Timeout    time.Duration // for reading a request and for writing an answer; 0 is 60 s; some routes give themselves more
}

// Server serves HTTP with timeouts and a graceful end. Start and Stop may be
// called from any goroutine; both once.
type Server struct {
	opts ServerOptions
	http *http.Server

	mu       sync.Mutex // guards listener and served
	listener net.Listener
	served   chan error // carries the end of Serve, once
}

// NewServer makes a server; nothing listens yet.
func NewServer(opts ServerOptions) *Server {
	if opts.Logger == nil {
		opts.Logger = slog.New(slog.DiscardHandler)
	}
	if opts.Timeout <= 0 {
		opts.Timeout = time.Minute
	}
	return &Server{opts: opts, http: &http.Server{
		Handler:           opts.Handler,
		ReadHeaderTimeout: min(opts.Timeout, 10*time.Second), // slowloris
		ReadTimeout:       opts.Timeout,
		WriteTimeout:      opts.Timeout,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
		ErrorLog:          slog.NewLogLogger(opts.Logger.With("component", "http").Handler(), slog.LevelWarn),
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
