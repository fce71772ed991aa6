package gateway

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"time"

	"almenara/channels/contract"
	"almenara/channels/mqtt/packet"
)

// Seen is all that the device did.
type Seen struct {
	Subscribed bool // the newest connection is there, and has subscribed to everything
	Weak       bool // it subscribed to its own topics with QoS 0
	Connects   []Connect
	Receipts   []Told
	States     []contract.State // of all connections, in order
	Faults     []string         // what no device may do
	Ends       []string         // why connections ended, for people
}

// Connect is one CONNECT that was taken.
type Connect struct {
	packet.Connect
	Clean bool // the session
	Node  int  // at which it connected
}

// Told is one receipt, and on which connection it came.
type Told struct {
	contract.Receipt
	Connection int // its number
}

// published takes what the device publishes, as a node would.
func (g *Gateway) published(p *peer, h packet.Header, body []byte) error {
	m, err := packet.ParsePublish(h.Flags, body, p.v5)
	if err != nil {
		return err
	}
	topic, payload := string(m.Topic), bytes.Clone(m.Payload)
	withheld := false
	g.note(func(s *Seen) {
		switch topic {
		case contract.TopicReceipt(g.id):
			s.takeReceipts(payload, p.number, m.QoS)
			withheld = g.withhold
		case contract.TopicState(g.id):
			s.takeState(payload)
		default:
			s.Faults = append(s.Faults, fmt.Sprintf("it publishes on %.60q", topic))
		}
	})
	switch {
	case m.QoS == 0 || withheld:
		return nil
	case m.QoS == 2:
		return p.write(packet.AppendAck(nil, packet.KindPubrec, m.ID, 0, p.v5))
	}
	return p.write(packet.AppendAck(nil, packet.KindPuback, m.ID, 0, p.v5))
}

func (s *Seen) takeReceipts(payload []byte, connection int, qos byte) {
	list, err := contract.ParseReceipts(payload)
	if err != nil {
		s.Faults = append(s.Faults, "receipts: "+err.Error())
		return
	}
	if qos == 0 {
		s.Faults = append(s.Faults, "receipts come with QoS 0")
	}
	for _, r := range list {
		s.Receipts = append(s.Receipts, Told{r, connection})
	}
}

func (s *Seen) takeState(payload []byte) {
	state, err := contract.ParseState(payload)
	if err != nil {
		s.Faults = append(s.Faults, "state: "+err.Error())
		return
	}
	s.States = append(s.States, state)
}

// Of are the receipts of a body with this rung, in order.
func (s *Seen) Of(b contract.Body, rung string) (list []Told) {
	for _, r := range s.Receipts {
		if r.Alert == b.Alert && r.Revision == b.Revision && r.Rung == rung {
			list = append(list, r)
		}
	}
	return list
}

// Has reports whether there is one.
func (s *Seen) Has(b contract.Body, rung string) bool { return len(s.Of(b, rung)) > 0 }

// BeganAgain are the times at which a body was presented first, and again; zero where it was not: what is told again keeps
// the time of the first.
func (s *Seen) BeganAgain(b contract.Body) (first, again time.Time) {
	for _, r := range s.Of(b, contract.RungPresented) {
		if first.IsZero() {
			first = r.At
		}
		if !r.At.Equal(first) {
			again = r.At
		}
	}
	return first, again
}

// ToldAnew is a rung of a body that was told after so many receipts and is none of those before, sent again; "" for none.
func (s *Seen) ToldAnew(b contract.Body, after int) string {
	for _, r := range s.Receipts[after:] {
		if first := s.Of(b, r.Rung); r.Alert == b.Alert && (len(first) == 0 || r.Seq != first[0].Seq) {
			return r.Rung
		}
	}
	return ""
}

// CameAgain reports whether a receipt came again on a later connection, under its number.
func (s *Seen) CameAgain(b contract.Body, first Told) bool {
	return slices.ContainsFunc(s.Of(b, first.Rung), func(r Told) bool { return r.Connection > first.Connection && r.Seq == first.Seq })
}

// Sessions says what is wrong with the sessions of the states, of which there is one at least, and of the last will.
func (s *Seen) Sessions() (err error) {
	last := s.States[0]
	for _, state := range s.States {
		if state.Session < last.Session {
			err = fmt.Errorf("session %d came after %d", state.Session, last.Session)
		}
		last = state
	}
	if last.Session == s.States[0].Session {
		err = errors.New("it has the same session on every connection")
	}
	if will := s.Connects[len(s.Connects)-1].Will; will != nil && err == nil {
		if session, _ := WillSession(will.Payload); session != last.Session {
			err = fmt.Errorf("the will has session %d and the state %d", session, last.Session)
		}
	}
	return err
}

// Presenting reports whether the newest state says that the alert is shown; known is false where
// the device publishes none.
func (s *Seen) Presenting(alert string) (yes, known bool) {
	if len(s.States) == 0 {
		return false, false
	}
	return slices.Contains(s.States[len(s.States)-1].Presenting, alert), true
}

// Looks is what the device says of how an alert looks and sounds, where it does (§13).
func (s *Seen) Looks(alert string) (look string) {
	for _, state := range s.States {
		if said, ok := state.Health["look-"+alert]; ok {
			look = said
		}
	}
	return look
}
