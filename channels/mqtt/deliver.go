package mqtt

import (
	"fmt"

	"almenara/channels"
	"almenara/channels/mqtt/delivery"
	"almenara/channels/mqtt/metrics"
)

// scratch is a worker's memory: nothing is allocated per delivery.
type scratch struct {
	delivery.Batch
	sessions []*session
}

// Set replaces what holds and wakes the workers; it does not wait for them, nor
// for any device. Nil is ignored.
func (g *Gateway) Set(now *channels.Now) {
	if now == nil {
		return
	}
	g.planMu.Lock()
	g.plan.Store(g.planner.Next(g.plan.Load(), now))
	g.planMu.Unlock()
	for _, sh := range g.shards {
		sh.wake.Set()
	}
}

// mostBodies is how many changes' bodies go out before the manifests have their turn: devices
// start by the body, and a manifest that is replaced at once is a write for nothing.
const mostBodies = 8

// work serves one shard until the gateway stops.
func (g *Gateway) work(sh *shard) {
	var sc scratch
	for {
		select {
		case <-g.ctx.Done():
			return
		case <-sh.wake:
		}
		sc.BodiesFirst, sc.Skipped = true, false
		g.serve(sh, &sc)
		for more := 1; sc.Skipped && more < mostBodies && sh.wake.Take(); more++ {
			sc.Skipped = false
			g.serve(sh, &sc)
		}
		if sc.BodiesFirst = false; sc.Skipped {
			g.serve(sh, &sc)
		}
	}
}

// serve brings the sessions of a shard up to date.
func (g *Gateway) serve(sh *shard, sc *scratch) {
	for rank := range sh.lists {
		sc.sessions = sh.list(rank, sc.sessions[:0])
		for _, s := range sc.sessions {
			s.deliver(sc)
		}
		clear(sc.sessions)
		g.tellSent(sc)
	}
}

// deliverNow brings one session up to date outside the workers: after a PUBACK, with
// bodiesFirst, as a worker brings the manifest; or when the last pending byte got through.
func (s *session) deliverNow(bodiesFirst bool) {
	sc := s.g.scratches.Get().(*scratch)
	defer s.g.scratches.Put(sc)
	sc.BodiesFirst = bodiesFirst
	s.deliver(sc)
	s.g.tellSent(sc)
}

// deliver sends what the session lacks, as far as the device takes it.
func (s *session) deliver(sc *scratch) {
	defer s.rescue()
	sc.Buf = sc.Buf[:0]
	s.lockedCatchUp(sc)
	s.tellTooLarge(sc)
}

func (s *session) lockedCatchUp(sc *scratch) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.catchUp(sc)
}

// catchUp writes sc.Buf and what the session lacks. While bytes are pending it
// adds none: the device will get what holds when it is ready, not a backlog. The
// caller holds mu.
func (s *session) catchUp(sc *scratch) {
	for more := true; more && !s.ended; {
		more = false
		if p := s.g.plan.Load(); s.to.Lacks(p) && s.out.Pending() == 0 {
			more = s.to.AppendLacking(&sc.Batch, p)
		}
		if len(sc.Buf) == 0 {
			return
		}
		s.put(sc.Buf)
		sc.Buf = sc.Buf[:0]
	}
}

// tellSent hands over what was written since the last call.
func (g *Gateway) tellSent(sc *scratch) {
	for _, sent := range sc.Sent() {
		g.metrics.Deliveries[metrics.Sent].Add(float64(len(sent.Members)))
		if g.hooks != nil {
			g.hooks.Sent(sent.Alert, sent.Revision, sent.Members)
		}
	}
	sc.ClearSent()
}

// tellTooLarge counts packets that the device cannot take, and reports bodies. The receipts
// are handed over for good.
func (s *session) tellTooLarge(sc *scratch) {
	if sc.Rejected > 0 {
		s.g.metrics.Deliveries[metrics.TooLarge].Add(float64(sc.Rejected))
		sc.Rejected = 0
	}
	if len(sc.TooLarge) > 0 {
		s.g.log.Warn("body exceeds the device's maximum packet size", "device", s.from.Device)
		s.g.receipts.Take(s.from, sc.TooLarge, s.g.ownDone)
		sc.TooLarge = sc.TooLarge[:0]
	}
}

// ownReceipt ends receipts that no device waits for.
func (g *Gateway) ownReceipt(err error) {
	if err != nil {
		g.log.Error("recording delivery failed", "error", fmt.Errorf("taking receipts: %w", err))
	}
}
