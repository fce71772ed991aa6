package nonblocking

import (
	"errors"
	"fmt"
	"net"
	"os"
	"time"

	"almenara/channels/mqtt/poller"
)

// ErrReadApart is returned by Receive while a goroutine reads the connection.
var ErrReadApart = errors.New("a goroutine reads")

// StartPolling has p read the connection from now on: its events name the connection as
// their owner. It reports false where that is not possible, as with pending bytes, with a nil
// poller or without TCP: then a goroutine has to read.
func (c *Conn) StartPolling(p *poller.Poller) bool {
	tcp, ok := c.Conn.(*net.TCPConn)
	if !ok {
		return false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closing || c.err != nil || c.draining {
		return false
	}
	if c.socket, ok = p.Adopt(tcp, c); !ok {
		return false
	}
	c.Conn, c.direct = nil, nil
	return true
}

// Polled reports whether a poller has the connection.
func (c *Conn) Polled() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.socket.Polled()
}

// Receive reads for a poller. poller.ErrNothing: there is nothing now.
func (c *Conn) Receive(b []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.closing || c.closed:
		return 0, net.ErrClosed
	case c.apart:
		return 0, ErrReadApart
	}
	return c.socket.Receive(b)
}

// ReadApart keeps the poller from reading, until ReceiveApart finds nothing.
func (c *Conn) ReadApart() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.apart = true
}

// ReceiveApart is Receive for the goroutine that reads meanwhile. When nothing is there,
// the poller has its connection again: what comes later is another event, which waits for
// the lock.
func (c *Conn) ReceiveApart(b []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closing || c.closed {
		return 0, net.ErrClosed
	}
	n, err := c.socket.Receive(b)
	if errors.Is(err, poller.ErrNothing) {
		c.apart = false
	}
	return n, err
}

// WritePending writes pending bytes on a Writable event, as far as the kernel takes them.
func (c *Conn) WritePending() {
	if c.Pending() == 0 {
		return
	}
	c.mu.Lock()
	last, err := c.sendPending()
	var drained User
	switch {
	case err != nil:
		c.fail(err)
	case last && c.closing:
		c.close()
	case last:
		drained = c.user
	}
	c.mu.Unlock()
	if drained != nil {
		drained.Drained()
	}
}

// sendPending sends as much of what is pending as the kernel takes; the kernel tells the
// poller when it takes more. It reports whether it was the last of it. The caller holds mu.
func (c *Conn) sendPending() (last bool, err error) {
	for len(c.pending) > 0 {
		n, err := c.socket.Send(c.pending)
		if err != nil || n == 0 {
			return false, err
		}
		c.pending = c.pending[n:]
		c.count()
		c.extendPolled()
	}
	if !c.draining {
		return false, nil
	}
	c.pending, c.draining = nil, false
	if !c.closing {
		c.socket.AllWritten()
	}
	return true, nil
}

// extendPolled gives what is pending its time; a closing connection gets no more. The
// caller holds mu.
func (c *Conn) extendPolled() {
	if !c.closing {
		c.due = time.Now().Add(c.options.Stall)
	}
}

// CheckProgress implements poller.Owner: it closes a connection whose pending bytes did not
// get on.
func (c *Conn) CheckProgress(now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.draining && !c.closed && now.After(c.due) {
		c.fail(fmt.Errorf("writing to device: %w", os.ErrDeadlineExceeded))
	}
}
