package device

import (
	"bytes"
	"errors"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"

	"almenara/channels/contract"
	"almenara/channels/device/rules"
)

// maxWaiting is how many messages wait for a newer key ring, after which the connection ends, because the next one
// brings all of them again; maxRefused is how many refusals are told on one connection.
const maxWaiting, maxRefused = 16, 64

// handler takes what comes on the connection, once the key ring has, which a node sends first. paho hands messages
// over in goroutines of their own, so that they overtake each other: the bodies of many alerts would come before the ring
// that opens them. None is acknowledged while it waits, and a node has 16 under way at most.
func (l *link) handler(d *Device) mqtt.MessageHandler {
	return func(_ mqtt.Client, m mqtt.Message) {
		if m.Topic() == contract.TopicKeys {
			defer l.ring.Do(func() { close(l.ringed) })
		} else {
			l.awaitRing(d.options.Timeout)
		}
		d.receive(l, m)
	}
}

func (l *link) awaitRing(most time.Duration) {
	select {
	case <-l.ringed:
		return
	default: // it is to come
	}
	late := time.NewTimer(most)
	defer late.Stop()
	select {
	case <-l.ringed:
	case <-l.Lost():
	case <-late.C: // the ring that is stored may do
	}
}

// receive takes one message, in any order: the rules do not mind.
func (d *Device) receive(l *link, m mqtt.Message) {
	d.mu.Lock()
	ring, current := d.ring, d.link == l && !d.stopped
	d.mu.Unlock()
	if !current {
		return
	}
	topic, own := contract.ParseDeviceTopic(m.Topic())
	switch {
	case m.Topic() == contract.TopicKeys:
		d.receiveKeys(l, m.Payload())
	case m.Topic() == contract.TopicNow:
		d.receiveManifest(l, ring, m)
	case !own || topic.Device != d.options.ID || m.Retained():
		// Retained bodies and commands are never trusted: no node retains them.
	case topic.Leaf == contract.LeafAlert:
		d.receiveBody(l, ring, topic.Alert, m)
	case topic.Leaf == contract.LeafCommand:
		d.receiveCommand(l, ring, m)
	}
}

// receiveKeys takes the district's key ring, never one older than it has: that
// would bring back keys that were taken out.
func (d *Device) receiveKeys(l *link, payload []byte) {
	ring, err := contract.OpenKeys(d.options.RootKey, payload)
	if err != nil {
		d.refuse("key ring", err)
		return
	}
	d.mu.Lock()
	if ring.Time().Before(d.ring.Time()) {
		d.mu.Unlock()
		return
	}
	d.ring, d.keys = ring, bytes.Clone(payload)
	d.past.VerifyAgain(ring)
	waiting := l.waiting
	l.waiting = nil
	d.save(true)
	d.mu.Unlock()
	for _, m := range waiting {
		d.receive(l, m)
	}
}

func (d *Device) receiveManifest(l *link, ring contract.Ring, m mqtt.Message) {
	manifest, err := contract.Open[contract.Manifest](ring, m.Payload())
	if err != nil {
		d.unverified(l, ring, m, err)
		return
	}
	d.input(func(r *rules.Rules, now time.Time) []rules.Effect { return r.Manifest(manifest, now) })
}

func (d *Device) receiveCommand(l *link, ring contract.Ring, m mqtt.Message) {
	command, err := contract.Open[contract.Command](ring, m.Payload())
	if err != nil {
		d.unverified(l, ring, m, err)
		return
	}
	d.input(func(r *rules.Rules, now time.Time) []rules.Effect { return r.Command(command, now) })
}

func (d *Device) receiveBody(l *link, ring contract.Ring, alert string, m mqtt.Message) {
	body, err := contract.Open[contract.Body](ring, m.Payload())
	if err == nil && body.Alert != alert {
		err = contract.ErrSignature // signed, but for another alert
	}
	switch {
	case err == nil:
		d.input(func(r *rules.Rules, now time.Time) []rules.Effect {
			d.past.Keep(body, m.Payload())
			return r.Body(body, now)
		})
	case !d.unverified(l, ring, m, err):
		d.tellRefused(l, alert, m.Payload())
	}
}

// unverified handles a payload that does not open with ring. It reports whether
// the payload is still to be decided: with the ring that came meanwhile, or with
// one that is yet to come.
func (d *Device) unverified(l *link, ring contract.Ring, m mqtt.Message, err error) (undecided bool) {
	if !errors.Is(err, contract.ErrUnknownKey) {
		d.refuse(m.Topic(), err)
		return false
	}
	d.mu.Lock()
	if !d.ring.Time().Equal(ring.Time()) {
		d.mu.Unlock()
		d.receive(l, m)
		return true
	}
	defer d.mu.Unlock()
	if len(l.waiting) >= maxWaiting {
		d.options.Logger.Warn("too many messages wait for a key ring; connecting anew", "device", d.options.ID)
		l.End()
		return true
	}
	l.waiting = append(l.waiting, m)
	return true
}

func (d *Device) refuse(what string, err error) {
	d.options.Logger.Warn("payload refused", "device", d.options.ID, "payload", what, "error", err)
	d.happened(Event{What: Refused, Detail: what + ": " + err.Error()})
}

// tellRefused tells the node, once per connection, which body does not verify. The
// revision comes from the unverified payload: it only says which one it was.
func (d *Device) tellRefused(l *link, alert string, payload []byte) {
	of := Revision{Alert: alert, Revision: contract.ClaimedRevision(payload)}
	d.mu.Lock()
	defer d.mu.Unlock()
	if of.Revision == 0 || l.refused[of] > 0 || len(l.refused) >= maxRefused || d.stopped {
		return
	}
	l.refused[of]++
	d.outbox.Add(contract.Receipt{
		Alert: of.Alert, Revision: of.Revision, Rung: contract.RungRefused,
		At: d.rules.Corrected(d.options.Clock()).UTC().Truncate(time.Millisecond),
	})
	d.save(true)
	d.wake.Set()
}
