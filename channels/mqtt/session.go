package mqtt

import (
	"errors"
	"net"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"almenara/channels"
	"almenara/channels/mqtt/answers"
	"almenara/channels/mqtt/delivery"
	"almenara/channels/mqtt/metrics"
	"almenara/channels/mqtt/nonblocking"
	"almenara/channels/mqtt/packet"
)

// session is one connection of a device, from accept to close. There is no session
// beyond the connection: what a device lacks is computed when it comes.
type session struct {
	g         *Gateway
	out       *nonblocking.Conn // the socket
	top       net.Conn          // out, or TLS, or WebSocket, on top of it
	transport Transport

	// Set by the reader before the session is enrolled, constant after.
	from  channels.Endpoint
	v5    bool
	quiet time.Duration // between packets, before the session ends; 0 is no limit

	index int // in the shard's list; guarded by shard.mu

	// Written by one goroutine, read by the sweep.
	heard  atomic.Int64 // clock of the last packet
	paused atomic.Bool  // the reader waits for receipts to become durable
	broken atomic.Bool  // it panicked

	// The reader's own.
	in   reader
	will *packet.Will
	why  metrics.Ending // set under mu, read after the session has ended

	mu    sync.Mutex // guards what follows, and the order of writes
	ended bool
	small [8]byte
	to    delivery.Receiver // what the device wants and was sent
	owed  answers.Owed      // what the device published
	room  chan struct{}     // closed when one is answered; nil: nobody waits
}

// readBuffer is enough for what a device usually sends.
const readBuffer = 512

func (g *Gateway) newSession(out *nonblocking.Conn, top net.Conn, t Transport) *session {
	s := &session{g: g, out: out, top: top, transport: t, to: delivery.NewReceiver(g.clock)}
	s.in.s = s
	return s
}

// run opens the session on a goroutine of its own. What opening needs, stack and
// buffers, TLS above all, goes with it: the session goes on with a poller, or with a
// goroutine that has just begun.
func (s *session) run() {
	defer s.g.wg.Done()
	connack := opening{s}.open()
	if connack == nil {
		_ = s.top.Close()
		return
	}
	if err := s.arrive(connack); err != nil {
		s.hangUp(s.explain(err))
		s.depart()
		return
	}
	if s.top == net.Conn(s.out) && s.out.StartPolling(s.g.pollerOf(s)) {
		return
	}
	s.g.wg.Add(1)
	go s.in.serve()
}

// arrive enrols the session, and handles what came right behind the CONNECT.
func (s *session) arrive(connack []byte) error {
	if !s.enrol(connack) {
		return ErrStopped
	}
	s.in.mayWait = true
	err := s.in.handleRead(nil)
	s.in.mayWait = false
	return err
}

func (s *session) enrol(connack []byte) bool {
	defer s.rescue()
	return s.g.enrol(s, connack)
}

// Ending implements nonblocking.User: nobody reads a polled session when it ends.
func (s *session) Ending() {
	s.g.wg.Go(func() {
		s.end(s.explain(net.ErrClosed)) // does nothing after any other end
		s.depart()
	})
}

// Drained implements nonblocking.User.
func (s *session) Drained() { s.deliverNow(false) }

// depart takes the ended session out of the registry, once.
func (s *session) depart() {
	_ = s.top.Close()
	s.mu.Lock()
	why := s.why
	s.mu.Unlock()
	s.g.metrics.Endings[why].Inc()
	s.g.log.Debug("session ended", "device", s.from.Device, "why", why)
	s.g.leave(s)
}

func (s *session) explain(err error) (packet.Code, metrics.Ending) {
	var f *packet.Fault
	switch {
	case s.broken.Load():
		return packet.CodeSuccess, metrics.Panic
	case errors.As(err, &f):
		return f.Code, metrics.ProtocolBroken
	case errors.Is(err, errDisconnected):
		return packet.CodeSuccess, metrics.Disconnect
	case errors.Is(err, ErrStopped):
		return packet.CodeStopping, metrics.Stopping
	case errors.Is(s.out.Failure(), nonblocking.ErrOverflow):
		return packet.CodeSuccess, metrics.Overflow
	}
	return packet.CodeSuccess, metrics.Gone
}

// rank is 0 for loud endpoints, which are served first.
func (s *session) rank() int {
	if s.from.Loud {
		return 0
	}
	return 1
}

// write sends b; a device that cannot take it is closed by its connection.
func (s *session) write(b []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.put(b)
}

// put is write for callers that hold mu. The error is the connection's end, which
// the reader sees.
func (s *session) put(b []byte) {
	if !s.ended {
		_, _ = s.top.Write(b)
	}
}

// end closes the connection, once; MQTT 5 clients are told c unless it is zero.
// It never blocks on the device.
func (s *session) end(c packet.Code, why metrics.Ending) {
	if s.endOnce(c, why) {
		_ = s.top.Close()
	}
}

func (s *session) endOnce(c packet.Code, why metrics.Ending) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended {
		return false
	}
	if s.v5 && c != packet.CodeSuccess {
		s.put(packet.AppendDisconnect(s.small[:0], c))
	}
	s.ended, s.why = true, why
	s.makeRoom()
	s.to.EndAll(ErrNotConnected)
	return true
}

// hangUp ends the session for what its device did wrong, and lets it read why. It
// does not wait.
func (s *session) hangUp(c packet.Code, why metrics.Ending) {
	if !s.v5 || c == packet.CodeSuccess { // nothing is told
		s.end(c, why)
		return
	}
	s.g.lastReads.CloseAfter(s.out, func() { s.end(c, why) })
}

// checkTimes ends the session when it is overdue at clock now. A reader that waits
// for receipts to become durable hears nothing, and is not to blame the device for it.
func (s *session) checkTimes(now int64) {
	if s.paused.Load() {
		return
	}
	if s.quiet > 0 && now-s.heard.Load() > int64(s.quiet) {
		s.end(packet.CodeKeepAlive, metrics.KeepAlive)
	}
	if at := s.to.OldestInFlight(); at != 0 && now-at > int64(s.g.limits.AckTimeout) {
		s.end(packet.CodeUnspecified, metrics.AckTimeout)
	}
}

// rescue is deferred around everything that foreign bytes reach: one device's
// packet must not end the process.
func (s *session) rescue() {
	if p := recover(); p != nil {
		s.g.metrics.Panics.Inc()
		s.g.log.Error("session panicked", "device", s.from.Device, "panic", p, "stack", string(debug.Stack()))
		s.broken.Store(true)
		s.out.Kill()
	}
}
