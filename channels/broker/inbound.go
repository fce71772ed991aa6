package broker

import (
	"sync"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"

	"almenara/channels"
	"almenara/channels/contract"
	"almenara/channels/receipts"
	"almenara/channels/signal"
	"almenara/storage/receipt"
)

// A node that is not elected remembers what devices tell for so long, and so many
// payloads: when the publisher dies between the broker's acknowledgement and the
// commit, the next one takes them.
const (
	heardFor  = 30 * time.Second
	heardMost = 100_000
)

// heard is one payload of receipts that another node should be taking.
type heard struct {
	at   time.Time
	from channels.Endpoint
	rs   []receipt.Receipt
}

// receive takes one message of a device. It runs on the client's one reading
// goroutine and does not block: acknowledgements have a goroutine of their own.
func (b *Broker) receive(l *link, m mqtt.Message) {
	topic, ok := contract.ParseDeviceTopic(m.Topic())
	if !ok {
		l.acks.put(m)
		return
	}
	from, known := b.options.Directory.Endpoint(topic.Device)
	switch {
	case !known:
		b.metrics.strangers.Inc()
		l.acks.put(m)
	case topic.Leaf == contract.LeafReceipt:
		b.receiveReceipts(l, from, m)
	case topic.Leaf == contract.LeafState:
		b.receiveState(from, m)
		l.acks.put(m)
	default:
		l.acks.put(m)
	}
}

// receiveReceipts takes what a device tells. The broker is told when it is durable;
// what will never be readable is acknowledged, or the broker would send it for ever.
func (b *Broker) receiveReceipts(l *link, from channels.Endpoint, m mqtt.Message) {
	rs, err := receipts.Read(from.Member, m.Payload())
	if err != nil || m.Retained() {
		b.metrics.malformed.Inc()
		b.log.Debug("receipts refused", "device", from.Device, "error", err)
		l.acks.put(m)
		return
	}
	h := heard{time.Now(), from, rs}
	b.mu.Lock()
	for _, r := range rs {
		b.ledger.Answer(from.Device, r, h.at)
	}
	elected := b.elected
	if !elected {
		b.remember(h)
	}
	b.mu.Unlock()
	if !elected || len(rs) == 0 {
		l.acks.put(m)
		return
	}
	l.keep(h, m)
}

// keep makes receipts durable and then acknowledges their message. What cannot be
// kept now is tried again while the link lasts; unacknowledged, the broker brings it
// again with the next one. m is nil for what was acknowledged before.
func (l *link) keep(h heard, m mqtt.Message) {
	l.b.options.Receipts.Take(h.from, h.rs, func(err error) {
		if err == nil {
			l.b.metrics.receipts.Add(float64(len(h.rs)))
			if m != nil {
				l.acks.put(m)
			}
			return
		}
		l.b.metrics.failed.Inc()
		l.b.mu.Lock()
		defer l.b.mu.Unlock()
		l.retry = append(l.retry, func() { l.keep(h, m) })
	})
}

// retake tries again what could not be kept.
func (l *link) retake() {
	l.b.mu.Lock()
	retry := l.retry
	l.retry = nil
	l.b.mu.Unlock()
	for _, again := range retry {
		again()
	}
}

// remember keeps what another node should be taking. mu is held.
func (b *Broker) remember(h heard) {
	old := 0
	for old < len(b.heard) && (h.at.Sub(b.heard[old].at) > heardFor || len(b.heard)-old >= heardMost) {
		old++
	}
	b.heard = append(b.heard[old:], h)
}

// inherit takes what the publisher before may not have brought to the end. Receipts
// count once however often they are told.
func (l *link) inherit() {
	l.b.mu.Lock()
	left := l.b.heard
	l.b.heard = nil
	l.b.mu.Unlock()
	for _, h := range left {
		if time.Since(h.at) <= heardFor && len(h.rs) > 0 {
			l.keep(h, nil)
		}
	}
}

func (b *Broker) receiveState(from channels.Endpoint, m mqtt.Message) {
	s, err := contract.ParseState(m.Payload())
	if err != nil {
		b.metrics.malformed.Inc()
		return
	}
	b.mu.Lock()
	fresh := b.ledger.Arrive(from, s, time.Now(), b.options.Clock())
	b.arrived = b.arrived || fresh
	b.mu.Unlock()
	if fresh {
		b.wake()
	}
	b.options.State(from, s)
}

// acks acknowledges messages to the broker: a message's Ack may block as long as the
// broker does not read, and whoever has made a receipt durable must not wait for it.
// Safe for concurrent use.
type acks struct {
	mu      sync.Mutex
	waiting []mqtt.Message
	arrived signal.Signal // a message waits
}

// put asks for a message's acknowledgement. It never blocks.
func (a *acks) put(m mqtt.Message) {
	a.mu.Lock()
	a.waiting = append(a.waiting, m)
	a.mu.Unlock()
	a.arrived.Set()
}

// run acknowledges until the link is lost.
func (a *acks) run(lost <-chan struct{}) {
	for {
		select {
		case <-lost:
			return
		case <-a.arrived:
		}
		a.mu.Lock()
		waiting := a.waiting
		a.waiting = nil
		a.mu.Unlock()
		for _, m := range waiting {
			m.Ack()
		}
	}
}
