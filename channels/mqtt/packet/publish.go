package packet

import "encoding/binary"

// Publish is a PUBLISH packet. Its slices point into the connection's buffer.
type Publish struct {
	Topic, Payload []byte
	ID             uint16 // 0 for QoS 0
	QoS            byte
}

// ParsePublish reads what follows the fixed header of a PUBLISH (MQTT 5 §3.3).
// It allocates nothing.
func ParsePublish(flags byte, b []byte, v5 bool) (Publish, error) {
	p := Publish{QoS: flags >> 1 & 3}
	var ok bool
	if p.Topic, b, ok = cutBinary(b); !ok || len(p.Topic) == 0 {
		return Publish{}, ErrMalformed // an empty topic needs an alias
	}
	if p.QoS > 0 {
		if len(b) < 2 {
			return Publish{}, ErrMalformed
		}
		p.ID, b = binary.BigEndian.Uint16(b), b[2:]
		if p.ID == 0 {
			return Publish{}, ErrMalformed
		}
	}
	if v5 {
		var err error
		if b, err = skipProperties(b, &publishProperties); err != nil {
			return Publish{}, err
		}
	}
	p.Payload = b
	return p, nil
}

// Outgoing is a PUBLISH to a device. The topic comes in up to three parts, so
// that it need not be put together for each device.
type Outgoing struct {
	Topic   [3]string
	ID      uint16
	QoS     byte
	Retain  bool
	Payload []byte
}

// Size is the length of the whole packet.
func (o *Outgoing) Size(v5 bool) int {
	rest := o.remaining(v5)
	return 1 + varintLen(rest) + rest
}

// remaining is the remaining length that the fixed header states.
func (o *Outgoing) remaining(v5 bool) int {
	n := 2 + o.topicLen() + len(o.Payload)
	if o.QoS > 0 {
		n += 2
	}
	if v5 {
		n++ // no properties
	}
	return n
}

func (o *Outgoing) topicLen() int { return len(o.Topic[0]) + len(o.Topic[1]) + len(o.Topic[2]) }

// Append writes the packet.
func (o *Outgoing) Append(b []byte, v5 bool) []byte {
	first := byte(KindPublish<<4) | o.QoS<<1
	if o.Retain {
		first |= 1
	}
	b = AppendVarint(append(b, first), o.remaining(v5))
	b = binary.BigEndian.AppendUint16(b, uint16(o.topicLen()))
	b = append(append(append(b, o.Topic[0]...), o.Topic[1]...), o.Topic[2]...)
	if o.QoS > 0 {
		b = binary.BigEndian.AppendUint16(b, o.ID)
	}
	if v5 {
		b = append(b, 0)
	}
	return append(b, o.Payload...)
}
