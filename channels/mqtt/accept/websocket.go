package accept

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"io"
	"net"
	"net/http"

	"almenara/channels/mqtt/nonblocking"
	"almenara/channels/mqtt/websocket"
)

// Handler upgrades requests to WebSocket (RFC 6455, subprotocol mqtt as MQTT 5 §6
// asks) and serves MQTT on them, so that an API server can mount it. Requests must
// be HTTP/1.1; where the server does TLS by itself, writes take a goroutine more
// than on a listener of the gateway's own.
func (s *Server) Handler() http.Handler { return http.HandlerFunc(s.upgrade) }

func (s *Server) upgrade(w http.ResponseWriter, r *http.Request) {
	if status, problem := websocket.CheckUpgrade(r, s.options.Origins); status != 0 {
		s.options.Metrics.Protocol.Inc()
		w.Header().Set("Sec-WebSocket-Version", "13")
		http.Error(w, problem, status)
		return
	}
	if !s.enter() {
		http.Error(w, ErrStopped.Error(), http.StatusServiceUnavailable)
		return
	}
	defer s.goroutines.Done()
	conn, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil {
		http.Error(w, "the connection cannot be upgraded", http.StatusNotImplemented)
		return
	}
	out, next := s.ownConn(conn)
	if out == nil {
		_ = conn.Close()
		s.options.Conns.Leave(conn)
		return
	}
	s.serveUpgraded(out, next, buffered.Reader, r)
}

// ownConn finds our socket below the hijacked connection, or takes the connection
// over when another server accepted it. It returns nil when a limit forbids that.
func (s *Server) ownConn(conn net.Conn) (out *nonblocking.Conn, next net.Conn) {
	switch c := conn.(type) {
	case *nonblocking.Conn:
		return c, c
	case *tls.Conn:
		if out, ok := c.NetConn().(*nonblocking.Conn); ok {
			return out, c
		}
	}
	out = s.Admit(conn)
	return out, out
}

// serveUpgraded answers the upgrade and starts the session. What the client sent
// right behind its request is read first. The handler returns then, so that the
// server's goroutine and buffers are freed.
func (s *Server) serveUpgraded(out *nonblocking.Conn, next net.Conn, early *bufio.Reader, r *http.Request) {
	var first io.Reader = next
	if n := early.Buffered(); n > 0 {
		b, _ := early.Peek(n) // what is buffered is there
		first = io.MultiReader(bytes.NewReader(bytes.Clone(b)), next)
	}
	if err := websocket.AnswerUpgrade(next, r); err != nil {
		_ = next.Close()
		return
	}
	t := WS
	if r.TLS != nil {
		t = WSS
	}
	s.options.Begin(out, websocket.NewConn(next, first), t)
}
