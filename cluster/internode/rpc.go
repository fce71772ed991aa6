package internode

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"strconv"
	"time"

	"almenara/cluster/identity"
)

// Bounds of calls between nodes.
const (
	MaxCallBytes = 4 << 20 // of a request and of an answer
	callTimeout  = 10 * time.Second
	callConns    = 16 // to one peer
)

// ErrNotSent marks a call whose request certainly did not reach the peer, so that
// it may be repeated without asking what became of it.
var ErrNotSent = errors.New("request was not sent")

// ErrTooLarge: a command over 256 KiB or a message over 4 MiB. Nothing happened.
var ErrTooLarge = errors.New("too large")

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

// Peers is what the RPC asks and tells about the nodes at the other end. Nil tells nobody,
// but for allowed, refuse and connect, which a server and a client need.
type Peers struct {
	Connect  func(ctx context.Context, id string) (*Conn, error)
	Allowed  func(id string) bool
	Refuse   http.HandlerFunc               // answers peers that are no members
	Tell     func(id string, h http.Header) // puts what we say on a request to id or an answer
	Heard    func(id string, h http.Header) // takes what a member says of itself
	Recall   func(id string, h http.Header) // takes what any node says of us
	Answered func(id string)                // a call of ours came back
}

// RPC is HTTP/1.1 over the internode port: a server on the handshaken
// connections, and a client whose host names are server ids.
type RPC struct {
	Peers
	*httpService
	client *http.Client
}

// NewRPC makes both over the port's service; nothing is served before start.
func NewRPC(p *Port, to Peers, logger *slog.Logger) *RPC {
	nobody := func(string, http.Header) {}
	for _, f := range []*func(string, http.Header){&to.Tell, &to.Heard, &to.Recall} {
		if *f == nil {
			*f = nobody
		}
	}
	if to.Answered == nil {
		to.Answered = func(string) {}
	}
	r := &RPC{Peers: to, httpService: newHTTPService(p, identity.ProtoRPC, 2*time.Minute, logger)}
	r.server.Handler = http.HandlerFunc(r.serveHTTP)
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

// Stop ends the handlers within the context, and the idle connections of calls.
func (r *RPC) Stop(ctx context.Context) error {
	err := r.httpService.Stop(ctx)
	r.client.CloseIdleConnections()
	return err
}

func (r *RPC) serveHTTP(w http.ResponseWriter, req *http.Request) {
	id := PeerID(req.Context())
	r.Recall(id, req.Header)
	r.Tell(id, w.Header())
	if !r.Allowed(id) {
		r.Refuse(w, req)
		return
	}
	r.Heard(id, req.Header)
	r.Tell(id, w.Header()) // once more: of what was just heard
	req.Body = http.MaxBytesReader(w, req.Body, MaxCallBytes)
	r.mux.ServeHTTP(w, req)
}

func (r *RPC) dial(ctx context.Context, _, hostport string) (net.Conn, error) {
	id, _, err := net.SplitHostPort(hostport)
	if err != nil {
		return nil, errors.Join(ErrNotSent, err)
	}
	conn, err := r.Connect(ctx, id)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNotSent, err)
	}
	return conn, nil
}

// Call posts body to a peer's handler and returns the answer's body.
func (r *RPC) Call(ctx context.Context, id, path string, body []byte) ([]byte, error) {
	return r.CallWith(ctx, id, path, body, nil)
}

// CallWith is call with further headers.
func (r *RPC) CallWith(ctx context.Context, id, path string, body []byte, header http.Header) ([]byte, error) {
	if len(body) > MaxCallBytes {
		return nil, fmt.Errorf("calling %s%s: %w: %d bytes", id, path, ErrTooLarge, len(body))
	}
	if !identity.ValidNodeID(id) {
		return nil, fmt.Errorf("calling %q: %w: %w", id, ErrNotSent, identity.ErrNodeID)
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
	maps.Copy(req.Header, header)
	r.Tell(id, req.Header)
	resp, err := r.client.Do(req)
	if err != nil {
		return nil, fmt.Errorf("calling %s%s: %w", id, path, err)
	}
	defer func() { _ = resp.Body.Close() }()
	return r.answer(id, path, resp)
}

func (r *RPC) answer(id, path string, resp *http.Response) ([]byte, error) {
	b, err := io.ReadAll(io.LimitReader(resp.Body, MaxCallBytes+1))
	if err == nil && len(b) > MaxCallBytes {
		err = ErrTooLarge
	}
	if err != nil {
		return nil, fmt.Errorf("reading answer of %s%s: %w", id, path, err)
	}
	r.Answered(id)
	r.Heard(id, resp.Header)
	r.Recall(id, resp.Header)
	if resp.StatusCode != http.StatusOK {
		return b, &CallError{Peer: id, Status: resp.StatusCode, Text: string(b[:min(len(b), 1024)])}
	}
	return b, nil
}

// ReadBody reads a request's body, sized by MaxBytesReader in serveHTTP.
func ReadBody(w http.ResponseWriter, req *http.Request) ([]byte, bool) {
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
