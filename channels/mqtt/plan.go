package mqtt

import (
	"bytes"
	"slices"
	"time"

	"almenara/channels"
	"almenara/storage/alert"
)

// plan is what holds now, made ready once for all sessions. It is immutable.
type plan struct {
	now        *channels.Now
	active     []planned
	generation uint64   // changes when active does
	nowSerial  uint64   // changes with the manifest; 0: there is none
	keysSerial uint64   // changes with the key ring; 0: there is none
	known      []uint64 // all serials that sessions need to remember, ascending
}

// planned is one delivery. The serial stands for its alert, revision and content:
// sessions remember serials of what they were sent.
type planned struct {
	*channels.Delivery
	serial uint64
}

type revisionKey struct {
	id       alert.ID
	revision alert.Revision
	digest   string // two halves may have taken different messages under one key
}

// knownRevision is remembered until it has expired, so that a revision that comes
// back is not sent twice in one session.
type knownRevision struct {
	serial  uint64
	expires time.Time
}

// Set replaces what holds and wakes the workers; it does not wait for them, nor
// for any device. Nil is ignored.
func (g *Gateway) Set(now *channels.Now) {
	if now == nil {
		return
	}
	g.planMu.Lock()
	g.plan.Store(g.newPlan(g.plan.Load(), now))
	g.planMu.Unlock()
	for _, sh := range g.shards {
		select {
		case sh.wake <- struct{}{}:
		default: // it will look anyway
		}
	}
}

// newPlan prepares now. The caller holds planMu.
func (g *Gateway) newPlan(old *plan, now *channels.Now) *plan {
	p := &plan{now: now, generation: old.generation, nowSerial: old.nowSerial, keysSerial: old.keysSerial, known: old.known}
	if old.now == nil || !bytes.Equal(old.now.Manifest, now.Manifest) {
		p.nowSerial = g.nextSerial(now.Manifest)
	}
	if old.now == nil || !bytes.Equal(old.now.Keys, now.Keys) {
		p.keysSerial = g.nextSerial(now.Keys)
	}
	if old.now != nil && sameActive(old.now.Active, now.Active) {
		p.active = old.active
		return p
	}
	p.generation++
	p.active = make([]planned, len(now.Active))
	for i := range now.Active {
		p.active[i] = planned{&now.Active[i], g.serialOf(&now.Active[i])}
	}
	p.known = g.forgetExpired(p.active)
	return p
}

func (g *Gateway) nextSerial(payload []byte) uint64 {
	if len(payload) == 0 {
		return 0
	}
	g.serial++
	return g.serial
}

func (g *Gateway) serialOf(d *channels.Delivery) uint64 {
	key := revisionKey{d.Alert, d.Revision, d.Digest}
	k, ok := g.known[key]
	if !ok {
		g.serial++
		k.serial = g.serial
	}
	k.expires = d.Expires
	g.known[key] = k
	return k.serial
}

// forgetExpired keeps what is active or could come back, and lists it.
func (g *Gateway) forgetExpired(active []planned) []uint64 {
	now := time.Now()
	isActive := make(map[uint64]bool, len(active))
	for _, d := range active {
		isActive[d.serial] = true
	}
	var serials []uint64
	for key, k := range g.known {
		if !isActive[k.serial] && now.After(k.expires) {
			delete(g.known, key)
			continue
		}
		serials = append(serials, k.serial)
	}
	slices.Sort(serials)
	return serials
}

// sameActive reports whether both mean the same to every device. Bitmaps are
// compared by identity: they are never modified, so equal ones that differ in
// identity only cost a look at each session.
func sameActive(a, b []channels.Delivery) bool {
	return slices.EqualFunc(a, b, func(x, y channels.Delivery) bool {
		return x.Alert == y.Alert && x.Revision == y.Revision && x.To == y.To && bytes.Equal(x.Body, y.Body)
	})
}
