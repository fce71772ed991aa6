package accept

import (
	"net"
	"time"

	"almenara/channels/mqtt/nonblocking"
)

// Admit makes a connection ours, or returns nil when a limit forbids it; the
// caller closes it then.
func (s *Server) Admit(conn net.Conn) *nonblocking.Conn {
	if !s.rates.allow(addressOf(conn), time.Now()) {
		s.options.Metrics.Rate.Inc()
		return nil
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		tuneSocket(tcp, s.options.SendBuffer, s.options.Stall)
	}
	out := nonblocking.New(conn, &s.conn)
	if !s.register(out) {
		s.options.Metrics.Full.Inc()
		return nil
	}
	s.options.Metrics.Connections.Inc()
	return out
}

// register counts the connection until it is closed.
func (s *Server) register(out *nonblocking.Conn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopped || len(s.conns) >= s.options.MaxConnections {
		return false
	}
	s.conns[out] = nil
	if _, nobody := s.options.Conns.(anyConns); !nobody {
		s.conns[out] = out.Conn
	}
	return true
}

// tuneSocket bounds what the kernel keeps for a device, and how long it takes to
// notice one that lost its power. Errors change nothing that is promised.
func tuneSocket(c *net.TCPConn, sendBuffer int, userTimeout time.Duration) {
	_ = c.SetWriteBuffer(sendBuffer)
	_ = c.SetKeepAliveConfig(net.KeepAliveConfig{Enable: true, Idle: 30 * time.Second, Interval: 10 * time.Second, Count: 3})
	setUserTimeout(c, userTimeout)
}
