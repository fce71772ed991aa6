package mqtt

import (
	"errors"

	"almenara/channels/mqtt/nonblocking"
	"almenara/channels/mqtt/poller"
)

const (
	pollBuffer = 16 << 10
	// readsAtOnce is how much one device may say before others get their turn.
	readsAtOnce = 4
)

// readPolled reads the sessions of one poller until it is stopped, and every session is gone
// then. Nothing that it calls waits; a session that has to wait is read by a goroutine of its
// own until it need not any more.
func (g *Gateway) readPolled(p *poller.Poller) {
	defer p.Close()
	buf := make([]byte, pollBuffer)
	var more []*session // that were read four times and have more
	for {
		n := p.Wait(len(more) > 0)
		again := more
		more = nil
		for _, s := range again {
			if s.in.readEvent(poller.Readable, buf) {
				more = append(more, s)
			}
		}
		for i := range n {
			owner, event := p.Event(i)
			if owner == nil {
				continue
			}
			if s := owner.(*nonblocking.Conn).User().(*session); s.in.readEvent(event, buf) {
				more = append(more, s)
			}
		}
		if p.Done() {
			return
		}
	}
}

// readEvent does what an event asks for. It reports whether there is more to read.
func (r *reader) readEvent(event poller.Event, buf []byte) (more bool) {
	if event.Writable() {
		r.s.out.WritePending()
	}
	if !event.Readable() {
		return false
	}
	for range readsAtOnce {
		n, err := r.s.out.Receive(buf)
		if err == nil {
			err = r.handleRead(buf[:n])
		}
		switch {
		case errors.Is(err, poller.ErrNothing), errors.Is(err, nonblocking.ErrReadApart):
			return false
		case errors.Is(err, errWait):
			r.readApart()
			return false
		case err != nil:
			r.s.hangUp(r.s.explain(err))
			return false
		case n < len(buf) && !event.Ended():
			return false // what comes now is another event
		}
	}
	return true
}
