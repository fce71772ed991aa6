package cluster

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"time"
)

// Bounds of calls between nodes.
const (
	maxCallBytes = 4 << 20 // of a request and of an answer
	callTimeout  = 10 * time.Second
	callConns    = 16 // to one peer
)

// ErrNotSent marks a call whose request certainly did not reach the peer, so that
// it may be repeated without asking what became of it.
var ErrNotSent = errors.New("request was not sent")

// CallError is an answer other than 200 of a peer's handler.
type CallError struct {
	Peer   string
	Status int    // HTTP status
	Text   string // the body, at most 1 KiB
}

// Error says who answered what.
func (e *CallError) Error() string {
	return fmt.Sprintf("%s answers %d: %s", e.Peer, e.Status, e.Text)
}

type peerKey struct{}

// PeerID is the server id of the node that sent the request, from its
// certificate; empty outside of handlers given to Handle.
func PeerID(ctx context.Context) string {
	id, _ := ctx.Value(peerKey{}).(string)
	return id
}

// rpc is HTTP/1.1 over the internode port: a server on the handshaken
// connections, and a client whose host names are server ids.
type rpc struct {
	port    *port
	resolve func(id string) (string, bool)
	allowed func(id string) bool
	refuse  http.HandlerFunc               // answers peers that are no members
	tell    func(id string, h http.Header) // puts what we say on a request to id or an answer
	heard   func(id string, h http.Header) // takes what a member says of itself
	recall  func(id string, h http.Header) // takes what any node says of us
	mux     *http.ServeMux
	server  *http.Server
	client  *http.Client
	served  chan struct{}
}

func newRPC(p *port, logger *slog.Logger) *rpc {
	nobody := func(string, http.Header) {}
	r := &rpc{port: p, mux: http.NewServeMux(), served: make(chan struct{}), tell: nobody, heard: nobody, recall: nobody}
	r.server = &http.Server{
		Handler:           http.HandlerFunc(r.serveHTTP),
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       30 * time.Second,
		WriteTimeout:      60 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    16 << 10,
		ErrorLog:          log.New(io.Discard, "", 0),
		ConnContext: func(ctx context.Context, c net.Conn) context.Context {
			return context.WithValue(ctx, peerKey{}, c.(*peerConn).peer)
		},
	}
	if logger != nil {
		r.server.ErrorLog = slog.NewLogLogger(logger.Handler(), slog.LevelDebug)
	}
	r.client = &http.Client{Transport: &http.Transport{
		DialTLSContext:         r.dial,
		MaxIdleConnsPerHost:    callConns,
		MaxConnsPerHost:        callConns,
		IdleConnTimeout:        90 * time.Second,
		ResponseHeaderTimeout:  60 * time.Second,
		MaxResponseHeaderBytes: 16 << 10,
		DisableCompression:     true,
	}}
	return r
}

func (r *rpc) start() {
	go func() {
		defer close(r.served)
		_ = r.server.Serve(r.port.services[protoRPC]) // ends with the port
	}()
}

// stop ends the handlers within the context, and the idle connections of calls.
func (r *rpc) stop(ctx context.Context) error {
	err := r.server.Shutdown(ctx)
	if err != nil {
		err = errors.Join(fmt.Errorf("ending handlers: %w", err), r.server.Close())
	}
	r.client.CloseIdleConnections()
	<-r.served
	return err
}

func (r *rpc) serveHTTP(w http.ResponseWriter, req *http.Request) {
	id := PeerID(req.Context())
	r.recall(id, req.Header)
	r.tell(id, w.Header())
	if !r.allowed(id) {
		r.refuse(w, req)
		return
	}
	r.heard(id, req.Header)
	r.tell(id, w.Header()) // once more: of what was just heard
	req.Body = http.MaxBytesReader(w, req.Body, maxCallBytes)
	r.mux.ServeHTTP(w, req)
}

func (r *rpc) dial(ctx context.Context, _, hostport string) (net.Conn, error) {
	id, _, err := net.SplitHostPort(hostport)
	if err != nil {
		return nil, errors.Join(ErrNotSent, err)
	}
	addr, ok := r.resolve(id)
	if !ok {
		return nil, fmt.Errorf("%w: no address known for %s", ErrNotSent, id)
	}
	conn, err := r.port.dial(ctx, id, addr, protoRPC)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNotSent, err)
	}
	return conn, nil
}

// call posts body to a peer's handler and returns the answer's body.
func (r *rpc) call(ctx context.Context, id, path string, body []byte) ([]byte, error) {
	if len(body) > maxCallBytes {
		return nil, fmt.Errorf("calling %s%s: %w: %d bytes", id, path, ErrTooLarge, len(body))
	}
	if !nodeIDPattern.MatchString(id) {
		return nil, fmt.Errorf("calling %q: %w: %w", id, ErrNotSent, ErrNodeID)
	}
	if _, ok := ctx.Deadline(); !ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, callTimeout)
		defer cancel()
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "https://"+id+path, bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("calling %s%s: %w", id, path, err)
	}
	r.tell(id, req.Header)
	resp, err := r.client.Do(req)
	if err != nil {
		return nil, fmt.Errorf("calling %s%s: %w", id, path, err)
	}
	defer func() { _ = resp.Body.Close() }()
	return r.answer(id, path, resp)
}

func (r *rpc) answer(id, path string, resp *http.Response) ([]byte, error) {
	b, err := io.ReadAll(io.LimitReader(resp.Body, maxCallBytes+1))
	if err == nil && len(b) > maxCallBytes {
		err = ErrTooLarge
	}
	if err != nil {
		return nil, fmt.Errorf("reading answer of %s%s: %w", id, path, err)
	}
	r.heard(id, resp.Header)
	r.recall(id, resp.Header)
	if resp.StatusCode != http.StatusOK {
		return b, &CallError{Peer: id, Status: resp.StatusCode, Text: string(b[:min(len(b), 1024)])}
	}
	return b, nil
}

// readBody reads a request's body, sized by MaxBytesReader in serveHTTP.
func readBody(w http.ResponseWriter, req *http.Request) ([]byte, bool) {
	b, err := io.ReadAll(req.Body)
	if err != nil {
		status := http.StatusBadRequest
		if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
			status = http.StatusRequestEntityTooLarge
		}
		http.Error(w, "reading request: "+strconv.Quote(err.Error()), status)
		return nil, false
	}
	return b, true
}
