package mqtt

import (
	"errors"
	"fmt"
	"io"
)

var (
	errDisconnected = errors.New("device disconnected")
	errEnded        = errors.New("session has ended")
)

// run is the one goroutine of a connection.
func (s *session) run() {
	defer s.g.wg.Done()
	defer s.top.Close()
	if connack := s.open(); connack != nil {
		s.serve(connack)
	}
}

// serve is the session's life. Whatever happens, it ends out of the registry.
func (s *session) serve(connack []byte) {
	defer s.g.leave(s)
	defer s.end(codeSuccess, endPanic) // does nothing after any other end
	defer s.rescue()
	if !s.g.enrol(s, connack) {
		s.end(codeStopping, endStopping)
		return
	}
	c, why := s.read()
	s.end(c, why)
	s.settle()
	s.g.metrics.endings[s.why].Inc()
	s.g.log.Debug("session ended", "device", s.from.Device, "why", s.why)
}

// read handles packets until the session ends, and says how it did.
func (s *session) read() (code, ending) {
	for {
		h, body, err := s.frame(s.g.limits.MaxPacket)
		if err == nil {
			err = s.handle(h, body)
		}
		if err != nil {
			return s.explain(err)
		}
	}
}

func (s *session) explain(err error) (code, ending) {
	var f *fault
	switch {
	case errors.As(err, &f):
		return f.code, endProtocol
	case errors.Is(err, errDisconnected):
		return codeSuccess, endDisconnect
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

// frame returns the next packet. The body is valid until the next call.
func (s *session) frame(limit int) (header, []byte, error) {
	for {
		h, err := parseHeader(s.in[s.r:s.w])
		if err != nil {
			return header{}, nil, err
		}
		total := h.length + h.size
		if total > limit {
			return header{}, nil, errTooLarge
		}
		if h.length > 0 && s.w-s.r >= total {
			body := s.in[s.r+h.length : s.r+total]
			s.r += total
			s.handled = true
			return h, body, nil
		}
		if err := s.fill(); err != nil {
			return header{}, nil, err
		}
	}
}

// fill reads more. Before it waits, it hands over what has been acknowledged.
func (s *session) fill() error {
	s.settle()
	if s.handled {
		s.handled = false
		s.heard.Store(s.g.clock())
	}
	s.makeSpace()
	n, err := s.top.Read(s.in[s.w:])
	s.w += n
	if n == 0 && err != nil {
		return fmt.Errorf("reading from device: %w", err)
	}
	return nil
}

// makeSpace gives back a buffer that was grown, moves a part of a packet to the
// front, or doubles the buffer: memory grows only with what has really arrived.
func (s *session) makeSpace() {
	switch {
	case s.r == s.w:
		s.r, s.w = 0, 0
		if len(s.in) > readBuffer {
			s.in = make([]byte, readBuffer)
		}
	case s.w < len(s.in):
	case s.r > 0:
		s.w = copy(s.in, s.in[s.r:s.w])
		s.r = 0
	default:
		s.in = append(s.in, make([]byte, len(s.in))...)
	}
}
