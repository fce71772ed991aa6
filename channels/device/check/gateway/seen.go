package gateway

import (
	"bytes"
	"fmt"
	"slices"

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
