// Package answers keeps the PUBACKs, PUBRECs and PUBCOMPs that a session owes its device for
// what that published. They go out in the order in which the publishes came (MQTT 3.1.1 and 5
// §4.6): what is ready early waits for what came before it.
//
// It writes into memory only, and takes no lock: who has an Owed holds the lock that guards
// it. It knows nothing of what was published. Of our packages it imports
// channels/mqtt/packet.
package answers

import "almenara/channels/mqtt/packet"

// MaxExchanges bounds the QoS 2 ids of one device that await PUBREL.
const MaxExchanges = 1024

var errExchanges = &packet.Fault{Code: packet.CodeQuota, Text: "too many unfinished QoS 2 exchanges"}

// Owed is what one device is owed. The zero value is ready.
type Owed struct {
	taking    int             // publishes that are not yet answered
	lists     [2]list         // of QoS 1 and 2, which do not wait for each other
	exchanges map[uint16]bool // QoS 2 ids that await PUBREL; true: PUBREC was sent
}

// list is answers of one kind.
type list struct {
	first   uint32   // number of answers[0]; numbers go round
	answers []answer // oldest first
}

// answer is one that is owed, or ready and waiting for those before it.
type answer struct {
	id    uint16
	code  packet.Code
	ready bool
}

// Publish is what is left of a publish when its answer is due.
type Publish struct {
	QoS    byte
	number uint32 // of its answer; unused for QoS 0
}

// Begun says what is to be done with a publish.
type Begun uint8

// What Begin says.
const (
	Fresh    Begun = iota // it is to be taken, and answered with Ready
	Repeated              // a QoS 2 publish that is known: it is answered, and not to be taken again
	Full                  // too many are being taken; nothing has happened
)

// Begin counts a publish as being taken and owes its answer. At most limit are: MQTT 5
// devices were told so, and break the protocol when they send more. The caller sends what is
// due after Repeated.
func (o *Owed) Begin(p packet.Publish, limit int, v5 bool) (ref Publish, begun Begun, err error) {
	answered, known := o.exchanges[p.ID]
	again := p.QoS == 2 && known
	if again && !answered {
		return ref, Repeated, nil // the answer that is owed is its answer too
	}
	if o.taking >= limit {
		if v5 && p.QoS > 0 {
			return ref, Full, packet.ErrReceiveMaximum
		}
		return ref, Full, nil
	}
	if v5 && p.QoS > 0 && len(o.lists[0].answers)+len(o.exchanges) >= limit {
		return ref, Full, packet.ErrReceiveMaximum // QoS 2 counts until PUBCOMP (MQTT 5 §4.9)
	}
	if p.QoS == 2 && !again {
		if err := o.openExchange(p.ID); err != nil {
			return ref, Full, err
		}
	}
	o.taking++
	ref.QoS = p.QoS
	if p.QoS > 0 {
		ref.number = o.lists[p.QoS-1].owe(p.ID)
	}
	if again {
		o.Ready(ref, packet.CodeSuccess)
		return ref, Repeated, nil
	}
	return ref, Fresh, nil
}

func (o *Owed) openExchange(id uint16) error {
	if len(o.exchanges) >= MaxExchanges {
		return errExchanges
	}
	if o.exchanges == nil {
		o.exchanges = map[uint16]bool{}
	}
	o.exchanges[id] = false
	return nil
}

// owe adds an answer and returns its number.
func (l *list) owe(id uint16) uint32 {
	l.answers = append(l.answers, answer{id: id})
	return l.first + uint32(len(l.answers)-1)
}

// Ready says what the answer to a publish of QoS 1 or 2 is to be.
func (o *Owed) Ready(p Publish, c packet.Code) {
	l := &o.lists[p.QoS-1]
	owed := &l.answers[p.number-l.first]
	owed.code, owed.ready = c, true
}

// Unanswered ends the taking of a publish of QoS 0, which has no answer.
func (o *Owed) Unanswered() { o.taking-- }

// Due is how many answers to publishes of a QoS can go out.
func (o *Owed) Due(qos byte) int {
	l := &o.lists[qos-1]
	for i := range l.answers {
		if !l.answers[i].ready {
			return i
		}
	}
	return len(l.answers)
}

// AppendDue writes the first n answers that are due, which counts as sent. A PUBREC opens the
// way for PUBREL; one with an error ends the exchange (MQTT 5 §4.3.3).
func (o *Owed) AppendDue(b []byte, qos byte, n int, v5 bool) []byte {
	l, kind := &o.lists[qos-1], byte(packet.KindPuback)
	if qos == 2 {
		kind = packet.KindPubrec
	}
	for _, a := range l.answers[:n] {
		if qos == 2 && v5 && a.code >= packet.CodeUnspecified {
			delete(o.exchanges, a.id)
		} else if qos == 2 {
			o.exchanges[a.id] = true
		}
		b = packet.AppendAck(b, kind, a.id, a.code, v5)
	}
	l.answers = append(l.answers[:0], l.answers[n:]...) // the memory is kept
	l.first += uint32(n)
	o.taking -= n
	return b
}

// Release ends a QoS 2 exchange, as PUBREL asks, and returns what its PUBCOMP says. An id
// that is not known is told so to MQTT 5 devices; 3.1.1 ones get the same PUBCOMP as always
// (§4.3.3). A PUBREL before the PUBREC breaks the protocol.
func (o *Owed) Release(id uint16) (packet.Code, error) {
	answered, known := o.exchanges[id]
	switch {
	case !known:
		return packet.CodeUnknownID, nil
	case !answered:
		return 0, packet.ErrUnexpected
	}
	delete(o.exchanges, id)
	return packet.CodeSuccess, nil
}
