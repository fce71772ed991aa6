package mqtt

import (
	"context"
	"fmt"
	"time"
)

// mostWait is how long a device may wait for its turns in all. It is less than what
// devices wait before they try elsewhere.
const mostWait = 30 * time.Second

// turn is one handshake's right to a processor. When all devices of a node come back
// at once, as many handshakes are computed at a time as there are cores; the others
// wait in the order in which they came, and so does their deadline. Deliveries to those
// who are in then have few to share the processors with. A handshake that waits for its
// device has no turn: whoever connects and says nothing keeps nobody out.
//
// Only the goroutine of the handshake uses it.
type turn struct {
	g        *Gateway
	out      *outConn
	deadline time.Time     // of the connection, later by what was waited
	waited   time.Duration // for turns
	held     bool
	err      error // why there was no turn
}

// take waits for a turn.
func (t *turn) take() error {
	select {
	case t.g.handshakes <- struct{}{}: // nobody waits
		t.held = true
		return nil
	default:
	}
	begun := time.Now()
	wait := time.NewTimer(mostWait - t.waited)
	defer wait.Stop()
	select {
	case t.g.handshakes <- struct{}{}:
		t.held = true
	case <-wait.C:
		t.err = fmt.Errorf("waiting for a turn: %w", context.DeadlineExceeded)
		return t.err
	case <-t.g.ctx.Done():
		t.err = ErrStopped
		return t.err
	}
	waited := time.Since(begun)
	t.waited, t.deadline = t.waited+waited, t.deadline.Add(waited)
	return t.out.SetReadDeadline(t.deadline)
}

func (t *turn) give() {
	if t.held {
		t.held = false
		<-t.g.handshakes
	}
}

// Read leaves the turn to others while the device is waited for.
func (c *outConn) Read(b []byte) (int, error) {
	if c.turn == nil {
		return c.Conn.Read(b)
	}
	c.turn.give()
	n, err := c.Conn.Read(b)
	if err != nil {
		return n, err
	}
	return n, c.turn.take()
}
