package packet

import (
	"bytes"
	"fmt"

	v5packets "github.com/eclipse/paho.golang/packets"
	v3packets "github.com/eclipse/paho.mqtt.golang/packets"
)

// This file joins the Eclipse Paho codecs, which read and write everything rare.
// What they read is size-capped before, and checked after: the 3.1.1 decoder fills
// truncated fields with zeros and both ignore some reserved bits.

// unpackV3 decodes and encodes again: only what comes out as it went in was
// whole, and had its reserved bits right.
func unpackV3(p v3packets.ControlPacket, fixed *v3packets.FixedHeader, kind byte, body []byte) error {
	*fixed = v3packets.FixedHeader{MessageType: kind, RemainingLength: len(body)}
	if kind != KindConnect {
		fixed.Qos = 1 // the reserved flags of SUBSCRIBE and UNSUBSCRIBE
	}
	var again bytes.Buffer
	if p.Unpack(fieldReader{bytes.NewReader(body)}) != nil || p.Write(&again) != nil {
		return ErrMalformed
	}
	h, err := ParseHeader(again.Bytes())
	if err != nil || !bytes.Equal(again.Bytes()[h.Length:], body) {
		return ErrMalformed
	}
	return nil
}

// fieldReader reads an empty field at the end of a packet as empty, where the 3.1.1
// decoder would take io.EOF for a packet that is cut off.
type fieldReader struct{ *bytes.Reader }

// Read implements io.Reader.
func (r fieldReader) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	return r.Reader.Read(p)
}

// unpackV5 decodes and checks that nothing is left over.
func unpackV5(p v5packets.Packet, body []byte) error {
	b := bytes.NewBuffer(body)
	if err := p.Unpack(b); err != nil || b.Len() > 0 {
		return ErrMalformed
	}
	return nil
}

// guarded turns a panic of a foreign decoder into a malformed packet.
func guarded[T any](body []byte, parse func([]byte) (T, error)) (out T, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("decoding packet: %v: %w", p, ErrMalformed)
		}
	}()
	return parse(body)
}
