package mqtt

import (
	"errors"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

var (
	errOverflow = errors.New("device does not read: too many bytes pending")
	errKilled   = errors.New("connection stopped")
)

const (
	// linger is how long a closed connection may take to get rid of its last bytes.
	linger = time.Second
	// drainChunk is how much must get through within one stall time.
	drainChunk = 16 << 10
)

// outConn is a connection whose Write never blocks, so that no device can delay
// another. Write tries one non-blocking write; what is left goes to a bounded
// buffer, drained by a goroutine that lives only while bytes are pending. Over the
// bound, or when a device takes nothing for the stall time, the connection closes.
//
// TLS and WebSocket sit on top of it. It is safe for concurrent use.
type outConn struct {
	net.Conn
	owner  connOwner
	limit  int           // bytes that may be pending
	stall  time.Duration // without progress, before the connection closes
	direct *directWriter // nil where the platform has none
	turn   *turn         // of the handshake under way; its goroutine's own

	backlog atomic.Int64 // len(pending) + flying

	mu       sync.Mutex // guards what follows, and the socket
	socket   socket
	pending  []byte
	flying   int // bytes that the drainer has taken and not yet written
	draining bool
	closing  bool
	closed   bool
	err      error
	user     connUser // nil before it begins
}

// connUser is told by its connection.
type connUser interface {
	// drained is called without locks when the last pending byte is written.
	drained()
	// ends is called once, when a connection that a poller has begins to end. It must
	// not wait.
	ends()
}

// connOwner counts goroutines and connections.
type connOwner interface {
	goroutineStarts()
	goroutineEnds()
	connClosed(*outConn)
}

func newOutConn(c net.Conn, owner connOwner, limit int, stall time.Duration) *outConn {
	return &outConn{Conn: c, owner: owner, limit: limit, stall: stall, direct: newDirectWriter(c)}
}

// Write takes all of b or fails; it never waits for the device.
func (c *outConn) Write(b []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err != nil {
		return 0, c.err
	}
	if c.closing {
		return 0, net.ErrClosed
	}
	n, err := c.writeNow(b)
	if err != nil {
		c.fail(err)
		return 0, err
	}
	if n == len(b) {
		return n, nil
	}
	if err := c.keep(b[n:]); err != nil {
		c.fail(err)
		return 0, err
	}
	return len(b), nil
}

// writeNow writes what the kernel takes at once, unless earlier bytes wait.
func (c *outConn) writeNow(b []byte) (int, error) {
	switch {
	case c.draining:
		return 0, nil
	case c.polled():
		return c.socket.send(b)
	case c.direct == nil:
		return 0, nil
	}
	return c.direct.write(b)
}

// keep adds to what is pending and sees to it that somebody drains it. One write
// is always taken when nothing is pending, whatever its length.
func (c *outConn) keep(b []byte) error {
	if before := len(c.pending) + c.flying; before > 0 && before+len(b) > c.limit {
		return errOverflow
	}
	c.pending = append(c.pending, b...)
	c.count()
	if c.draining {
		return nil
	}
	c.draining = true
	if c.polled() {
		c.await()
		return nil
	}
	c.owner.goroutineStarts()
	go c.drain()
	return nil
}

// count makes what is pending known without a lock. The caller holds mu.
func (c *outConn) count() { c.backlog.Store(int64(len(c.pending) + c.flying)) }

// Pending is the number of bytes that wait for the device.
func (c *outConn) Pending() int { return int(c.backlog.Load()) }

// setUser sets who is told.
func (c *outConn) setUser(u connUser) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.user = u
}

// drain writes pending bytes until none are left or the connection fails.
func (c *outConn) drain() {
	defer c.owner.goroutineEnds()
	for {
		chunk, through := c.takePending()
		if chunk == nil {
			if through != nil {
				through.drained()
			}
			return
		}
		for len(chunk) > 0 {
			n, err := c.Conn.Write(chunk[:min(len(chunk), drainChunk)])
			chunk = chunk[n:]
			if !c.progress(n, err) {
				return
			}
		}
	}
}

// takePending hands all pending bytes to the drainer. Without any, it ends the
// drainer and returns who is to be told then.
func (c *outConn) takePending() (chunk []byte, through connUser) {
	c.mu.Lock()
	defer c.mu.Unlock()
	chunk, c.pending = c.pending, nil
	if len(chunk) > 0 && c.err == nil {
		c.flying = len(chunk) // what is pending is the same
		c.extend()
		return chunk, nil
	}
	c.draining = false
	if c.closing || c.err != nil {
		c.close()
		return nil, nil
	}
	_ = c.Conn.SetWriteDeadline(time.Time{})
	return nil, c.user
}

// progress notes what one write of the drainer did.
func (c *outConn) progress(n int, err error) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.flying -= n
	c.count()
	if err != nil {
		c.draining = false
		c.fail(err)
		return false
	}
	c.extend()
	return true
}

// extend gives the next chunk its time; a closing connection gets no more.
func (c *outConn) extend() {
	if !c.closing {
		_ = c.Conn.SetWriteDeadline(time.Now().Add(c.stall))
	}
}

// fail ends the connection at once. The caller holds mu.
func (c *outConn) fail(err error) {
	if c.err == nil {
		c.err = err
	}
	c.pending, c.flying = nil, 0
	c.count()
	c.close()
}

// close closes what is below. The caller holds mu; closing a socket of Go's
// poller does not wait.
func (c *outConn) close() {
	if c.closed {
		return
	}
	c.begunToEnd()
	c.closed = true
	if c.polled() {
		c.closeSocket()
	} else {
		_ = c.Conn.Close()
	}
	c.owner.connClosed(c)
}

// begunToEnd tells the user of a polled connection, once: nobody else looks at it.
// The caller holds mu.
func (c *outConn) begunToEnd() {
	if c.polled() && !c.socket.told {
		c.socket.told = true
		c.user.ends()
	}
}

// Close ends reading at once and gives pending bytes a last second. It never
// blocks. Calling it again does nothing.
func (c *outConn) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closing {
		return nil
	}
	c.closing = true
	if !c.draining {
		c.close()
		return nil
	}
	now := time.Now()
	if c.polled() {
		c.socket.due = now.Add(linger)
		c.begunToEnd()
		return nil
	}
	_ = c.Conn.SetReadDeadline(now)
	_ = c.Conn.SetWriteDeadline(now.Add(linger))
	return nil
}

// kill closes without regard to pending bytes.
func (c *outConn) kill() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.fail(errKilled)
}

// failure is why the connection failed by itself; nil otherwise.
func (c *outConn) failure() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err
}

// SetWriteDeadline does nothing: writes do not wait, and the drainer has its own.
func (c *outConn) SetWriteDeadline(time.Time) error { return nil }

// SetDeadline sets the deadline for reads.
func (c *outConn) SetDeadline(t time.Time) error { return c.SetReadDeadline(t) }

// SetReadDeadline sets the deadline for reads; a closing connection reads no more.
func (c *outConn) SetReadDeadline(t time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closing {
		return net.ErrClosed
	}
	return c.Conn.SetReadDeadline(t)
}
