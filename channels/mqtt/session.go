package mqtt

import (
	"net"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"almenara/channels"
	"almenara/storage/alert"
	"almenara/storage/receipt"
)

// session is one connection of a device, from accept to close. There is no session
// beyond the connection: what a device lacks is computed when it comes.
type session struct {
	g         *Gateway
	out       *outConn // the socket
	top       net.Conn // out, or TLS, or WebSocket, on top of it
	transport Transport

	// Set by the reader before the session is enrolled, constant after.
	from      channels.Endpoint
	prefix    string // of the device's own topics, with the last slash
	v5        bool
	window    int           // deliveries in flight
	maxPacket int           // bytes of a packet that the device takes; 0 is no limit
	quiet     time.Duration // between packets, before the session ends; 0 is no limit

	index int // in the shard's list; guarded by shard.mu

	// Written by one goroutine, read by the sweep.
	heard   atomic.Int64 // clock of the last packet
	unacked atomic.Int64 // clock when the oldest delivery in flight was sent; 0: none is
	paused  atomic.Bool  // the reader waits for receipts to become durable
	broken  atomic.Bool  // it panicked

	// The reader's own.
	rest    []byte // the beginning of a packet
	handled bool   // a packet, since heard was written
	mayWait bool   // the goroutine that reads is this session's own
	will    *will
	acked   *[]receipt.Receipt // PUBACKs since the last read; nil: none
	why     ending             // set under mu, read after the session has ended

	mu        sync.Mutex // guards what follows, and the order of writes
	ended     bool
	small     [8]byte
	nowQoS    int8 // granted; -1: not subscribed
	keysQoS   int8
	nowRetain bool // the next one is due to a subscribe
	keyRetain bool
	nowSent   uint64 // serials
	keysSent  uint64
	filters   []ownFilter // below the device's own prefix
	alertsQoS int8        // of a filter that covers all alerts; -1: none does
	caughtUp  uint64      // generation of which nothing is lacking; 0: none
	sent      []uint64    // serials, ascending
	flights   []flight    // oldest first
	nextID    uint16
	taking    int             // publishes handed over and not yet answered
	owed      [2]answers      // of QoS 1 and 2
	room      chan struct{}   // closed when taking falls below its limit; nil: nobody waits
	exchanges map[uint16]bool // QoS 2 ids that await PUBREL; true: PUBREC was sent
}

// flight is one PUBLISH that awaits its PUBACK.
type flight struct {
	id       uint16
	at       int64 // clock
	alert    alert.ID
	revision alert.Revision
	done     chan<- error // a command's; nil for alerts
}

// ending says why a session ended.
type ending uint8

const (
	endGone       ending = iota // the connection broke or was closed without a word
	endDisconnect               // DISCONNECT
	endTakenOver
	endKeepAlive
	endAckTimeout
	endOverflow
	endProtocol
	endRefused // a 3.1.1 client published what it may not, or its receipt failed
	endDropped // by Drop
	endStopping
	endPanic
	endings
)

var endingNames = [endings]string{
	"gone", "disconnect", "taken_over", "keep_alive", "ack_timeout", "overflow",
	"protocol", "refused", "dropped", "stopping", "panic",
}

// String is the name as in metrics and logs.
func (e ending) String() string { return endingNames[e] }

// readBuffer is enough for what a device usually sends.
const readBuffer = 512

func (g *Gateway) newSession(out *outConn, top net.Conn, t Transport) *session {
	return &session{
		g: g, out: out, top: top, transport: t,
		nowQoS: -1, keysQoS: -1, alertsQoS: -1,
	}
}

// rank is 0 for loud endpoints, which are served first.
func (s *session) rank() int {
	if s.from.Loud {
		return 0
	}
	return 1
}

// write sends b; a device that cannot take it is closed by outConn.
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
func (s *session) end(c code, why ending) {
	if s.endOnce(c, why) {
		_ = s.top.Close()
	}
}

func (s *session) endOnce(c code, why ending) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended {
		return false
	}
	if s.v5 && c != codeSuccess {
		s.put(appendDisconnect(s.small[:0], c))
	}
	s.ended, s.why = true, why
	s.makeRoom()
	for _, f := range s.flights {
		f.finish(ErrNotConnected)
	}
	s.flights = nil
	return true
}

// reason is why the session ended.
func (s *session) reason() ending {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.why
}

// makeRoom wakes a reader that waits. The caller holds mu.
func (s *session) makeRoom() {
	if s.room != nil {
		close(s.room)
		s.room = nil
	}
}

// checkTimes ends the session when it is overdue at clock now. A reader that waits
// for receipts to become durable hears nothing, and is not to blame the device for it.
func (s *session) checkTimes(now int64) {
	if s.paused.Load() {
		return
	}
	if s.quiet > 0 && now-s.heard.Load() > int64(s.quiet) {
		s.end(codeKeepAlive, endKeepAlive)
	}
	if at := s.unacked.Load(); at != 0 && now-at > int64(s.g.limits.AckTimeout) {
		s.end(codeUnspecified, endAckTimeout)
	}
}

// rescue is deferred around everything that foreign bytes reach: one device's
// packet must not end the process.
func (s *session) rescue() {
	if p := recover(); p != nil {
		s.g.metrics.panics.Inc()
		s.g.log.Error("session panicked", "device", s.from.Device, "panic", p, "stack", string(debug.Stack()))
		s.broken.Store(true)
		s.out.kill()
	}
}

// land takes the flight with the packet id out. The caller holds mu.
func (s *session) land(id uint16) (flight, bool) {
	for i, f := range s.flights {
		if f.id == id {
			s.flights = append(s.flights[:i], s.flights[i+1:]...)
			s.noteOldest()
			return f, true
		}
	}
	return flight{}, false
}

// takeOff adds a flight and returns its packet id. Our ids are our own: the device
// numbers its publishes independently (MQTT 5 §2.2.1). The caller holds mu.
func (s *session) takeOff(f flight) uint16 {
	for {
		if s.nextID++; s.nextID != 0 && !s.flying(s.nextID) {
			break
		}
	}
	f.id, f.at = s.nextID, s.g.clock()
	s.flights = append(s.flights, f)
	s.noteOldest()
	return f.id
}

func (s *session) flying(id uint16) bool {
	for i := range s.flights {
		if s.flights[i].id == id {
			return true
		}
	}
	return false
}

func (s *session) noteOldest() {
	if len(s.flights) == 0 {
		s.unacked.Store(0)
		return
	}
	s.unacked.Store(s.flights[0].at)
}

// finish tells who waits for a command.
func (f flight) finish(err error) {
	if f.done != nil {
		f.done <- err
	}
}
