package mqtt

import (
	"fmt"
	"slices"
	"time"

	"almenara/channels"
	"almenara/channels/contract"
	"almenara/storage/alert"
	"almenara/storage/receipt"
)

// scratch is a worker's memory: nothing is allocated per delivery.
type scratch struct {
	buf      []byte // frames of one session
	sessions []*session
	sent     []sentBatch
	tooLarge []receipt.Receipt
}

// sentBatch collects the members that one revision was written to.
type sentBatch struct {
	serial   uint64
	alert    alert.ID
	revision alert.Revision
	members  []uint32
}

const (
	leafAlert = contract.LeafAlert + "/"
	// chunk is how much is written to one device before others get their turn.
	chunk = 64 << 10
)

// work serves one shard until the gateway stops.
func (g *Gateway) work(sh *shard) {
	var sc scratch
	for {
		select {
		case <-g.ctx.Done():
			return
		case <-sh.wake:
		}
		for rank := range sh.lists {
			sc.sessions = sh.list(rank, sc.sessions[:0])
			for _, s := range sc.sessions {
				s.deliver(&sc)
			}
			clear(sc.sessions)
			g.tellSent(&sc)
		}
	}
}

// deliverNow brings one session up to date outside the workers: after a PUBACK,
// or when the last pending byte got through.
func (s *session) deliverNow() {
	sc := s.g.scratches.Get().(*scratch)
	defer s.g.scratches.Put(sc)
	s.deliver(sc)
	s.g.tellSent(sc)
}

// deliver sends what the session lacks, as far as the device takes it.
func (s *session) deliver(sc *scratch) {
	defer s.rescue()
	sc.buf = sc.buf[:0]
	s.lockedCatchUp(sc)
	s.tellTooLarge(sc)
}

func (s *session) lockedCatchUp(sc *scratch) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.catchUp(sc)
}

// catchUp writes sc.buf and what the session lacks. While bytes are pending it
// adds none: the device will get what holds when it is ready, not a backlog. The
// caller holds mu.
func (s *session) catchUp(sc *scratch) {
	for more := true; more && !s.ended; {
		more = false
		if p := s.g.plan.Load(); s.lacks(p) && s.out.Pending() == 0 {
			more = s.appendLacking(sc, p)
		}
		if len(sc.buf) == 0 {
			return
		}
		s.put(sc.buf)
		sc.buf = sc.buf[:0]
	}
}

// lacks is the quick answer for sessions that are up to date.
func (s *session) lacks(p *plan) bool {
	return s.caughtUp != p.generation && s.wantsAlerts() ||
		s.nowQoS >= 0 && s.nowSent != p.nowSerial ||
		s.keysQoS >= 0 && s.keysSent != p.keysSerial
}

func (s *session) wantsAlerts() bool { return len(s.filters) > 0 }

// appendLacking adds keys, bodies and manifest, so that one write carries all. It
// reports whether there is more than fits one chunk.
func (s *session) appendLacking(sc *scratch, p *plan) (more bool) {
	if s.keysQoS >= 0 && s.keysSent != p.keysSerial {
		s.keysSent = p.keysSerial
		s.appendShared(sc, contract.TopicKeys, p.now.Keys, s.keyRetain)
		s.keyRetain = false
	}
	if s.caughtUp != p.generation && s.wantsAlerts() {
		more = s.appendBodies(sc, p)
	}
	if s.nowQoS >= 0 && s.nowSent != p.nowSerial {
		s.nowSent = p.nowSerial
		s.appendShared(sc, contract.TopicNow, p.now.Manifest, s.nowRetain)
		s.nowRetain = false
	}
	return more
}

// appendShared adds a message that is the same for all. QoS 0: it is replaced
// within seconds, and TCP delivers or ends.
func (s *session) appendShared(sc *scratch, topic string, payload []byte, retain bool) {
	if len(payload) == 0 {
		return
	}
	o := outgoing{topic: [3]string{topic}, retain: retain, payload: payload}
	if s.takes(&o) {
		sc.buf = o.append(sc.buf, s.v5)
	}
}

// takes reports whether the packet is within the device's Maximum Packet Size.
func (s *session) takes(o *outgoing) bool {
	if s.maxPacket == 0 || o.size(s.v5) <= s.maxPacket {
		return true
	}
	s.g.metrics.deliveries[deliveryTooLarge].Inc()
	return false
}

// appendBodies adds every delivery for this member that the session was not sent,
// until the window or the chunk is full.
func (s *session) appendBodies(sc *scratch, p *plan) (more bool) {
	for i := range p.active {
		d := &p.active[i]
		at, was := slices.BinarySearch(s.sent, d.serial)
		if was || !d.To.Contains(s.from.Member) {
			continue
		}
		qos := s.qosFor(string(d.Alert))
		if qos < 0 {
			continue
		}
		if qos > 0 && len(s.flights) >= s.window {
			return false // the next PUBACK goes on
		}
		if len(sc.buf) > 0 && len(sc.buf)+len(d.Body) > chunk {
			return true
		}
		s.sent = slices.Insert(s.sent, at, d.serial)
		s.appendBody(sc, d, byte(qos))
	}
	s.caughtUp = p.generation
	s.forgetSent(p)
	return false
}

func (s *session) appendBody(sc *scratch, d *planned, qos byte) {
	o := outgoing{topic: [3]string{s.prefix, leafAlert, string(d.Alert)}, qos: qos, payload: d.Body}
	if !s.takes(&o) {
		sc.tooLarge = append(sc.tooLarge, s.receipt(d.Delivery, receipt.Failed, "body exceeds the device's maximum packet size"))
		return
	}
	if qos > 0 {
		o.id = s.takeOff(flight{alert: d.Alert, revision: d.Revision})
	}
	sc.buf = o.append(sc.buf, s.v5)
	sc.note(d, s.from.Member)
}

func (s *session) receipt(d *channels.Delivery, rung receipt.Rung, answer string) receipt.Receipt {
	return receipt.Receipt{
		Alert: d.Alert, Revision: d.Revision, Member: s.from.Member,
		Rung: rung, At: now(), Answer: answer,
	}
}

// now is the node's time as receipts carry it.
func now() time.Time { return time.Now().UTC().Truncate(time.Millisecond) }

// forgetSent drops serials that cannot come back, now and then.
func (s *session) forgetSent(p *plan) {
	if len(s.sent) < 2*len(p.known)+8 {
		return
	}
	s.sent = slices.DeleteFunc(s.sent, func(serial uint64) bool {
		_, known := slices.BinarySearch(p.known, serial)
		return !known
	})
}

// note remembers for the Sent hook.
func (sc *scratch) note(d *planned, member uint32) {
	for i := range sc.sent {
		if sc.sent[i].serial == d.serial {
			sc.sent[i].members = append(sc.sent[i].members, member)
			return
		}
	}
	sc.sent = slices.Grow(sc.sent, 1)[:len(sc.sent)+1] // takes an old batch's memory again
	b := &sc.sent[len(sc.sent)-1]
	b.serial, b.alert, b.revision = d.serial, d.Alert, d.Revision
	b.members = append(b.members[:0], member)
}

// tellSent hands over what was written since the last call.
func (g *Gateway) tellSent(sc *scratch) {
	for i := range sc.sent {
		b := &sc.sent[i]
		g.metrics.deliveries[deliverySent].Add(float64(len(b.members)))
		if g.hooks != nil {
			g.hooks.Sent(b.alert, b.revision, b.members)
		}
	}
	sc.sent = sc.sent[:0]
}

// tellTooLarge reports bodies that the device cannot take. The receipts are handed
// over for good.
func (s *session) tellTooLarge(sc *scratch) {
	if len(sc.tooLarge) > 0 {
		s.g.log.Warn("body exceeds the device's maximum packet size", "device", s.from.Device)
		s.g.receipts.Take(s.from, sc.tooLarge, s.g.ownDone)
		sc.tooLarge = sc.tooLarge[:0]
	}
}

// ownReceipt ends receipts that no device waits for.
func (g *Gateway) ownReceipt(err error) {
	if err != nil {
		g.log.Error("recording delivery failed", "error", fmt.Errorf("taking receipts: %w", err))
	}
}
