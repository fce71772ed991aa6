package mqtt

import (
	"errors"
	"fmt"
	"io"

	"almenara/channels/mqtt/packet"
	"almenara/channels/mqtt/poller"
	"almenara/storage/receipt"
)

var (
	errDisconnected = errors.New("device disconnected")
	errEnded        = errors.New("session has ended")
	errPanicked     = errors.New("session panicked")

	// errWait ends the handling of what was read, before a packet that has to wait.
	errWait = errors.New("receipts must become durable first")
)

// reader handles what a session's device says. It is for the goroutine that reads, which is
// a poller's, or one of the session's own.
type reader struct {
	s       *session
	rest    []byte             // the beginning of a packet
	handled bool               // a packet, since the session's heard was written
	mayWait bool               // the goroutine that reads is this session's own
	acked   *[]receipt.Receipt // PUBACKs since the last read; nil: none
}

// serve reads where no poller does.
func (r *reader) serve() {
	defer r.s.g.wg.Done()
	defer r.s.depart()
	r.mayWait = true
	err := r.receive()
	r.s.hangUp(r.s.explain(err))
}

// receive handles what the device says until it says no more.
func (r *reader) receive() error {
	in := make([]byte, readBuffer)
	for {
		n, err := r.s.top.Read(in)
		if n > 0 {
			if err := r.handleRead(in[:n]); err != nil {
				return err
			}
		}
		if err != nil {
			return fmt.Errorf("reading from device: %w", err)
		}
	}
}

// readApart takes a session that has to wait out of its poller.
func (r *reader) readApart() {
	r.s.out.ReadApart()
	r.s.g.wg.Add(1)
	go func() {
		defer r.s.g.wg.Done()
		if err := r.receiveApart(); !errors.Is(err, poller.ErrNothing) {
			r.s.hangUp(r.s.explain(err))
		}
	}()
}

// receiveApart handles what has come, waiting where it must. poller.ErrNothing is that the
// poller has the session again.
func (r *reader) receiveApart() error {
	in, n := make([]byte, readBuffer), 0
	for {
		r.mayWait = true
		err := r.handleRead(in[:n])
		r.mayWait = false
		if err != nil {
			return err
		}
		if n, err = r.s.out.ReceiveApart(in); err != nil {
			return err
		}
	}
}

// handle does what one packet asks for.
func (r *reader) handle(h packet.Header, body []byte) error {
	switch h.Kind {
	case packet.KindPublish:
		return r.s.publish(h.Flags, body)
	case packet.KindPuback:
		return r.puback(body)
	case packet.KindPubrel:
		return r.s.pubrel(body)
	case packet.KindPingreq:
		return r.ping(body)
	case packet.KindSubscribe:
		return r.s.subscribe(body)
	case packet.KindUnsubscribe:
		return r.s.unsubscribe(body)
	case packet.KindDisconnect:
		return r.disconnect(body)
	}
	return packet.ErrUnexpected
}

func (r *reader) ping(body []byte) error {
	if len(body) > 0 {
		return packet.ErrMalformed
	}
	r.s.mu.Lock()
	defer r.s.mu.Unlock()
	r.s.put(append(r.s.small[:0], packet.KindPingresp<<4, 0))
	return nil
}

// disconnect drops the will, unless an MQTT 5 device wants it sent (§3.14.2.1).
func (r *reader) disconnect(body []byte) error {
	c, err := packet.ParseDisconnect(body, r.s.v5)
	if err != nil {
		return err
	}
	if c == packet.CodeWithWill {
		return io.EOF
	}
	return errDisconnected
}

// handleRead handles what one read brought, and passes on what that acknowledged. A panic
// ends this session only.
func (r *reader) handleRead(b []byte) (err error) {
	err = errPanicked
	defer r.s.rescue()
	failed := r.feed(b)
	r.passOnAcks()
	if r.handled {
		r.handled = false
		r.s.heard.Store(r.s.g.clock.Now())
	}
	return failed
}

// feed handles whole packets, and keeps the beginning of the next. Memory grows only
// with what has really arrived.
func (r *reader) feed(b []byte) error {
	if len(r.rest) > 0 {
		r.rest = append(r.rest, b...)
		b = r.rest
	}
	for len(b) > 0 {
		h, size, err := packet.Cut(b, r.s.g.limits.MaxPacket)
		if err == nil && size > 0 {
			err = r.handle(h, b[h.Length:size])
		}
		if err != nil && !errors.Is(err, errWait) {
			return err
		}
		if err != nil || size == 0 {
			r.keepRest(b)
			return err
		}
		r.handled = true
		b = b[size:]
	}
	r.rest = nil
	return nil
}

// keepRest remembers what is to be handled with what comes next.
func (r *reader) keepRest(b []byte) {
	if len(b) != len(r.rest) { // else it is there already
		r.rest = append([]byte(nil), b...)
	}
}
