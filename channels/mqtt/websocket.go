package mqtt

import (
	"bufio"
	"bytes"
	"crypto/sha1" // RFC 6455 §1.3 asks for it; nothing rests on its strength
	"crypto/tls"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"path"
	"strings"
)

// Handler upgrades requests to WebSocket (RFC 6455, subprotocol mqtt as MQTT 5 §6
// asks) and serves MQTT on them, so that an API server can mount it. Requests must
// be HTTP/1.1; where the server does TLS by itself, writes take a goroutine more
// than on a listener of the gateway's own.
func (g *Gateway) Handler() http.Handler { return http.HandlerFunc(g.upgrade) }

func (g *Gateway) upgrade(w http.ResponseWriter, r *http.Request) {
	if status, problem := g.checkUpgrade(r); status != 0 {
		g.metrics.connects[resultProtocol].Inc()
		w.Header().Set("Sec-WebSocket-Version", "13")
		http.Error(w, problem, status)
		return
	}
	if !g.enter() {
		http.Error(w, ErrStopped.Error(), http.StatusServiceUnavailable)
		return
	}
	defer g.wg.Done()
	conn, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil {
		http.Error(w, "the connection cannot be upgraded", http.StatusNotImplemented)
		return
	}
	out, next := g.ownConn(conn)
	if out == nil {
		_ = conn.Close()
		return
	}
	g.serveUpgraded(out, next, buffered.Reader, r)
}

// ownConn finds our socket below the hijacked connection, or takes the connection
// over when another server accepted it. It returns nil when a limit forbids that.
func (g *Gateway) ownConn(conn net.Conn) (out *outConn, next net.Conn) {
	switch c := conn.(type) {
	case *outConn:
		return c, c
	case *tls.Conn:
		if out, ok := c.NetConn().(*outConn); ok {
			return out, c
		}
	}
	out = g.admit(conn)
	return out, out
}

// serveUpgraded answers the upgrade and starts the session. What the client sent
// right behind its request is read first. The handler returns then, so that the
// server's goroutine and buffers are freed.
func (g *Gateway) serveUpgraded(out *outConn, next net.Conn, early *bufio.Reader, r *http.Request) {
	var first io.Reader = next
	if n := early.Buffered(); n > 0 {
		b, _ := early.Peek(n) // what is buffered is there
		first = io.MultiReader(bytes.NewReader(bytes.Clone(b)), next)
	}
	_, err := fmt.Fprintf(next, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"+
		"Sec-WebSocket-Accept: %s\r\nSec-WebSocket-Protocol: mqtt\r\n\r\n", acceptKey(r.Header.Get("Sec-WebSocket-Key")))
	if err != nil {
		_ = next.Close()
		return
	}
	t := WS
	if r.TLS != nil {
		t = WSS
	}
	g.begin(out, newWSConn(next, first), t)
}

// checkUpgrade holds the request to RFC 6455 §4.2.1 and to the origin rule. It
// returns 0 when it may be upgraded.
func (g *Gateway) checkUpgrade(r *http.Request) (status int, problem string) {
	key, err := base64.StdEncoding.DecodeString(strings.TrimSpace(r.Header.Get("Sec-WebSocket-Key")))
	switch {
	case r.Method != http.MethodGet || r.ProtoMajor != 1 || !r.ProtoAtLeast(1, 1):
		return http.StatusMethodNotAllowed, "a WebSocket handshake is a GET of HTTP/1.1"
	case !hasToken(r.Header, "Connection", "upgrade") || !hasToken(r.Header, "Upgrade", "websocket"):
		return http.StatusUpgradeRequired, "this address speaks MQTT over WebSocket"
	case r.Header.Get("Sec-WebSocket-Version") != "13":
		return http.StatusBadRequest, "WebSocket version 13 is expected"
	case err != nil || len(key) != 16:
		return http.StatusBadRequest, "Sec-WebSocket-Key is malformed"
	case !hasToken(r.Header, "Sec-WebSocket-Protocol", "mqtt"):
		return http.StatusBadRequest, "the subprotocol mqtt must be offered"
	case !g.originAllowed(r):
		return http.StatusForbidden, "pages of this origin may not connect"
	}
	return 0, ""
}

// originAllowed keeps pages of other sites from using a browser's position in the
// network. Devices that are not browsers send no Origin.
func (g *Gateway) originAllowed(r *http.Request) bool {
	origin := r.Header.Get("Origin")
	if origin == "" {
		return true
	}
	u, err := url.Parse(origin)
	if err != nil || u.Host == "" {
		return false
	}
	host := strings.ToLower(u.Host)
	if host == strings.ToLower(r.Host) {
		return true
	}
	for _, pattern := range g.origins {
		if ok, _ := path.Match(strings.ToLower(pattern), host); ok {
			return true
		}
	}
	return false
}

// hasToken looks for a word in a comma-separated header, ignoring case.
func hasToken(h http.Header, name, token string) bool {
	for _, line := range h.Values(name) {
		for word := range strings.SplitSeq(line, ",") {
			if strings.EqualFold(strings.TrimSpace(word), token) {
				return true
			}
		}
	}
	return false
}

// acceptKey is RFC 6455 §4.2.2.
func acceptKey(key string) string {
	sum := sha1.Sum([]byte(strings.TrimSpace(key) + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	return base64.StdEncoding.EncodeToString(sum[:])
}
