package packet

import "encoding/binary"

// Ack is a PUBACK, PUBREC, PUBREL or PUBCOMP.
type Ack struct {
	ID   uint16
	Code Code
}

// ParseAck reads what follows the fixed header of the four (MQTT 5 §3.4–3.7).
func ParseAck(b []byte, v5 bool) (Ack, error) {
	if len(b) < 2 || !v5 && len(b) != 2 {
		return Ack{}, ErrMalformed
	}
	a := Ack{ID: binary.BigEndian.Uint16(b)}
	if a.ID == 0 {
		return Ack{}, ErrMalformed
	}
	if len(b) > 2 {
		a.Code = Code(b[2])
	}
	if len(b) > 3 {
		rest, err := skipProperties(b[3:], &ackProperties)
		if err != nil || len(rest) > 0 {
			return Ack{}, ErrMalformed
		}
	}
	return a, nil
}

// AppendAck writes one of the four. 3.1.1 has no code, and success needs none.
func AppendAck(b []byte, kind byte, id uint16, c Code, v5 bool) []byte {
	first := kind << 4
	if kind == KindPubrel {
		first |= 2
	}
	if v5 && c != CodeSuccess {
		return append(b, first, 3, byte(id>>8), byte(id), byte(c))
	}
	return append(b, first, 2, byte(id>>8), byte(id))
}

// AppendCodes writes a SUBACK or UNSUBACK.
func AppendCodes(b []byte, kind byte, id uint16, codes []byte, v5 bool) []byte {
	size := 2 + len(codes)
	if v5 {
		size++
	}
	b = AppendVarint(append(b, kind<<4), size)
	b = binary.BigEndian.AppendUint16(b, id)
	if v5 {
		b = append(b, 0)
	}
	return append(b, codes...)
}

// AppendDisconnect writes a DISCONNECT of MQTT 5; 3.1.1 servers send none.
func AppendDisconnect(b []byte, c Code) []byte {
	return append(b, KindDisconnect<<4, 1, byte(c))
}

// ParseDisconnect reads the body of a DISCONNECT (MQTT 5 §3.14).
func ParseDisconnect(body []byte, v5 bool) (Code, error) {
	if len(body) == 0 {
		return CodeSuccess, nil
	}
	if !v5 {
		return 0, ErrMalformed
	}
	if len(body) > 1 {
		if rest, err := skipProperties(body[1:], &disconnectProperties); err != nil || len(rest) > 0 {
			return 0, ErrMalformed
		}
	}
	return Code(body[0]), nil
}
