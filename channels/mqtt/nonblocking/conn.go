// Package nonblocking makes connections whose writes never wait, so that no device can
// delay another. It owns a connection's socket, the bytes that wait for the device, and the
// end of both. It knows nothing of what the bytes mean.
//
// Of our packages it imports channels/mqtt/poller alone.
package nonblocking

import (
	"errors"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"almenara/channels/mqtt/poller"
)

// Why a connection ended by itself.
var (
	ErrOverflow = errors.New("device does not read: too many bytes pending")
	ErrKilled   = errors.New("connection stopped")
)

// lastWrites is how long a closed connection may take to get rid of its last bytes.
const lastWrites = time.Second

// Options is what all connections of one gateway have in common.
type Options struct {
	Goroutines *sync.WaitGroup // counts those that write pending bytes
	Closed     func(*Conn)     // called once when a connection is closed, under its lock: it must not use the connection
	MaxPending int             // bytes that may be pending
	Stall      time.Duration   // without progress of pending bytes, before the connection closes
}

// User is told by its connection.
type User interface {
	// Drained is called without locks when the last pending byte is written.
	Drained()
	// Ending is called once, under the connection's lock, when a connection that a poller
	// has begins to end. It must not wait.
	Ending()
}

// ReadHook is told of every read of a connection that Read is called for.
type ReadHook interface {
	BeforeRead()
	// AfterRead follows a read that brought something. Its error is the read's.
	AfterRead() error
}

// Conn is a connection whose Write never blocks. Write tries one non-blocking write; what
// is left goes to a bounded buffer, which a goroutine writes that lives only while bytes are
// pending, or the poller that has the connection. Over the bound, or when a device takes
// nothing for the stall time, the connection closes.
//
// TLS and WebSocket sit on top of it. It is safe for concurrent use.
type Conn struct {
	net.Conn
	options *Options
	direct  *directWriter // nil where the platform has none
	onRead  ReadHook      // its reader's own; nil: none

	backlog atomic.Int64 // len(pending) + writing

	mu       sync.Mutex // guards what follows, and the socket
	socket   poller.Socket
	apart    bool      // a goroutine reads, not the poller
	due      time.Time // when pending bytes of a polled connection must have got on
	told     bool      // the user knows that the polled connection ends
	pending  []byte
	writing  int // bytes that drain has taken and not yet written
	draining bool
	closing  bool
	closed   bool
	err      error
	user     User // nil before it begins
}

// New makes a connection of c, which is its own from now on. A poller may adopt a
// *net.TCPConn only. The options are shared and must not change.
func New(c net.Conn, o *Options) *Conn {
	return &Conn{Conn: c, options: o, direct: newDirectWriter(c)}
}

// SetUser sets who is told. It is called before a poller has the connection, not after.
func (c *Conn) SetUser(u User) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.user = u
}

// User is who is told. It may be asked from where the poller's events are handled.
func (c *Conn) User() User { return c.user }

// SetReadHook sets who is told of reads; nil ends it. It is for the goroutine that reads.
func (c *Conn) SetReadHook(h ReadHook) { c.onRead = h }

// Read reads where no poller does; it waits.
func (c *Conn) Read(b []byte) (int, error) {
	if c.onRead == nil {
		return c.Conn.Read(b)
	}
	c.onRead.BeforeRead()
	n, err := c.Conn.Read(b)
	if err != nil {
		return n, err
	}
	return n, c.onRead.AfterRead()
}

// Write takes all of b or fails; it never waits for the device.
func (c *Conn) Write(b []byte) (int, error) {
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
	if err := c.addPending(b[n:]); err != nil {
		c.fail(err)
		return 0, err
	}
	return len(b), nil
}

// writeNow writes what the kernel takes at once, unless earlier bytes wait.
func (c *Conn) writeNow(b []byte) (int, error) {
	switch {
	case c.draining:
		return 0, nil
	case c.socket.Polled():
		return c.socket.Send(b)
	case c.direct == nil:
		return 0, nil
	}
	return c.direct.write(b)
}

// Pending is the number of bytes that wait for the device. It takes no lock.
func (c *Conn) Pending() int { return int(c.backlog.Load()) }

// fail ends the connection at once. The caller holds mu.
func (c *Conn) fail(err error) {
	if c.err == nil {
		c.err = err
	}
	c.pending, c.writing = nil, 0
	c.count()
	c.close()
}

// close closes what is below. The caller holds mu; closing a socket of Go's
// poller does not wait.
func (c *Conn) close() {
	if c.closed {
		return
	}
	c.tellEnding()
	c.closed = true
	if c.socket.Polled() {
		c.socket.Close()
	} else {
		_ = c.Conn.Close()
	}
	c.options.Closed(c)
}

// tellEnding tells the user of a polled connection, once: nobody else looks at it.
// The caller holds mu.
func (c *Conn) tellEnding() {
	if c.socket.Polled() && !c.told {
		c.told = true
		c.user.Ending()
	}
}

// Close ends reading at once and gives pending bytes a last second. It never
// blocks. Calling it again does nothing.
func (c *Conn) Close() error {
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
	if c.socket.Polled() {
		c.due = now.Add(lastWrites)
		c.tellEnding()
		return nil
	}
	_ = c.Conn.SetReadDeadline(now)
	_ = c.Conn.SetWriteDeadline(now.Add(lastWrites))
	return nil
}

// Kill closes without regard to pending bytes.
func (c *Conn) Kill() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.fail(ErrKilled)
}

// Failure is why the connection failed by itself; nil otherwise.
func (c *Conn) Failure() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err
}

// SetWriteDeadline does nothing: writes do not wait, and pending bytes have a deadline of
// their own.
func (c *Conn) SetWriteDeadline(time.Time) error { return nil }

// SetDeadline sets the deadline for reads.
func (c *Conn) SetDeadline(t time.Time) error { return c.SetReadDeadline(t) }

// SetReadDeadline sets the deadline for reads; a closing connection reads no more.
func (c *Conn) SetReadDeadline(t time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closing {
		return net.ErrClosed
	}
	return c.Conn.SetReadDeadline(t)
}
