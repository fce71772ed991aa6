package accept

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"time"

	"almenara/channels/mqtt/nonblocking"
)

// mostWait is how long a device may wait for a processor in all. It is less than what
// devices wait before they try elsewhere.
const mostWait = 30 * time.Second

// processorShare is one TLS handshake's right to a processor. When all devices of a node come back
// at once, as many handshakes are computed at a time as there are cores; the others
// wait in the order in which they came, and so does their deadline. Deliveries to those
// who are in then have few to share the processors with. A handshake that waits for its
// device has none: whoever connects and says nothing keeps nobody out.
//
// Only the goroutine of the handshake uses it.
type processorShare struct {
	s        *Server
	out      *nonblocking.Conn
	deadline time.Time     // of the connection, later by what was waited
	waited   time.Duration // for processors
	held     bool
	err      error // why there was none
}

// acquire waits for a processor.
func (t *processorShare) acquire() error {
	select {
	case t.s.handshakes <- struct{}{}: // nobody waits
		t.held = true
		return nil
	default:
	}
	begun := time.Now()
	wait := time.NewTimer(mostWait - t.waited)
	defer wait.Stop()
	select {
	case t.s.handshakes <- struct{}{}:
		t.held = true
	case <-wait.C:
		t.err = fmt.Errorf("waiting for a processor: %w", context.DeadlineExceeded)
		return t.err
	case <-t.s.ctx.Done():
		t.err = ErrStopped
		return t.err
	}
	waited := time.Since(begun)
	t.waited, t.deadline = t.waited+waited, t.deadline.Add(waited)
	return t.out.SetReadDeadline(t.deadline)
}

func (t *processorShare) release() {
	if t.held {
		t.held = false
		<-t.s.handshakes
	}
}

// BeforeRead implements nonblocking.ReadHook: it leaves the processor to others while the
// device is waited for.
func (t *processorShare) BeforeRead() { t.release() }

// AfterRead implements nonblocking.ReadHook.
func (t *processorShare) AfterRead() error { return t.acquire() }

// Handshake does TLS on a connection of the server's, if top is TLS and it is still to be
// done, and returns the deadline for what follows: who had to wait for a processor has that
// much longer.
func (s *Server) Handshake(out *nonblocking.Conn, top net.Conn, deadline time.Time) (time.Time, error) {
	conn, ok := top.(*tls.Conn)
	if !ok || conn.ConnectionState().HandshakeComplete {
		return deadline, nil
	}
	t := &processorShare{s: s, out: out, deadline: deadline}
	if err := t.acquire(); err != nil {
		return deadline, err
	}
	out.SetReadHook(t)
	err := conn.Handshake()
	out.SetReadHook(nil)
	t.release()
	if err == nil {
		err = t.err
	}
	if err != nil {
		return deadline, fmt.Errorf("shaking hands: %w", err)
	}
	return t.deadline, nil
}
