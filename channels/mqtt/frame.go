package mqtt

import "encoding/binary"

// The packet types (MQTT 5 §2.1.2), as the high half of a packet's first byte.
const (
	kindConnect     = 1
	kindConnack     = 2
	kindPublish     = 3
	kindPuback      = 4
	kindPubrec      = 5
	kindPubrel      = 6
	kindPubcomp     = 7
	kindSubscribe   = 8
	kindSuback      = 9
	kindUnsubscribe = 10
	kindUnsuback    = 11
	kindPingreq     = 12
	kindPingresp    = 13
	kindDisconnect  = 14
	kindAuth        = 15
)

// maxVarint is the largest Variable Byte Integer (MQTT 5 §1.5.5).
const maxVarint = 268_435_455

// header is a packet's fixed header (MQTT 5 §2.1).
type header struct {
	kind, flags byte
	size        int // bytes after the header
	length      int // bytes of the header itself; 0 when more bytes are needed
}

// parseHeader reads the fixed header at the start of b, and checks the flags that
// the kind must have (MQTT 5 §2.1.3). A length of 0 asks for more bytes.
func parseHeader(b []byte) (header, error) {
	if len(b) < 1 {
		return header{}, nil
	}
	h := header{kind: b[0] >> 4, flags: b[0] & 0x0F}
	if !flagsAllowed(h.kind, h.flags) {
		return header{}, errMalformed
	}
	size, n := varint(b[1:])
	if n < 0 {
		return header{}, errMalformed
	}
	if n == 0 {
		return header{}, nil
	}
	h.size, h.length = size, 1+n
	return h, nil
}

func flagsAllowed(kind, flags byte) bool {
	switch kind {
	case 0:
		return false
	case kindPublish:
		qos := flags >> 1 & 3
		return qos != 3 && (qos != 0 || flags&8 == 0) // DUP needs an exchange
	case kindPubrel, kindSubscribe, kindUnsubscribe:
		return flags == 2
	}
	return flags == 0
}

// varint reads a Variable Byte Integer: its value and length. The length is 0
// when more bytes are needed and -1 when four bytes do not end it.
func varint(b []byte) (value, n int) {
	for i := range min(len(b), 4) {
		value |= int(b[i]&0x7F) << (7 * i)
		if b[i] < 0x80 {
			return value, i + 1
		}
	}
	if len(b) >= 4 {
		return 0, -1
	}
	return 0, 0
}

func appendVarint(b []byte, v int) []byte {
	for v >= 0x80 {
		b = append(b, byte(v)|0x80)
		v >>= 7
	}
	return append(b, byte(v))
}

func varintLen(v int) int {
	n := 1
	for ; v >= 0x80; v >>= 7 {
		n++
	}
	return n
}

// publish is a PUBLISH packet. Its slices point into the connection's buffer.
type publish struct {
	topic, payload []byte
	id             uint16 // 0 for QoS 0
	qos            byte
}

// parsePublish reads what follows the fixed header of a PUBLISH (MQTT 5 §3.3).
// It allocates nothing.
func parsePublish(flags byte, b []byte, v5 bool) (publish, error) {
	p := publish{qos: flags >> 1 & 3}
	var ok bool
	if p.topic, b, ok = cutBinary(b); !ok || len(p.topic) == 0 {
		return publish{}, errMalformed // an empty topic needs an alias
	}
	if p.qos > 0 {
		if len(b) < 2 {
			return publish{}, errMalformed
		}
		p.id, b = binary.BigEndian.Uint16(b), b[2:]
		if p.id == 0 {
			return publish{}, errMalformed
		}
	}
	if v5 {
		var err error
		if b, err = skipProperties(b, &publishProperties); err != nil {
			return publish{}, err
		}
	}
	p.payload = b
	return p, nil
}

// ack is a PUBACK, PUBREC, PUBREL or PUBCOMP.
type ack struct {
	id   uint16
	code code
}

// parseAck reads what follows the fixed header of the four (MQTT 5 §3.4–3.7).
func parseAck(b []byte, v5 bool) (ack, error) {
	if len(b) < 2 || !v5 && len(b) != 2 {
		return ack{}, errMalformed
	}
	a := ack{id: binary.BigEndian.Uint16(b)}
	if a.id == 0 {
		return ack{}, errMalformed
	}
	if len(b) > 2 {
		a.code = code(b[2])
	}
	if len(b) > 3 {
		rest, err := skipProperties(b[3:], &ackProperties)
		if err != nil || len(rest) > 0 {
			return ack{}, errMalformed
		}
	}
	return a, nil
}

// appendAck writes one of the four. 3.1.1 has no code, and success needs none.
func appendAck(b []byte, kind byte, id uint16, c code, v5 bool) []byte {
	first := kind << 4
	if kind == kindPubrel {
		first |= 2
	}
	if v5 && c != codeSuccess {
		return append(b, first, 3, byte(id>>8), byte(id), byte(c))
	}
	return append(b, first, 2, byte(id>>8), byte(id))
}

// outgoing is a PUBLISH to a device. The topic comes in up to three parts, so
// that it need not be put together for each device.
type outgoing struct {
	topic   [3]string
	id      uint16
	qos     byte
	retain  bool
	payload []byte
}

// size is the length of the whole packet.
func (o *outgoing) size(v5 bool) int {
	rest := o.rest(v5)
	return 1 + varintLen(rest) + rest
}

// rest is the remaining length that the fixed header states.
func (o *outgoing) rest(v5 bool) int {
	n := 2 + o.topicLen() + len(o.payload)
	if o.qos > 0 {
		n += 2
	}
	if v5 {
		n++ // no properties
	}
	return n
}

func (o *outgoing) topicLen() int { return len(o.topic[0]) + len(o.topic[1]) + len(o.topic[2]) }

// append writes the packet.
func (o *outgoing) append(b []byte, v5 bool) []byte {
	first := byte(kindPublish<<4) | o.qos<<1
	if o.retain {
		first |= 1
	}
	b = appendVarint(append(b, first), o.rest(v5))
	b = binary.BigEndian.AppendUint16(b, uint16(o.topicLen()))
	b = append(append(append(b, o.topic[0]...), o.topic[1]...), o.topic[2]...)
	if o.qos > 0 {
		b = binary.BigEndian.AppendUint16(b, o.id)
	}
	if v5 {
		b = append(b, 0)
	}
	return append(b, o.payload...)
}

// appendCodes writes a SUBACK or UNSUBACK.
func appendCodes(b []byte, kind byte, id uint16, codes []byte, v5 bool) []byte {
	size := 2 + len(codes)
	if v5 {
		size++
	}
	b = appendVarint(append(b, kind<<4), size)
	b = binary.BigEndian.AppendUint16(b, id)
	if v5 {
		b = append(b, 0)
	}
	return append(b, codes...)
}

// appendDisconnect writes a DISCONNECT of MQTT 5; 3.1.1 servers send none.
func appendDisconnect(b []byte, c code) []byte {
	return append(b, kindDisconnect<<4, 1, byte(c))
}

// cutBinary takes length-prefixed bytes off the front of b.
func cutBinary(b []byte) (value, rest []byte, ok bool) {
	if len(b) < 2 {
		return nil, nil, false
	}
	n := int(binary.BigEndian.Uint16(b))
	if len(b)-2 < n {
		return nil, nil, false
	}
	return b[2 : 2+n], b[2+n:], true
}
