package packet

import (
	"bytes"
	"testing"

	v5packets "github.com/eclipse/paho.golang/packets"
	v3packets "github.com/eclipse/paho.mqtt.golang/packets"
	"github.com/stretchr/testify/require"
)

func TestVarint_RoundTripsAtItsEdges(t *testing.T) {
	for _, v := range []int{0, 127, 128, 16_383, 16_384, 2_097_151, 2_097_152, MaxSize} {
		b := AppendVarint(nil, v)
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
		if !flagsAllowed(KindPublish, flags&0x0F) {
			return
		}
		p, err := ParsePublish(flags&0x0F, body, v5)
		if err != nil {
			require.ErrorAs(t, err, new(*Fault))
			return
		}
		topic, id, payload := pahoPublish(t, flags, body, v5)
		require.Equal(t, topic, string(p.Topic))
		require.Equal(t, id, p.ID)
		require.True(t, bytes.Equal(payload, p.Payload))
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

// alertLevel is a middle part of a topic.
const alertLevel = "alert/"

// FuzzOutgoing holds our PUBLISH encoder against Paho's decoders.
func FuzzOutgoing(f *testing.F) {
	f.Add("lift-1", "abc", uint16(1), byte(1), true, true, []byte("body"))
	f.Add("", "", uint16(0), byte(0), false, false, []byte{})
	f.Fuzz(func(t *testing.T, device, id string, packetID uint16, qos byte, retain, v5 bool, payload []byte) {
		if len(device)+len(id) > 60_000 {
			return
		}
		o := Outgoing{Topic: [3]string{device, alertLevel, id}, ID: packetID, QoS: qos & 1, Retain: retain, Payload: payload}
		frame := o.Append(nil, v5)
		require.Len(t, frame, o.Size(v5))
		h, err := ParseHeader(frame)
		require.NoError(t, err)
		require.Equal(t, len(frame), h.Length+h.Size)
		topic, gotID, got := pahoPublish(t, h.Flags, frame[h.Length:], v5)
		require.Equal(t, device+alertLevel+id, topic)
		require.True(t, bytes.Equal(payload, got))
		if o.QoS > 0 {
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
		a, err := ParseAck(body, v5)
		if err != nil {
			return
		}
		require.NotZero(t, a.ID)
		if !v5 {
			var p v3packets.PubackPacket
			require.NoError(t, p.Unpack(bytes.NewReader(body)))
			require.Equal(t, p.MessageID, a.ID)
			return
		}
		p, err := v5packets.ReadPacket(bytes.NewReader(append(AppendVarint([]byte{0x40}, len(body)), body...)))
		require.NoError(t, err)
		require.Equal(t, p.Content.(*v5packets.Puback).PacketID, a.ID)
		require.Equal(t, p.Content.(*v5packets.Puback).ReasonCode, byte(a.Code))
	})
}

func TestAppendAck_IsWhatPahoReads(t *testing.T) {
	for _, kind := range []byte{KindPuback, KindPubrec, KindPubrel, KindPubcomp} {
		for _, c := range []Code{CodeSuccess, CodeUnknownID} {
			b := AppendAck(nil, kind, 0x1234, c, true)
			p, err := v5packets.ReadPacket(bytes.NewReader(b))
			require.NoError(t, err)
			require.Equal(t, uint16(0x1234), p.PacketID())
			_, err = v3packets.ReadPacket(bytes.NewReader(AppendAck(nil, kind, 0x1234, c, false)))
			require.NoError(t, err)
		}
	}
}

// FuzzRare drives the checks around Paho's decoders.
func FuzzRare(f *testing.F) {
	for _, seed := range [][]byte{
		[]byte("\x00\x04MQTT\x04\xC6\x00\x3C\x00\x06lift-1\x00\x01t\x00\x00\x00\x06lift-1\x00\x06secret"),
		[]byte("\x00\x04MQTT\x05\xC6\x00\x3C\x00\x00\x06lift-1\x00\x00\x01t\x00\x00\x00\x06lift-1\x00\x06secret"),
		[]byte("\x00\x03\x00\x03a/#\x01\x00\x01b\x01"),
		[]byte("\x00\x03\x00\x00\x03a/#\x01\x00\x01b\x01"),
	} {
		f.Add(seed)
	}
	f.Add([]byte{0, 1, 0, 0, 0})
	f.Fuzz(func(t *testing.T, body []byte) {
		level, flags := ProtocolLevel(body)
		if level == Version311 || level == Version5 {
			if c, err := ParseConnect(level, flags, body); err == nil {
				require.LessOrEqual(t, len(c.ClientID)+len(c.Username)+len(c.Password), len(body))
			}
		}
		for _, v5 := range []bool{false, true} {
			for _, parse := range []func([]byte, bool) (Subscribe, error){ParseSubscribe, ParseUnsubscribe} {
				if s, err := parse(body, v5); err == nil {
					require.NotZero(t, s.ID)
					require.NotEmpty(t, s.Filters)
				}
			}
		}
	})
}
