//go:build linux

package main

import (
	"encoding/binary"
	"errors"
)

// First bytes of MQTT 3.1.1 packets (§2.2.1), as far as this benchmark uses them.
const (
	typeConnect   = 0x10
	typeConnack   = 0x20
	typePublish   = 0x30
	typePuback    = 0x40
	typeSubscribe = 0x82
	typeSuback    = 0x90
)

// keepAlive is longer than any series, so that no device needs to ping.
const keepAlive = 1800 // seconds

// packet puts the fixed header before a body.
func packet(first byte, body []byte) []byte {
	out := []byte{first}
	for n := len(body); ; {
		b := byte(n & 0x7F)
		if n >>= 7; n > 0 {
			out = append(out, b|0x80)
			continue
		}
		return append(append(out, b), body...)
	}
}

func text(to []byte, s string) []byte {
	return append(binary.BigEndian.AppendUint16(to, uint16(len(s))), s...)
}

// connectPacket is a clean session with user name and password.
func connectPacket(id, secret string) []byte {
	const userPasswordClean = 0xC2
	body := append(text(nil, "MQTT"), 4, userPasswordClean)
	body = binary.BigEndian.AppendUint16(body, keepAlive)
	return packet(typeConnect, text(text(text(body, id), id), secret))
}

func subscribePacket(id uint16, filter string, qos byte) []byte {
	return packet(typeSubscribe, append(text(binary.BigEndian.AppendUint16(nil, id), filter), qos))
}

func publishPacket(topic string, qos byte, id uint16, payload []byte) []byte {
	body := text(nil, topic)
	if qos > 0 {
		body = binary.BigEndian.AppendUint16(body, id)
	}
	return packet(typePublish|qos<<1, append(body, payload...))
}

// errPacket is returned for bytes that are no MQTT packet.
var errPacket = errors.New("malformed packet")

// frame is one packet as it was read.
type frame struct {
	first byte
	body  []byte
}

// nextFrame takes one packet off data; ok is false when it is not complete.
func nextFrame(data []byte) (f frame, rest []byte, ok bool, err error) {
	size, shift := 0, 0
	for i := 1; i < len(data); i++ {
		size |= int(data[i]&0x7F) << shift
		if data[i]&0x80 == 0 {
			end := i + 1 + size
			if end > len(data) {
				return f, data, false, nil
			}
			return frame{data[0], data[i+1 : end]}, data[end:], true, nil
		}
		if shift += 7; shift > 21 {
			return f, data, false, errPacket
		}
	}
	return f, data, false, nil
}

// publish takes a PUBLISH apart: its packet id (0 at QoS 0) and the payload's size.
func (f frame) publish() (id uint16, payload int, err error) {
	if len(f.body) < 2 {
		return 0, 0, errPacket
	}
	at := 2 + int(binary.BigEndian.Uint16(f.body))
	if f.first&0x06 != 0 {
		if at+2 > len(f.body) {
			return 0, 0, errPacket
		}
		id = binary.BigEndian.Uint16(f.body[at:])
		at += 2
	}
	if at > len(f.body) {
		return 0, 0, errPacket
	}
	return id, len(f.body) - at, nil
}
