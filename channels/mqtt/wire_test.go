package mqtt

import (
	"testing"

	"github.com/stretchr/testify/require"

	"almenara/channels/contract"
	"almenara/channels/mqtt/packet"
	"almenara/storage/receipt"
)

// These tests show what REQUIREMENTS.md names them for.

func TestWire_IllFormedTextEndsTheConnection(t *testing.T) {
	for name, bad := range map[string]string{"not UTF-8": "a\xff", "a surrogate": "a\xed\xa0\x80", "NUL": "a\x00b"} {
		t.Run(name, func(t *testing.T) {
			bothVersions(t, func(t *testing.T, v5 bool) {
				r := newRig(t)
				address := r.listen(TCP)
				for _, b := range [][]byte{
					publishPacket(v5, 1, 1, bad, "x"),
					subscribePacket(v5, 1, bad),
					framed(0xA2, appendString(subscribePacket(v5, 1)[2:], bad)...),
				} {
					w := r.device(address, "lift-1", v5)
					w.send(b)
					if v5 {
						w.expect([]byte{0xE0, 1, 0x81})
					}
					w.closed()
				}
				for _, change := range []func(*connectFields){
					func(f *connectFields) { f.clientID = bad },
					func(f *connectFields) { f.username = bad },
					func(f *connectFields) { f.willTopic = bad },
				} {
					w := r.dial(address)
					w.send(connectPacket("lift-1", v5, change))
					w.untilClosed()
				}
				require.Zero(t, r.receipts.count())
			})
		})
	}
}

func TestWire_IllFormedPropertiesEndTheConnection(t *testing.T) {
	r := newRig(t)
	address := r.listen(TCP)
	for _, property := range [][]byte{
		appendString(appendString([]byte{0x26}, "k"), "\xff"), appendString(appendString([]byte{0x26}, "k\x00"), "v"),
		appendString([]byte{0x03}, "\xff"), appendString([]byte{0x08}, "a\x00"),
	} {
		w := r.device(address, "lift-1", true)
		b := append(appendString(nil, receiptTopic), byte(len(property)))
		w.send(framed(0x30, append(b, property...)...))
		w.expect([]byte{0xE0, 1, 0x81})
		w.closed()
	}
	w := r.device(address, "lift-1", true)
	data := append(appendString(nil, receiptTopic), 6, 0x09, 0, 3, 0xFF, 0, 1) // correlation data is bytes
	w.send(framed(0x30, append(data, "[]"...)...))
	w.ping()
}

func TestWire_AByteOrderMarkIsPartOfTheText(t *testing.T) {
	bothVersions(t, func(t *testing.T, v5 bool) {
		r := newRig(t)
		w := r.device(r.listen(TCP), "lift-1", v5)
		codes := w.subscribe("\uFEFF"+contract.TopicNow, contract.TopicNow)
		require.GreaterOrEqual(t, codes[0], byte(0x80), "it is another topic")
		require.Equal(t, byte(1), codes[1])
	})
}

func TestWire_TopicNamesTakeNoWildcards(t *testing.T) {
	for _, topic := range []string{contract.DevicePrefix("lift-1") + "+", "#"} {
		w := newRig(t).connected(t)
		w.send(publishPacket(true, 1, 1, topic, "x"))
		w.expect([]byte{0xE0, 1, 0x81})
		w.closed()
	}
}

func TestWire_NothingBehindARefusedConnectIsProcessed(t *testing.T) {
	bothVersions(t, func(t *testing.T, v5 bool) {
		r := newRig(t)
		w := r.dialed(t)
		b := connectPacket("lift-1", v5, func(f *connectFields) { f.password = "guess" })
		w.send(append(b, publishPacket(v5, 1, 1, receiptTopic, receiptsJSON("presented", "flood"))...))
		require.Equal(t, byte(packet.KindConnack), w.next().kind)
		w.closed()
		require.Zero(t, r.receipts.count())
	})
}

func TestWire_ConnectFlagsThatContradictEachOtherAreRefused(t *testing.T) {
	for name, flags := range map[string]byte{
		"reserved": 0xC3, "will QoS without will": 0xCA, "will retain without will": 0xE2,
		"will QoS 3": 0xDE, "user name flag without user name": 0xC2 | 4,
	} {
		t.Run(name, func(t *testing.T) {
			bothVersions(t, func(t *testing.T, v5 bool) {
				r := newRig(t)
				w := r.dialed(t)
				b := connectPacket("lift-1", v5)
				b[9] = flags
				w.send(b)
				w.untilClosed()
				require.Zero(t, r.Sessions())
			})
		})
	}
	r := newRig(t)
	w := r.dialed(t)
	b := connectPacket("lift-1", false)
	b[9] = 0x42 // 3.1.1: a password needs a user name
	w.send(b)
	w.untilClosed()
	require.Zero(t, r.Sessions())
}

func TestWire_UnsubscribeCompletesWhatIsInFlight(t *testing.T) {
	bothVersions(t, func(t *testing.T, v5 bool) {
		r := newRig(t)
		w := r.screen(r.listen(TCP), "lift-1", v5)
		r.Set(holds("1", alertTo("flood", 1, 1)))
		body := w.message()
		w.message()
		w.send(framed(0xA2, appendString(subscribePacket(v5, 9)[2:], ownFilterOf("lift-1"))...))
		require.Equal(t, byte(packet.KindUnsuback), w.next().kind)
		r.Set(holds("2", alertTo("fire", 1, 1)))
		require.Equal(t, "2", w.message().payload, "nothing new below the filter")
		w.send(w.ackPacket(packet.KindPuback, body.id))
		r.receipts.awaitRung(t, 1, receipt.Delivered)
	})
}

func TestWire_FixedHeadersHaveTheirBits(t *testing.T) {
	bothVersions(t, func(t *testing.T, v5 bool) {
		r := newRig(t)
		address := r.listen(TCP)
		for _, b := range [][]byte{
			{0x60, 2, 0, 1}, {0x80, 2, 0, 1}, {0xA0, 2, 0, 1}, {0x41, 2, 0, 1}, {0xC1, 0}, {0xE1, 0}, {0xF1, 0}, {0x36, 2, 0, 1},
		} {
			w := r.device(address, "lift-1", v5)
			w.send(b)
			if v5 {
				w.expect([]byte{0xE0, 1, 0x81})
			}
			w.closed()
		}
	})
}

func TestWire_AnswersNameThePacketTheyAnswer(t *testing.T) {
	bothVersions(t, func(t *testing.T, v5 bool) {
		w := newRig(t).dialed(t)
		w.v5 = v5
		w.connect("lift-1")
		for _, id := range []uint16{1, 0x8001, 0xFFFF} {
			high, low := byte(id>>8), byte(id)
			for _, exchange := range []struct {
				ask  []byte
				kind byte
			}{
				{subscribePacket(v5, id, "a"), packet.KindSuback},
				{framed(0xA2, appendString(subscribePacket(v5, id)[2:], "a")...), packet.KindUnsuback},
				{publishPacket(v5, 1, id, receiptTopic, "[]"), packet.KindPuback},
				{publishPacket(v5, 2, id, receiptTopic, "[]"), packet.KindPubrec},
				{[]byte{0x62, 2, high, low}, packet.KindPubcomp},
			} {
				w.send(exchange.ask)
				p := w.next()
				require.Equal(t, exchange.kind, p.kind)
				require.Equal(t, []byte{high, low}, p.body[:2])
			}
		}
	})
}
