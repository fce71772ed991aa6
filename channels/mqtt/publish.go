package mqtt

import (
	"bytes"
	"errors"
	"strings"

	"almenara/channels"
	"almenara/channels/contract"
)

// maxExchanges bounds the QoS 2 ids of one device that await PUBREL.
const maxExchanges = 1024

// publish takes a device's PUBLISH: receipt, report or state of its own, nothing
// else. The answer is given when what it carries is durable.
func (s *session) publish(flags byte, body []byte) error {
	p, err := parsePublish(flags, body, s.v5)
	if err != nil {
		return err
	}
	leaf, own := s.leaf(p.topic)
	if !own && s.g.extra != nil {
		return s.g.extra.publish(s, p)
	}
	if !own {
		return s.refusePublish(p)
	}
	ref, fresh, err := s.begin(p)
	if !fresh || err != nil {
		return err
	}
	switch leaf {
	case publishReceipt:
		s.takeReceipts(p, ref)
	case publishReport:
		s.takeReport(p, ref)
	case publishState:
		s.takeState(p, ref)
	}
	return nil
}

// leaf says which of the device's own topics it is. It allocates nothing.
func (s *session) leaf(topic []byte) (publishKind, bool) {
	if len(topic) < len(s.prefix) || string(topic[:len(s.prefix)]) != s.prefix {
		return 0, false
	}
	switch string(topic[len(s.prefix):]) {
	case contract.LeafReceipt:
		return publishReceipt, true
	case contract.LeafReport:
		return publishReport, true
	case contract.LeafState:
		return publishState, true
	}
	return 0, false
}

// refusePublish answers a publish elsewhere. MQTT 5 has a code for it. 3.1.1 has
// none, and a PUBACK would be a lie (§3.3.5): the connection ends.
func (s *session) refusePublish(p publish) error {
	if !validTopic(p.topic) {
		return errMalformed
	}
	s.g.metrics.publishes[publishForeign].Inc()
	s.g.complain("publish outside the device's own topics", "device", s.from.Device, "topic", printable(p.topic))
	if !s.v5 {
		return errForeignTopic
	}
	if p.qos == 0 {
		return nil
	}
	ref, fresh, err := s.begin(p)
	if fresh {
		s.finish(ref, codeNotAuthorized)
	}
	return err
}

// validTopic is MQTT 5 §4.7: text without wildcards.
func validTopic(topic []byte) bool { return validText(topic) && !bytes.ContainsAny(topic, "+#") }

// printable bounds foreign text for the log.
func printable(b []byte) string { return strings.ToValidUTF8(string(b[:min(len(b), 128)]), "?") }

// begin counts a publish as being taken and owes its answer; it reports false for a
// repeated QoS 2 one. When too many are, it waits: what a device sends then stays in
// its own kernel. MQTT 5 devices were told the limit, and break the protocol instead.
func (s *session) begin(p publish) (ref publishID, fresh bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	answered, known := s.exchanges[p.id]
	again := p.qos == 2 && known
	if again && !answered {
		return ref, false, nil // the answer that is owed is its answer too
	}
	for s.taking >= s.g.limits.MaxTaking && !s.ended {
		if s.v5 && p.qos > 0 {
			return ref, false, errReceiveMax
		}
		if !s.mayWait {
			return ref, false, errWait // nothing has happened to p yet
		}
		s.wait()
	}
	if s.ended {
		return ref, false, errEnded
	}
	if s.v5 && p.qos > 0 && len(s.owed[0].list)+len(s.exchanges) >= s.g.limits.MaxTaking {
		return ref, false, errReceiveMax // QoS 2 counts until PUBCOMP (MQTT 5 §4.9)
	}
	if p.qos == 2 && !again {
		if err := s.openExchange(p.id); err != nil {
			return ref, false, err
		}
	}
	s.taking++
	ref.qos = p.qos
	if p.qos > 0 {
		ref.number = s.owed[p.qos-1].owe(p.id)
	}
	if again {
		s.owed[1].ready(ref.number, codeSuccess)
		s.sendAnswers(2)
	}
	return ref, !again, nil
}

// openExchange notes a QoS 2 id. The caller holds mu.
func (s *session) openExchange(id uint16) error {
	if len(s.exchanges) >= maxExchanges {
		return errExchanges
	}
	if s.exchanges == nil {
		s.exchanges = map[uint16]bool{}
	}
	s.exchanges[id] = false
	return nil
}

// wait pauses the reader until one publish is done. The caller holds mu.
func (s *session) wait() {
	if s.room == nil {
		s.room = make(chan struct{})
	}
	room := s.room
	s.paused.Store(true)
	s.mu.Unlock()
	<-room
	s.mu.Lock()
	s.heard.Store(s.g.clock())
	if s.unacked.Load() != 0 {
		s.unacked.Store(s.g.clock()) // its PUBACK may wait in what was not read
	}
	s.paused.Store(false)
}

// doneFunc is called when what a publish carried is durable, or is not.
func (s *session) doneFunc(ref publishID, kind publishKind) func(error) {
	return func(err error) {
		switch {
		case errors.Is(err, ErrUnwanted):
			s.refuseContent(ref, codeImplementation, err)
		case err != nil:
			s.g.metrics.publishes[publishFailed].Inc()
			s.g.complain("publish could not be kept", "device", s.from.Device, "kind", kind, "error", err)
			s.finish(ref, codeUnspecified)
		default:
			s.g.metrics.publishes[kind].Inc()
			s.finish(ref, codeSuccess)
		}
	}
}

// refuseContent answers what will never be readable, or is never wanted.
func (s *session) refuseContent(p publishID, c code, err error) {
	s.g.metrics.publishes[publishRefused].Inc()
	s.g.complain("publish refused", "device", s.from.Device, "error", err)
	s.finish(p, c)
}

func (s *session) takeReceipts(p publish, ref publishID) {
	rs, err := channels.ReadReceipts(s.from.Member, p.payload)
	if err != nil {
		s.refuseContent(ref, codePayload, err)
		return
	}
	done := s.doneFunc(ref, publishReceipt)
	if len(rs) == 0 {
		done(nil)
		return
	}
	s.g.receipts.Take(s.from, rs, done)
}

func (s *session) takeReport(p publish, ref publishID) {
	if s.g.hooks == nil {
		s.refuseContent(ref, codeImplementation, ErrUnwanted)
		return
	}
	s.g.hooks.Report(s.from, bytes.Clone(p.payload), s.doneFunc(ref, publishReport))
}

// takeState passes the state on, unless a newer connection speaks for the device.
func (s *session) takeState(p publish, ref publishID) {
	state, err := contract.ParseState(p.payload)
	if err != nil {
		s.refuseContent(ref, codePayload, err)
		return
	}
	s.g.inOrder(s.from.Device, func() {
		if s.g.hooks != nil && s.g.shardOf(s.from.Device).get(s.from.Device) == s {
			s.g.hooks.State(s.from, state)
		}
	})
	s.g.metrics.publishes[publishState].Inc()
	s.finish(ref, codeSuccess)
}

// pubrel ends a QoS 2 exchange. An id that is not known is told so to MQTT 5
// devices; 3.1.1 ones get the same PUBCOMP as always (§4.3.3).
func (s *session) pubrel(body []byte) error {
	a, err := parseAck(body, s.v5)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	c := codeUnknownID
	if answered, known := s.exchanges[a.id]; known {
		if !answered {
			return errUnexpected // PUBREL before PUBREC
		}
		delete(s.exchanges, a.id)
		c = codeSuccess
	}
	s.put(appendAck(s.small[:0], kindPubcomp, a.id, c, s.v5))
	return nil
}
