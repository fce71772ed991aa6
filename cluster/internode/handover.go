package internode

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"time"

	"almenara/cluster/identity"
)

// maxHandovers is how many requests of leaving nodes are served at a time.
const maxHandovers = 4

// Handovers serves nodes that leave, for any holder of a certificate of the district.
type Handovers struct {
	*httpService
	standing func() Standing // of this node
}

// NewHandovers makes the service on the port. refuse is why this node takes nothing over,
// nil when it does; standing is how it stands to its district.
func NewHandovers(p *Port, refuse func() error, standing func() Standing, logger *slog.Logger) *Handovers {
	h := &Handovers{httpService: newHTTPService(p, identity.ProtoHandover, 30*time.Second, logger), standing: standing}
	slots := make(chan struct{}, maxHandovers)
	h.server.Handler = http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if req.URL.Path == pathStanding {
			h.serveStanding(w)
			return
		}
		if err := refuse(); err != nil {
			http.Error(w, err.Error(), http.StatusConflict)
			return
		}
		select {
		case slots <- struct{}{}:
			defer func() { <-slots }()
		default:
			http.Error(w, "other nodes are being served: try again", http.StatusServiceUnavailable)
			return
		}
		req.Body = http.MaxBytesReader(w, req.Body, MaxCallBytes)
		h.mux.ServeHTTP(w, req)
	})
	return h
}

// Handover is a way to one node of the district for another that takes no part in it
// any more. Its methods may be called from any goroutine.
type Handover struct {
	addr   string
	port   *Port
	client *http.Client
	cancel context.CancelFunc
}

// NewHandover makes a way to whatever node of the identity's district answers at addr;
// nothing is dialled before the first call.
func NewHandover(id *identity.Identity, addr string) *Handover {
	h := &Handover{addr: addr}
	var ctx context.Context
	ctx, h.cancel = context.WithCancel(context.Background())
	h.port = &Port{identity: func() *identity.Identity { return id }, dialTCP: (&net.Dialer{}).DialContext, conns: newConns(), ctx: ctx}
	h.client = &http.Client{Transport: &http.Transport{
		DialTLSContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			conn, err := h.port.Dial(ctx, "", addr, identity.ProtoHandover)
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
	b, err := io.ReadAll(io.LimitReader(resp.Body, MaxCallBytes))
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
