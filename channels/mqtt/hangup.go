package mqtt

import (
	"io"
	"net"
	"os"
	"time"
)

const (
	// goodbyes is how many connections may be read out at the same time; more are
	// just closed.
	goodbyes = 256
	// mostUnread is how much of what a refused client still sends is read.
	mostUnread = 1 << 20
)

// hangUp ends the session for what its device did wrong, and lets it read why. It
// does not wait.
func (s *session) hangUp(c code, why ending) {
	if !s.v5 || c == codeSuccess { // nothing is told
		s.end(c, why)
		return
	}
	again := s.out.again()
	s.end(c, why)
	s.g.readOut(again)
}

// turnAway closes a connection that was refused with a CONNACK.
func (s *session) turnAway() {
	again := s.out.again()
	_ = s.top.Close()
	s.g.readOut(again)
}

// readOut ends our side of a closed connection only, and reads on for a moment:
// closing a socket with unread bytes, or one that is still sent to, resets the
// connection (RFC 1122 §4.2.2.13), and the client may never read why it was refused.
func (g *Gateway) readOut(c *net.TCPConn) {
	if c == nil {
		return
	}
	select {
	case g.goodbyes <- struct{}{}:
	default:
		_ = c.Close()
		return
	}
	g.goroutineStarts()
	go func() {
		defer g.goroutineEnds()
		defer func() { <-g.goodbyes }()
		defer c.Close()
		if c.CloseWrite() == nil && c.SetReadDeadline(time.Now().Add(linger)) == nil {
			_, _ = io.CopyN(io.Discard, c, mostUnread)
		}
	}()
}

// again is the socket once more, which stays open when the connection is closed. Nil
// where there is none, or where pending bytes have a last second of their own.
func (c *outConn) again() *net.TCPConn {
	f := c.duplicate()
	if f == nil {
		return nil
	}
	defer f.Close()
	again, err := net.FileConn(f)
	if err != nil {
		return nil
	}
	tcp, ok := again.(*net.TCPConn)
	if !ok {
		_ = again.Close()
		return nil
	}
	return tcp
}

func (c *outConn) duplicate() *os.File {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closing || c.closed || c.draining {
		return nil
	}
	if c.polled() {
		return c.duplicateSocket()
	}
	tcp, ok := c.Conn.(*net.TCPConn)
	if !ok {
		return nil
	}
	f, err := tcp.File()
	if err != nil {
		return nil
	}
	return f
}
