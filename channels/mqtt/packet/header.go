// Package packet reads and writes MQTT packets, of versions 3.1.1 and 5: bytes in, values
// out, and the other way. It owns the form of packets and what each of them may contain, and
// knows neither connections nor devices, nor the topics of the contract.
//
// It imports no package of ours. What comes often is read and written here, allocates nothing
// and is fuzzed against the Eclipse Paho codecs; those do what comes rarely (paho.go). Whatever
// it is given, it returns a *Fault or a packet that is whole; it never panics. Everything may
// be used from any goroutine, as nothing is kept.
package packet

import "encoding/binary"

// The packet types (MQTT 5 §2.1.2), as the high half of a packet's first byte.
const (
	KindConnect     = 1
	KindConnack     = 2
	KindPublish     = 3
	KindPuback      = 4
	KindPubrec      = 5
	KindPubrel      = 6
	KindPubcomp     = 7
	KindSubscribe   = 8
	KindSuback      = 9
	KindUnsubscribe = 10
	KindUnsuback    = 11
	KindPingreq     = 12
	KindPingresp    = 13
	KindDisconnect  = 14
	KindAuth        = 15
)

// MaxSize is the largest Variable Byte Integer (MQTT 5 §1.5.5).
const MaxSize = 268_435_455

// Header is a packet's fixed header (MQTT 5 §2.1).
type Header struct {
	Kind, Flags byte
	Size        int // bytes after the header
	Length      int // bytes of the header itself; 0 when more bytes are needed
}

// ParseHeader reads the fixed header at the start of b, and checks the flags that
// the kind must have (MQTT 5 §2.1.3). A length of 0 asks for more bytes.
func ParseHeader(b []byte) (Header, error) {
	if len(b) < 1 {
		return Header{}, nil
	}
	h := Header{Kind: b[0] >> 4, Flags: b[0] & 0x0F}
	if !flagsAllowed(h.Kind, h.Flags) {
		return Header{}, ErrMalformed
	}
	size, n := varint(b[1:])
	if n < 0 {
		return Header{}, ErrMalformed
	}
	if n == 0 {
		return Header{}, nil
	}
	h.Size, h.Length = size, 1+n
	return h, nil
}

func flagsAllowed(kind, flags byte) bool {
	switch kind {
	case 0:
		return false
	case KindPublish:
		qos := flags >> 1 & 3
		return qos != 3 && (qos != 0 || flags&8 == 0) // DUP needs an exchange
	case KindPubrel, KindSubscribe, KindUnsubscribe:
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

func AppendVarint(b []byte, v int) []byte {
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

// Cut finds the packet at the front of b and its size, which is 0 when more
// bytes are needed.
func Cut(b []byte, limit int) (h Header, size int, err error) {
	h, err = ParseHeader(b)
	if err != nil {
		return Header{}, 0, err
	}
	size = h.Length + h.Size
	switch {
	case size > limit:
		return Header{}, 0, ErrTooLarge
	case h.Length == 0 || len(b) < size:
		return Header{}, 0, nil
	}
	return h, size, nil
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
