package internode

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net"
	"net/http"
	"time"
)

// httpService is HTTP/1.1 over one protocol of the port. Its methods may be called from any
// goroutine.
type httpService struct {
	listener net.Listener
	mux      *http.ServeMux
	server   *http.Server
	served   chan struct{} // closed when it serves no more
}

// newHTTPService makes one; idle is how long a connection without requests stays. It serves
// nothing before Start. Its handler has the mux for what it lets through.
func newHTTPService(p *Port, proto string, idle time.Duration, logger *slog.Logger) *httpService {
	s := &httpService{listener: p.Service(proto), mux: http.NewServeMux(), served: make(chan struct{})}
	s.server = &http.Server{
		Handler:           s.mux,
		ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 30 * time.Second, WriteTimeout: 60 * time.Second,
		IdleTimeout: idle, MaxHeaderBytes: 16 << 10,
		ErrorLog: log.New(io.Discard, "", 0),
		ConnContext: func(ctx context.Context, c net.Conn) context.Context {
			return context.WithValue(ctx, peerKey{}, c.(*Conn).peer)
		},
	}
	if logger != nil {
		s.server.ErrorLog = slog.NewLogLogger(logger.Handler(), slog.LevelDebug)
	}
	return s
}

// Handle serves a path; PeerID gives the caller. Patterns are those of http.ServeMux.
func (s *httpService) Handle(pattern string, h http.Handler) { s.mux.Handle(pattern, h) }

// Start begins to serve.
func (s *httpService) Start() {
	go func() {
		defer close(s.served)
		_ = s.server.Serve(s.listener) // ends with the port
	}()
}

// Stop ends the handlers within the context.
func (s *httpService) Stop(ctx context.Context) error {
	err := s.server.Shutdown(ctx)
	if err != nil {
		err = errors.Join(fmt.Errorf("ending handlers: %w", err), s.server.Close())
	}
	<-s.served
	return err
}
