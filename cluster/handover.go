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
	"time"
)

// protoHandover is what a node speaks with any other of its district to leave behind
// what only it has, whatever the incarnation of either, and also when it was removed
// or has lost its memory. It is the one door in the fence, and facts alone pass it.
const protoHandover = "almenara-handover/1"

// maxHandovers is how many requests of leaving nodes are served at a time.
const maxHandovers = 4

// HandleHandover serves a path for nodes that take no part in the district any more;
// PeerID gives the caller, which holds a certificate of the district and no more than
// that. Call it right after Start.
func (c *Cluster) HandleHandover(pattern string, h http.Handler) { c.handover.mux.Handle(pattern, h) }

// handovers is HTTP/1.1 over protoHandover.
type handovers struct {
	mux    *http.ServeMux
	server *http.Server
	served chan struct{}
}

func newHandovers(refuse func() error, logger *slog.Logger) *handovers {
	h := &handovers{mux: http.NewServeMux(), served: make(chan struct{})}
	slots := make(chan struct{}, maxHandovers)
	h.server = &http.Server{
		Handler: http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
			if err := refuse(); err != nil {
				http.Error(w, err.Error(), http.StatusConflict)
				return
			}
			select {
			case slots <- struct{}{}:
				defer func() { <-slots }()
			default:
				http.Error(w, "other nodes are being served: try again", statusBusy)
				return
			}
			req.Body = http.MaxBytesReader(w, req.Body, maxCallBytes)
			h.mux.ServeHTTP(w, req)
		}),
		ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 30 * time.Second, WriteTimeout: 60 * time.Second,
		IdleTimeout: 30 * time.Second, MaxHeaderBytes: 16 << 10,
		ErrorLog: log.New(io.Discard, "", 0),
		ConnContext: func(ctx context.Context, c net.Conn) context.Context {
			return context.WithValue(ctx, peerKey{}, c.(*peerConn).peer)
		},
	}
	if logger != nil {
		h.server.ErrorLog = slog.NewLogLogger(logger.Handler(), slog.LevelDebug)
	}
	return h
}

func (h *handovers) start(l net.Listener) {
	go func() {
		defer close(h.served)
		_ = h.server.Serve(l) // ends with the port
	}()
}

// stop ends the handlers within the context.
func (h *handovers) stop(ctx context.Context) error {
	err := h.server.Shutdown(ctx)
	if err != nil {
		err = errors.Join(fmt.Errorf("ending handovers: %w", err), h.server.Close())
	}
	<-h.served
	return err
}

// refuseHandover is why this node takes nothing over; nil when it does.
func (c *Cluster) refuseHandover() error {
	if c.quarantine.Load() != nil {
		return ErrQuarantined
	}
	return nil
}

// Handover is a way to one node of the district for another that takes no part in it
// any more. Its methods may be called from any goroutine.
type Handover struct {
	addr   string
	port   *port
	client *http.Client
	cancel context.CancelFunc
}

// NewHandover makes a way to whatever node of the identity's district answers at addr;
// nothing is dialled before the first call.
func NewHandover(id *Identity, addr string) *Handover {
	h := &Handover{addr: addr}
	var ctx context.Context
	ctx, h.cancel = context.WithCancel(context.Background())
	h.port = &port{identity: func() *Identity { return id }, dialTCP: (&net.Dialer{}).DialContext, conns: newConns(), ctx: ctx}
	h.client = &http.Client{Transport: &http.Transport{
		DialTLSContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			conn, err := h.port.dial(ctx, "", addr, protoHandover)
			if err != nil {
				return nil, err
			}
			return conn, nil
		},
		MaxConnsPerHost: 1, ResponseHeaderTimeout: 60 * time.Second, DisableCompression: true,
	}}
	return h
}

// Call posts body to a path that the node serves with HandleHandover. An answer other
// than 200 is a *CallError. Without a deadline in ctx it takes 10 s at most.
func (h *Handover) Call(ctx context.Context, path string, body []byte) ([]byte, error) {
	if _, ok := ctx.Deadline(); !ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, callTimeout)
		defer cancel()
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "https://"+h.addr+path, bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("calling %s%s: %w", h.addr, path, err)
	}
	resp, err := h.client.Do(req)
	if err != nil {
		return nil, fmt.Errorf("calling %s%s: %w", h.addr, path, err)
	}
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(io.LimitReader(resp.Body, maxCallBytes))
	if err != nil {
		return nil, fmt.Errorf("reading answer of %s%s: %w", h.addr, path, err)
	}
	if resp.StatusCode != http.StatusOK {
		return nil, &CallError{Peer: h.addr, Status: resp.StatusCode, Text: string(b[:min(len(b), 1024)])}
	}
	return b, nil
}

// Close ends the connection.
func (h *Handover) Close() {
	h.cancel()
	h.client.CloseIdleConnections()
	h.port.conns.closeAll()
}
