package mqtt

import (
	"bytes"
	"io"
	"testing"

	v5packets "github.com/eclipse/paho.golang/packets"
	v3packets "github.com/eclipse/paho.mqtt.golang/packets"
	"github.com/stretchr/testify/require"

	"almenara/channels/contract"
)

func TestVarint_RoundTripsAtItsEdges(t *testing.T) {
	for _, v := range []int{0, 127, 128, 16_383, 16_384, 2_097_151, 2_097_152, maxVarint} {
		b := appendVarint(nil, v)
		require.Len(t, b, varintLen(v))
		got, n := varint(b)
		require.Equal(t, v, got)
		require.Equal(t, len(b), n)
		for i := range b {
			_, n := varint(b[:i])
			require.Zero(t, n, "incomplete")
		}
	}
}

// FuzzPublish holds our PUBLISH decoder against Paho's: whatever ours takes, theirs
// reads the same.
func FuzzPublish(f *testing.F) {
	f.Add(byte(2), true, []byte{0, 1, 'a', 0, 9, 0, 'x'})
	f.Add(byte(2), true, []byte{0, 1, 'a', 0, 9, 7, 0x26, 0, 1, 'k', 0, 1, 'v', 'x'})
	f.Add(byte(0), false, []byte{0, 1, 'a', 'x'})
	f.Add(byte(0), true, []byte{0, 1, 'a', 0x80, 0x80, 0x80, 0x80, 1})
	f.Add(byte(4), true, []byte{0, 1, 'a', 0, 9, 6, 1, 1, 2, 0, 0, 0})
	f.Fuzz(func(t *testing.T, flags byte, v5 bool, body []byte) {
		if !flagsAllowed(kindPublish, flags&0x0F) {
			return
		}
		p, err := parsePublish(flags&0x0F, body, v5)
		if err != nil {
			require.ErrorAs(t, err, new(*fault))
			return
		}
		topic, id, payload := pahoPublish(t, flags, body, v5)
		require.Equal(t, topic, string(p.topic))
		require.Equal(t, id, p.id)
		require.True(t, bytes.Equal(payload, p.payload))
	})
}

// pahoPublish reads a PUBLISH as Paho does.
func pahoPublish(t *testing.T, flags byte, body []byte, v5 bool) (topic string, id uint16, payload []byte) {
	qos := flags >> 1 & 3
	if v5 {
		p := v5packets.Publish{QoS: qos, Properties: &v5packets.Properties{}}
		require.NoError(t, p.Unpack(bytes.NewBuffer(body)))
		return p.Topic, p.PacketID, p.Payload
	}
	p := v3packets.PublishPacket{FixedHeader: v3packets.FixedHeader{Qos: qos, RemainingLength: len(body)}}
	require.NoError(t, p.Unpack(bytes.NewBuffer(body)))
	return p.TopicName, p.MessageID, p.Payload
}

// FuzzOutgoing holds our PUBLISH encoder against Paho's decoders.
func FuzzOutgoing(f *testing.F) {
	f.Add("lift-1", "abc", uint16(1), byte(1), true, true, []byte("body"))
	f.Add("", "", uint16(0), byte(0), false, false, []byte{})
	f.Fuzz(func(t *testing.T, device, id string, packetID uint16, qos byte, retain, v5 bool, payload []byte) {
		if len(device)+len(id) > 60_000 {
			return
		}
		o := outgoing{topic: [3]string{device, leafAlert, id}, id: packetID, qos: qos & 1, retain: retain, payload: payload}
		frame := o.append(nil, v5)
		require.Len(t, frame, o.size(v5))
		h, err := parseHeader(frame)
		require.NoError(t, err)
		require.Equal(t, len(frame), h.length+h.size)
		topic, gotID, got := pahoPublish(t, h.flags, frame[h.length:], v5)
		require.Equal(t, device+leafAlert+id, topic)
		require.True(t, bytes.Equal(payload, got))
		if o.qos > 0 {
			require.Equal(t, packetID, gotID)
		}
	})
}

// FuzzAck holds our PUBACK codec against Paho's.
func FuzzAck(f *testing.F) {
	f.Add([]byte{0, 1}, true)
	f.Add([]byte{0, 1, 0x10, 0}, true)
	f.Add([]byte{0, 1, 0x97, 4, 0x1F, 0, 1, 'x'}, true)
	f.Add([]byte{0, 1, 0x97}, false)
	f.Fuzz(func(t *testing.T, body []byte, v5 bool) {
		a, err := parseAck(body, v5)
		if err != nil {
			return
		}
		require.NotZero(t, a.id)
		if !v5 {
			var p v3packets.PubackPacket
			require.NoError(t, p.Unpack(bytes.NewReader(body)))
			require.Equal(t, p.MessageID, a.id)
			return
		}
		p, err := v5packets.ReadPacket(bytes.NewReader(packet(0x40, body...)))
		require.NoError(t, err)
		require.Equal(t, p.Content.(*v5packets.Puback).PacketID, a.id)
		require.Equal(t, p.Content.(*v5packets.Puback).ReasonCode, byte(a.code))
	})
}

func TestAppendAck_IsWhatPahoReads(t *testing.T) {
	for _, kind := range []byte{kindPuback, kindPubrec, kindPubrel, kindPubcomp} {
		for _, c := range []code{codeSuccess, codeUnknownID} {
			b := appendAck(nil, kind, 0x1234, c, true)
			p, err := v5packets.ReadPacket(bytes.NewReader(b))
			require.NoError(t, err)
			require.Equal(t, uint16(0x1234), p.PacketID())
			_, err = v3packets.ReadPacket(bytes.NewReader(appendAck(nil, kind, 0x1234, c, false)))
			require.NoError(t, err)
		}
	}
}

// FuzzRare drives the checks around Paho's decoders.
func FuzzRare(f *testing.F) {
	for _, v5 := range []bool{false, true} {
		c := connectPacket("lift-1", v5, func(f *connectFields) { f.willTopic = "t" })
		f.Add(c[2:])
		f.Add(subscribePacket(v5, 3, "a/#", "b")[2:])
	}
	f.Add([]byte{0, 1, 0, 0, 0})
	f.Fuzz(func(t *testing.T, body []byte) {
		level, flags := sniff(body)
		if level == version311 || level == version5 {
			if c, err := parseConnect(level, flags, body); err == nil {
				require.LessOrEqual(t, len(c.clientID)+len(c.username)+len(c.password), len(body))
			}
		}
		for _, v5 := range []bool{false, true} {
			for _, parse := range []func([]byte, bool) (subscribe, error){parseSubscribe, parseUnsubscribe} {
				if s, err := parse(body, v5); err == nil {
					require.NotZero(t, s.id)
					require.NotEmpty(t, s.filters)
				}
			}
		}
	})
}

// FuzzSession sends arbitrary bytes to a live gateway, before and after CONNECT.
// Whatever they are, the gateway goes on serving another device, and nothing but
// this device's own receipts is taken.
func FuzzSession(f *testing.F) {
	own := ownFilterOf("lift-1")
	for _, v5 := range []bool{false, true} {
		f.Add(true, v5, subscribePacket(v5, 1, contract.TopicNow, own))
		f.Add(true, v5, append(subscribePacket(v5, 1, own), 0x40, 2, 0, 1, 0xC0, 0, 0xE0, 0))
		f.Add(true, v5, publishPacket(v5, 2, 1, receiptTopic, receiptsJSON("presented", "flood")))
		f.Add(true, v5, publishPacket(v5, 1, 1, contract.TopicState("lift-1"), `{"state":"ready"}`))
		f.Add(false, v5, connectPacket("lift-1", v5))
	}
	f.Add(true, true, []byte{0x82, 5, 0, 1, 0, 0, 0})
	f.Fuzz(func(t *testing.T, connected, v5 bool, b []byte) {
		r := newRig(t)
		r.Set(holds("manifest", delivery("flood", 1, 1)))
		w := r.pipe()
		w.v5 = v5
		if connected {
			w.connect("lift-1")
		}
		go func() { _, _ = io.Copy(io.Discard, w.Conn) }() // so that the pipe does not stall
		_, _ = w.Write(b)
		other := r.pipe()
		other.connect("lift-2")
		other.ping()
		w.Close()
		r.stop()
		for _, got := range r.receipts.taken {
			require.Equal(t, uint32(1), got.Member)
		}
		require.Zero(t, counterValue(r.metrics.panics))
	})
}
