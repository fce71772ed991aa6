package packet

import (
	"strings"
	"unicode/utf8"
)

// The properties that matter by name (MQTT 5 §2.2.2.2).
const (
	propTopicAlias = 0x23
	maxProperty    = 0x2B // one past the highest identifier
)

// propertyType says how the value of a property is written.
type propertyType byte

const (
	notAllowed propertyType = iota
	oneByte
	twoBytes
	fourBytes
	binaryData
	text
	pairOfTexts
)

// propertySet is the properties that one kind of packet may carry.
type propertySet [maxProperty]propertyType

var (
	// publishProperties are those a client may send (MQTT 5 §3.3.2.3); the
	// subscription identifier comes from servers only.
	publishProperties = propertySet{
		0x01: oneByte, 0x02: fourBytes, 0x03: text, 0x08: text,
		0x09: binaryData, propTopicAlias: twoBytes, 0x26: pairOfTexts,
	}
	ackProperties        = propertySet{0x1F: text, 0x26: pairOfTexts}
	disconnectProperties = propertySet{0x11: fourBytes, 0x1F: text, 0x26: pairOfTexts}
)

// skipProperties checks the properties at the start of b and returns what follows
// them. None of those that come often changes what the gateway does: user properties are
// ignored, and topic aliases are refused, as none were offered.
func skipProperties(b []byte, allowed *propertySet) ([]byte, error) {
	size, n := varint(b)
	if n <= 0 || len(b)-n < size {
		return nil, ErrMalformed
	}
	rest, b := b[n+size:], b[n:n+size]
	var seen uint64
	for len(b) > 0 {
		id := b[0]
		if id == propTopicAlias {
			return nil, ErrTopicAlias
		}
		if id >= maxProperty || allowed[id] == notAllowed {
			return nil, ErrMalformed
		}
		if seen&(1<<id) != 0 && allowed[id] != pairOfTexts {
			return nil, ErrMalformed // only user properties may repeat
		}
		seen |= 1 << id
		var ok bool
		if b, ok = skipValue(b[1:], allowed[id]); !ok {
			return nil, ErrMalformed
		}
	}
	return rest, nil
}

func skipValue(b []byte, t propertyType) (rest []byte, ok bool) {
	switch t {
	case oneByte:
		return skipBytes(b, 1)
	case twoBytes:
		return skipBytes(b, 2)
	case fourBytes:
		return skipBytes(b, 4)
	case pairOfTexts:
		if b, ok = skipText(b); !ok {
			return nil, false
		}
		return skipText(b)
	case text:
		return skipText(b)
	}
	_, b, ok = cutBinary(b)
	return b, ok
}

func skipText(b []byte) (rest []byte, ok bool) {
	value, rest, ok := cutBinary(b)
	return rest, ok && ValidText(value)
}

// ValidText is MQTT 5 §1.5.4: UTF-8, in which NUL does not occur.
func ValidText[T ~string | ~[]byte](b T) bool {
	return utf8.ValidString(string(b)) && strings.IndexByte(string(b), 0) < 0
}

func skipBytes(b []byte, n int) ([]byte, bool) {
	if len(b) < n {
		return nil, false
	}
	return b[n:], true
}
