package mqtt

import (
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"
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

// tlsConfigs are the two forms of the given configuration.
type tlsConfigs struct{ mqtt, http *tls.Config }

// newTLSConfigs returns nil without a configuration. Records are not split: a
// body and a manifest are one write, and would be several otherwise.
func newTLSConfigs(c *tls.Config) *tlsConfigs {
	if c == nil {
		return nil
	}
	mqtt := c.Clone()
	mqtt.MinVersion = max(mqtt.MinVersion, tls.VersionTLS13)
	mqtt.DynamicRecordSizingDisabled = true
	mqtt.NextProtos = nil
	http := mqtt.Clone()
	http.NextProtos = []string{"http/1.1"} // WebSocket is an upgrade of HTTP/1.1
	return &tlsConfigs{mqtt, http}
}

// Listen opens address and serves it until Stop. It returns the address that it
// got, for port 0.
func (g *Gateway) Listen(address string, t Transport) (net.Addr, error) {
	ln, err := net.Listen("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("opening device gateway: %w", err)
	}
	serve, err := g.prepare(ln, t)
	if err != nil {
		_ = ln.Close()
		return nil, err
	}
	go func() {
		defer g.wg.Done()
		if err := serve(); !errors.Is(err, ErrStopped) {
			g.log.Error("listener ended", "address", ln.Addr().String(), "error", err)
		}
	}()
	return ln.Addr(), nil
}

// Serve serves a listener and blocks until Stop, when it returns ErrStopped. It
// closes the listener.
func (g *Gateway) Serve(ln net.Listener, t Transport) error {
	serve, err := g.prepare(ln, t)
	if err != nil {
		_ = ln.Close()
		return err
	}
	defer g.wg.Done()
	return serve()
}

// Addrs are the addresses that are or were served, in the order in which they came.
func (g *Gateway) Addrs() []net.Addr {
	g.mu.Lock()
	defer g.mu.Unlock()
	return append([]net.Addr(nil), g.addrs...)
}

// prepare registers the listener and counts the goroutine that is to serve it.
func (g *Gateway) prepare(ln net.Listener, t Transport) (serve func() error, err error) {
	if (t == TLS || t == WSS) && g.tls == nil {
		return nil, fmt.Errorf("serving %s on %s: no TLS configuration was given", t, ln.Addr())
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.stopped {
		return nil, ErrStopped
	}
	g.wg.Add(1)
	g.listeners = append(g.listeners, ln)
	g.addrs = append(g.addrs, ln.Addr())
	admitting := &admittingListener{ln, g}
	if t == TCP {
		g.startPollers()
	}
	if t == TCP || t == TLS {
		return func() error { return g.acceptAll(admitting, t) }, nil
	}
	server := g.webServer(t)
	g.servers = append(g.servers, server)
	return func() error { return g.serveWeb(server, admitting, t) }, nil
}

// acceptAll serves plain and TLS listeners.
func (g *Gateway) acceptAll(ln *admittingListener, t Transport) error {
	for {
		out, err := ln.accept()
		if err != nil {
			return g.whyEnded(err)
		}
		var top net.Conn = out
		if t == TLS {
			top = tls.Server(out, g.tls.mqtt)
		}
		g.begin(out, top, t)
	}
}

// begin starts the connection's goroutine. The caller is counted itself.
func (g *Gateway) begin(out *outConn, top net.Conn, t Transport) {
	s := g.newSession(out, top, t)
	out.setUser(s)
	g.wg.Add(1)
	go s.run()
}

// whyEnded tells Stop from a broken listener.
func (g *Gateway) whyEnded(err error) error {
	if g.ctx.Err() != nil || errors.Is(err, http.ErrServerClosed) {
		return ErrStopped
	}
	return fmt.Errorf("accepting devices: %w", err)
}

// webServer takes WebSocket upgrades. Its goroutines are counted from a new
// connection until that is closed or has become a session.
func (g *Gateway) webServer(t Transport) *http.Server {
	return &http.Server{
		Handler:           g.Handler(),
		ReadHeaderTimeout: g.limits.ConnectTimeout,
		IdleTimeout:       g.limits.ConnectTimeout,
		MaxHeaderBytes:    8 << 10,
		ErrorLog:          slog.NewLogLogger(g.log.Handler(), slog.LevelDebug),
		ConnState: func(_ net.Conn, state http.ConnState) {
			switch state {
			case http.StateNew:
				g.wg.Add(1)
			case http.StateHijacked, http.StateClosed:
				g.wg.Done()
			}
		},
	}
}

func (g *Gateway) serveWeb(server *http.Server, ln net.Listener, t Transport) error {
	if t == WSS {
		ln = tls.NewListener(ln, g.tls.http)
	}
	return g.whyEnded(server.Serve(ln))
}

// admittingListener lets in what the limits allow, as outConns.
type admittingListener struct {
	net.Listener
	g *Gateway
}

// Accept is accept for net/http.
func (l *admittingListener) Accept() (net.Conn, error) { return l.accept() }

// accept waits for a connection that is let in. Others are closed at once. Errors
// that pass, such as too many open files, are waited out.
func (l *admittingListener) accept() (*outConn, error) {
	pause := 5 * time.Millisecond
	for {
		conn, err := l.Listener.Accept()
		if err != nil {
			if !isPassing(err) || !l.g.sleep(pause) {
				return nil, err
			}
			l.g.log.Warn("accepting failed", "error", err)
			pause = min(2*pause, time.Second)
			continue
		}
		if out := l.g.admit(conn); out != nil {
			return out, nil
		}
		_ = conn.Close()
	}
}

// isPassing reports errors of accept after which the listener still works.
func isPassing(err error) bool {
	var temporary interface{ Temporary() bool }
	return !errors.Is(err, net.ErrClosed) && errors.As(err, &temporary) && temporary.Temporary()
}

// sleep reports false when the gateway stops meanwhile.
func (g *Gateway) sleep(d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-g.ctx.Done():
		return false
	}
}

// ListenTCP is Listen for MQTT over TCP.
func (g *Gateway) ListenTCP(address string) (net.Addr, error) { return g.Listen(address, TCP) }

// ListenTLS is Listen for MQTT over TLS.
func (g *Gateway) ListenTLS(address string) (net.Addr, error) { return g.Listen(address, TLS) }

// ListenWS is Listen for MQTT over WebSocket.
func (g *Gateway) ListenWS(address string) (net.Addr, error) { return g.Listen(address, WS) }

// ListenWSS is Listen for MQTT over WebSocket over TLS.
func (g *Gateway) ListenWSS(address string) (net.Addr, error) { return g.Listen(address, WSS) }
