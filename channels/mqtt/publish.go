package mqtt

import (
	"bytes"
	"log/slog"
	"strings"

	"almenara/channels/contract"
	"almenara/channels/mqtt/answers"
	"almenara/channels/mqtt/metrics"
	"almenara/channels/mqtt/packet"
	"almenara/channels/receipts"
)

var errForeignTopic = &packet.Fault{Code: packet.CodeNotAuthorized, Text: "publish outside the device's own topics"}

// publish takes a device's PUBLISH: receipt, report or state of its own, nothing
// else. The answer is given when what it carries is durable.
func (s *session) publish(flags byte, body []byte) error {
	p, err := packet.ParsePublish(flags, body, s.v5)
	if err != nil {
		return err
	}
	kind := kindOf(s.to.Prefix(), p.Topic)
	if kind == metrics.Foreign && s.g.extra != nil {
		return s.g.extra.publish(s, p)
	}
	if kind == metrics.Foreign {
		return s.refusePublish(p)
	}
	u, fresh, err := s.begin(p, kind)
	if !fresh || err != nil {
		return err
	}
	switch kind {
	case metrics.Receipt:
		u.takeReceipts(p.Payload)
	case metrics.Report:
		u.takeReport(p.Payload)
	case metrics.State:
		u.takeState(p.Payload)
	}
	return nil
}

// kindOf says which of the topics below a device's prefix it is. It allocates nothing.
func kindOf(prefix string, topic []byte) metrics.Publish {
	if len(topic) < len(prefix) || string(topic[:len(prefix)]) != prefix {
		return metrics.Foreign
	}
	switch string(topic[len(prefix):]) {
	case contract.LeafReceipt:
		return metrics.Receipt
	case contract.LeafReport:
		return metrics.Report
	case contract.LeafState:
		return metrics.State
	}
	return metrics.Foreign
}

// refusePublish answers a publish elsewhere. MQTT 5 has a code for it. 3.1.1 has
// none, and a PUBACK would be a lie (§3.3.5): the connection ends.
func (s *session) refusePublish(p packet.Publish) error {
	if !validTopic(p.Topic) {
		return packet.ErrMalformed
	}
	s.g.metrics.Publishes[metrics.Foreign].Inc()
	s.g.warnings.Log(s.g.log, slog.LevelWarn, "publish outside the device's own topics", "device", s.from.Device, "topic", printable(p.Topic))
	if !s.v5 {
		return errForeignTopic
	}
	if p.QoS == 0 {
		return nil
	}
	u, fresh, err := s.begin(p, metrics.Foreign)
	if fresh {
		u.answer(packet.CodeNotAuthorized)
	}
	return err
}

// validTopic is MQTT 5 §4.7: text without wildcards.
func validTopic(topic []byte) bool { return packet.ValidText(topic) && !bytes.ContainsAny(topic, "+#") }

// printable bounds foreign text for the log.
func printable(b []byte) string { return strings.ToValidUTF8(string(b[:min(len(b), 128)]), "?") }

// underway is a publish that is being taken, until its answer.
type underway struct {
	s    *session
	ref  answers.Publish
	kind metrics.Publish
}

// begin counts a publish as being taken and owes its answer; it reports false for a
// repeated QoS 2 one. When too many are, it waits: what a device sends then stays in
// its own kernel. MQTT 5 devices were told the limit, and break the protocol instead.
func (s *session) begin(p packet.Publish, kind metrics.Publish) (u underway, fresh bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for !s.ended {
		ref, begun, err := s.owed.Begin(p, s.g.limits.MaxTaking, s.v5)
		switch {
		case err != nil:
			return u, false, err
		case begun == answers.Repeated:
			s.sendAnswers(2)
			return u, false, nil
		case begun == answers.Fresh:
			return underway{s, ref, kind}, true, nil
		case !s.in.mayWait:
			return u, false, errWait // nothing has happened to p yet
		}
		s.wait()
	}
	return u, false, errEnded
}

// wait pauses the reader until one publish is answered. The caller holds mu.
func (s *session) wait() {
	if s.room == nil {
		s.room = make(chan struct{})
	}
	room := s.room
	s.paused.Store(true)
	s.mu.Unlock()
	<-room
	s.mu.Lock()
	s.heard.Store(s.g.clock.Now())
	s.to.Postpone() // its PUBACK may wait in what was not read
	s.paused.Store(false)
}

// makeRoom wakes a reader that waits. The caller holds mu.
func (s *session) makeRoom() {
	if s.room != nil {
		close(s.room)
		s.room = nil
	}
}

// sendAnswers writes what can go out, in one write. The caller holds mu.
func (s *session) sendAnswers(qos byte) {
	n := s.owed.Due(qos)
	switch n {
	case 0:
		return
	case 1:
		s.put(s.owed.AppendDue(s.small[:0], qos, n, s.v5))
	default:
		sc := s.g.scratches.Get().(*scratch)
		defer s.g.scratches.Put(sc)
		sc.Buf = s.owed.AppendDue(sc.Buf[:0], qos, n, s.v5)
		s.put(sc.Buf)
	}
	s.makeRoom()
}

// pubrel ends a QoS 2 exchange.
func (s *session) pubrel(body []byte) error {
	a, err := packet.ParseAck(body, s.v5)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	c, err := s.owed.Release(a.ID)
	if err != nil {
		return err
	}
	s.put(packet.AppendAck(s.small[:0], packet.KindPubcomp, a.ID, c, s.v5))
	return nil
}

// answer ends the taking of a publish and answers it with c. A 3.1.1 device can be
// told of success only: what may succeed later ends its connection, so that it
// sends again; what never will is acknowledged and counted, or it would loop.
func (u underway) answer(c packet.Code) {
	if u.tryAnswer(c) {
		return
	}
	u.s.end(packet.CodeSuccess, metrics.RefusedPublish)
}

// tryAnswer reports false when only the end of the connection can say c.
func (u underway) tryAnswer(c packet.Code) bool {
	s := u.s
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case u.ref.QoS == 0:
		s.owed.Unanswered()
		s.makeRoom()
	case s.ended:
	case !s.v5 && c == packet.CodeUnspecified:
		return false
	default:
		s.owed.Ready(u.ref, c)
		s.sendAnswers(u.ref.QoS)
	}
	return true
}

// done is called when what a publish carried is durable, or is not.
func (u underway) done(err error) {
	g := u.s.g
	code, refused := answers.Refusal(err)
	switch {
	case refused:
		u.refuse(code, err)
	case err != nil:
		g.metrics.Publishes[metrics.Failed].Inc()
		g.warnings.Log(g.log, slog.LevelWarn, "publish could not be kept", "device", u.s.from.Device, "kind", u.kind, "error", err)
		u.answer(packet.CodeUnspecified)
	default:
		g.metrics.Publishes[u.kind].Inc()
		u.answer(packet.CodeSuccess)
	}
}

// refuse answers what will never be readable, or is never wanted.
func (u underway) refuse(c packet.Code, err error) {
	u.s.g.metrics.Publishes[metrics.Unwanted].Inc()
	u.s.g.warnings.Log(u.s.g.log, slog.LevelWarn, "publish refused", "device", u.s.from.Device, "error", err)
	u.answer(c)
}

func (u underway) takeReceipts(payload []byte) {
	rs, err := receipts.Read(u.s.from.Member, payload)
	switch {
	case err != nil:
		u.refuse(packet.CodePayload, err)
	case len(rs) == 0:
		u.done(nil)
	default:
		u.s.g.receipts.Take(u.s.from, rs, u.done)
	}
}

func (u underway) takeReport(payload []byte) {
	report, err := contract.ParseReport(payload)
	switch {
	case err != nil:
		u.refuse(packet.CodePayload, err)
	case u.s.g.hooks == nil:
		u.refuse(packet.CodeImplementation, ErrUnwanted)
	default:
		u.s.g.hooks.Report(u.s.from, report, u.done)
	}
}

// takeState passes the state on, unless a newer connection speaks for the device.
func (u underway) takeState(payload []byte) {
	s := u.s
	state, err := contract.ParseState(payload)
	if err != nil {
		u.refuse(packet.CodePayload, err)
		return
	}
	s.g.inOrder(s.from.Device, func() {
		if s.g.hooks != nil && s.g.shardOf(s.from.Device).get(s.from.Device) == s {
			s.g.hooks.State(s.from, state)
		}
	})
	s.g.metrics.Publishes[metrics.State].Inc()
	u.answer(packet.CodeSuccess)
}
