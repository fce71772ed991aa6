package mqtt

import (
	"errors"
	"fmt"
	"io"
	"net"
)

var (
	errDisconnected = errors.New("device disconnected")
	errEnded        = errors.New("session has ended")
	errPanicked     = errors.New("session panicked")

	// errWait ends the handling of what was read, before a packet that has to wait.
	errWait = errors.New("receipts must become durable first")
	// errAgain and errDetached: there is nothing to read now, or not here.
	errAgain    = errors.New("nothing to read")
	errDetached = errors.New("a goroutine reads")
)

// run opens the session on a goroutine of its own. What opening needs, stack and
// buffers, TLS above all, goes with it: the session goes on with a poller, or with a
// goroutine that has just begun.
func (s *session) run() {
	defer s.g.wg.Done()
	connack := s.open()
	if connack == nil {
		_ = s.top.Close()
		return
	}
	if err := s.arrive(connack); err != nil {
		s.hangUp(s.explain(err))
		s.depart()
		return
	}
	if s.g.pollerOf(s).adopt(s) {
		return
	}
	s.g.goroutineStarts()
	go s.serve()
}

// arrive enrols the session, and handles what came right behind the CONNECT.
func (s *session) arrive(connack []byte) error {
	if !s.enrol(connack) {
		return ErrStopped
	}
	s.mayWait = true
	err := s.takeGuarded(nil)
	s.mayWait = false
	return err
}

func (s *session) enrol(connack []byte) bool {
	defer s.rescue()
	return s.g.enrol(s, connack)
}

// serve reads where no poller does.
func (s *session) serve() {
	defer s.g.goroutineEnds()
	defer s.depart()
	s.mayWait = true
	err := s.receive()
	s.hangUp(s.explain(err))
}

// receive handles what the device says until it says no more.
func (s *session) receive() error {
	in := make([]byte, readBuffer)
	for {
		n, err := s.top.Read(in)
		if n > 0 {
			if err := s.takeGuarded(in[:n]); err != nil {
				return err
			}
		}
		if err != nil {
			return fmt.Errorf("reading from device: %w", err)
		}
	}
}

// readApart takes a session that has to wait out of its poller.
func (s *session) readApart() {
	s.out.detach()
	s.g.goroutineStarts()
	go func() {
		defer s.g.goroutineEnds()
		if err := s.receiveApart(); !errors.Is(err, errAgain) {
			s.hangUp(s.explain(err))
		}
	}()
}

// receiveApart handles what has come, waiting where it must. errAgain is that the
// poller has the session again.
func (s *session) receiveApart() error {
	in, n := make([]byte, readBuffer), 0
	for {
		s.mayWait = true
		err := s.takeGuarded(in[:n])
		s.mayWait = false
		if err != nil {
			return err
		}
		if n, err = s.out.receiveApart(in); err != nil {
			return err
		}
	}
}

// ends implements connUser: nobody reads a polled session when it ends.
func (s *session) ends() {
	s.g.goroutineStarts()
	go func() {
		defer s.g.goroutineEnds()
		s.end(s.explain(net.ErrClosed)) // does nothing after any other end
		s.depart()
	}()
}

// drained implements connUser.
func (s *session) drained() { s.deliverNow() }

// depart takes the ended session out of the registry, once.
func (s *session) depart() {
	_ = s.top.Close()
	why := s.reason()
	s.g.metrics.endings[why].Inc()
	s.g.log.Debug("session ended", "device", s.from.Device, "why", why)
	s.g.leave(s)
}

func (s *session) explain(err error) (code, ending) {
	var f *fault
	switch {
	case s.broken.Load():
		return codeSuccess, endPanic
	case errors.As(err, &f):
		return f.code, endProtocol
	case errors.Is(err, errDisconnected):
		return codeSuccess, endDisconnect
	case errors.Is(err, ErrStopped):
		return codeStopping, endStopping
	case errors.Is(s.out.failure(), errOverflow):
		return codeSuccess, endOverflow
	}
	return codeSuccess, endGone
}

// handle does what one packet asks for.
func (s *session) handle(h header, body []byte) error {
	switch h.kind {
	case kindPublish:
		return s.publish(h.flags, body)
	case kindPuback:
		return s.puback(body)
	case kindPubrel:
		return s.pubrel(body)
	case kindPingreq:
		return s.ping(body)
	case kindSubscribe:
		return s.subscribe(body)
	case kindUnsubscribe:
		return s.unsubscribe(body)
	case kindDisconnect:
		return s.disconnect(body)
	}
	return errUnexpected
}

func (s *session) ping(body []byte) error {
	if len(body) > 0 {
		return errMalformed
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.put(append(s.small[:0], kindPingresp<<4, 0))
	return nil
}

// disconnect drops the will, unless an MQTT 5 device wants it sent (§3.14.2.1).
func (s *session) disconnect(body []byte) error {
	if len(body) > 0 && !s.v5 {
		return errMalformed
	}
	if len(body) > 1 {
		if rest, err := skipProperties(body[1:], &disconnectProperties); err != nil || len(rest) > 0 {
			return errMalformed
		}
	}
	if len(body) > 0 && code(body[0]) == codeWithWill {
		return io.EOF
	}
	return errDisconnected
}

// takeGuarded is take; a panic ends this session only.
func (s *session) takeGuarded(b []byte) (err error) {
	err = errPanicked
	defer s.rescue()
	return s.take(b)
}

// take handles what one read brought, and hands over what that acknowledged.
func (s *session) take(b []byte) error {
	err := s.feed(b)
	s.settle()
	if s.handled {
		s.handled = false
		s.heard.Store(s.g.clock())
	}
	return err
}

// feed handles whole packets, and keeps the beginning of the next. Memory grows only
// with what has really arrived.
func (s *session) feed(b []byte) error {
	if len(s.rest) > 0 {
		s.rest = append(s.rest, b...)
		b = s.rest
	}
	for len(b) > 0 {
		h, size, err := cutPacket(b, s.g.limits.MaxPacket)
		if err == nil && size > 0 {
			err = s.handle(h, b[h.length:size])
		}
		if err != nil && !errors.Is(err, errWait) {
			return err
		}
		if err != nil || size == 0 {
			s.keep(b)
			return err
		}
		s.handled = true
		b = b[size:]
	}
	s.rest = nil
	return nil
}

// keep remembers what is to be handled with what comes next.
func (s *session) keep(b []byte) {
	if len(b) != len(s.rest) { // else it is there already
		s.rest = append([]byte(nil), b...)
	}
}

// cutPacket finds the packet at the front of b and its size, which is 0 when more
// bytes are needed.
func cutPacket(b []byte, limit int) (h header, size int, err error) {
	h, err = parseHeader(b)
	if err != nil {
		return header{}, 0, err
	}
	size = h.length + h.size
	switch {
	case size > limit:
		return header{}, 0, errTooLarge
	case h.length == 0 || len(b) < size:
		return header{}, 0, nil
	}
	return h, size, nil
}
