package nonblocking

import (
	"io"
	"net"
	"os"
	"sync"
	"time"
)

const (
	// maxLastReads is how many closed connections may be read at the same time; more are
	// just closed.
	maxLastReads = 256
	// lastReadTime and lastReadBytes bound what is read of each.
	lastReadTime  = time.Second
	lastReadBytes = 1 << 20
)

// LastReads reads from closed connections what their clients still send, and drops it:
// closing a socket with unread bytes, or one that is still sent to, resets the connection
// (RFC 1122 §4.2.2.13), and the client may never read why it was refused.
type LastReads struct {
	goroutines *sync.WaitGroup
	slots      chan struct{}
}

// NewLastReads counts its goroutines with the group.
func NewLastReads(goroutines *sync.WaitGroup) *LastReads {
	return &LastReads{goroutines: goroutines, slots: make(chan struct{}, maxLastReads)}
}

// CloseAfter calls end, which is to close the connection with its last bytes written. Only
// our side of it ends then, and for a moment what comes is read and dropped. It does not
// wait for that.
func (l *LastReads) CloseAfter(c *Conn, end func()) {
	again := c.tcpAgain()
	end()
	if again == nil {
		return
	}
	select {
	case l.slots <- struct{}{}:
	default:
		_ = again.Close()
		return
	}
	l.goroutines.Go(func() {
		defer func() { <-l.slots }()
		defer again.Close()
		if again.CloseWrite() == nil && again.SetReadDeadline(time.Now().Add(lastReadTime)) == nil {
			_, _ = io.CopyN(io.Discard, again, lastReadBytes)
		}
	})
}

// tcpAgain is the socket once more, which stays open when the connection is closed. Nil
// where there is none, or where pending bytes have a last second of their own.
func (c *Conn) tcpAgain() *net.TCPConn {
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

func (c *Conn) duplicate() *os.File {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closing || c.closed || c.draining {
		return nil
	}
	if c.socket.Polled() {
		return c.socket.Duplicate()
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
