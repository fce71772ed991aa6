package mqtt

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"almenara/channels/contract"
	"almenara/channels/mqtt/answers"
	"almenara/channels/mqtt/packet"
	"almenara/storage/receipt"
)

var receiptTopic = contract.DevicePrefix("lift-1") + contract.LeafReceipt

func TestReceipt_PubackWaitsUntilDurable(t *testing.T) {
	bothVersions(t, func(t *testing.T, v5 bool) {
		r := newRig(t)
		r.receipts.hold = true
		w := r.device(r.listen(TCP), "lift-1", v5)
		w.send(publishPacket(v5, 1, 77, receiptTopic, receiptsJSON("presented", "flood", "fire")))
		got := r.receipts.awaitRung(t, 1, receipt.Presented)
		require.Equal(t, alertID("flood"), got.Alert)
		w.ping() // answered, and no PUBACK before it
		r.receipts.dones[0](nil)
		w.expect([]byte{0x40, 2, 0, 77})
	})
}

func TestReceipt_NotKeptIsNeverAcknowledged(t *testing.T) {
	bothVersions(t, func(t *testing.T, v5 bool) {
		r := newRig(t)
		r.receipts.err = errors.New("disk full")
		w := r.device(r.listen(TCP), "lift-1", v5)
		w.send(publishPacket(v5, 1, 77, receiptTopic, receiptsJSON("verified", "flood")))
		if v5 {
			w.expect([]byte{0x40, 3, 0, 77, 0x80})
			w.ping()
			return
		}
		w.closed() // so that the device sends again
	})
}

func TestReceipt_QoS0IsTakenWithoutAnswer(t *testing.T) {
	r := newRig(t)
	w := r.device(r.listen(TCP), "lift-1", false)
	w.send(publishPacket(false, 0, 0, receiptTopic, receiptsJSON("acknowledged", "flood")))
	r.receipts.awaitRung(t, 1, receipt.Acknowledged)
	w.ping()
}

func TestReceipt_UnreadableIsRefusedOnceAndForAll(t *testing.T) {
	for name, payload := range map[string]string{
		"not JSON":          "presented!",
		"claims delivered":  receiptsJSON("delivered", "flood"),
		"no alert id":       `[{"alert":"../x","revision":1,"rung":"verified","at":"2026-01-02T03:04:05Z","seq":1}]`,
		"not an alert's id": `[{"alert":"flood","revision":1,"rung":"verified","at":"2026-01-02T03:04:05Z","seq":1}]`,
		"too many":          receiptsJSON("verified", strings.Split(strings.Repeat("a,", 513), ",")...),
	} {
		t.Run(name, func(t *testing.T) {
			bothVersions(t, func(t *testing.T, v5 bool) {
				r := newRig(t)
				w := r.device(r.listen(TCP), "lift-1", v5)
				w.send(publishPacket(v5, 1, 5, receiptTopic, payload))
				if v5 {
					w.expect([]byte{0x40, 3, 0, 5, 0x99})
				} else {
					w.expect([]byte{0x40, 2, 0, 5}) // or it would send it for ever
				}
				require.Zero(t, r.receipts.count())
			})
		})
	}
}

func TestReceipt_EmptyArrayIsAcknowledged(t *testing.T) {
	r := newRig(t)
	w := r.device(r.listen(TCP), "lift-1", false)
	w.send(publishPacket(false, 1, 5, receiptTopic, "[]"))
	w.expect([]byte{0x40, 2, 0, 5})
}

func TestPublish_ElsewhereIsNotTakenAndNotAcknowledged(t *testing.T) {
	for _, topic := range []string{
		contract.TopicNow, contract.TopicAlert("lift-1", string(alertID("flood"))), contract.TopicState("lift-2"),
		contract.DevicePrefix("lift-1") + "other", contract.DevicePrefix("lift-1"), "a", receiptTopic + "/",
		contract.DevicePrefix("lift-10") + contract.LeafReceipt,
	} {
		t.Run(topic, func(t *testing.T) {
			r := newRig(t)
			address := r.listen(TCP)
			victim := r.device(address, "lift-2", false)
			victim.subscribe(ownFilterOf("lift-2"), contract.TopicNow)
			five, three := r.device(address, "lift-1", true), r.device(address, "speaker-3", false)
			five.send(publishPacket(true, 0, 0, topic, "forged"))
			five.send(publishPacket(true, 1, 4, topic, "forged"))
			five.expect([]byte{0x40, 3, 0, 4, 0x87})
			five.send(publishPacket(true, 2, 5, topic, "forged"))
			five.expect([]byte{0x50, 3, 0, 5, 0x87})
			three.send(publishPacket(false, 1, 4, topic, "forged"))
			three.closed()
			victim.ping()
			require.Zero(t, r.receipts.count())
		})
	}
}

func TestPublish_QoS2IsTakenOnce(t *testing.T) {
	bothVersions(t, func(t *testing.T, v5 bool) {
		r := newRig(t)
		r.receipts.hold = true
		w := r.device(r.listen(TCP), "lift-1", v5)
		p := publishPacket(v5, 2, 9, receiptTopic, receiptsJSON("presented", "flood"))
		again := append([]byte{p[0] | 8}, p[1:]...)
		w.send(p)
		w.send(again) // before it is durable: no answer yet
		w.ping()
		r.receipts.dones[0](nil)
		w.expect([]byte{0x50, 2, 0, 9})
		w.send(again) // after: the same answer
		w.expect([]byte{0x50, 2, 0, 9})
		w.send([]byte{0x62, 2, 0, 9})
		w.expect([]byte{0x70, 2, 0, 9})
		require.Equal(t, 1, r.receipts.count())
		w.send([]byte{0x62, 2, 0, 9})
		if v5 {
			w.expect([]byte{0x70, 3, 0, 9, 0x92})
		} else {
			w.expect([]byte{0x70, 2, 0, 9})
		}
	})
}

func TestPublish_PubrelBeforePubrecEndsTheSession(t *testing.T) {
	r := newRig(t)
	r.receipts.hold = true
	w := r.device(r.listen(TCP), "lift-1", true)
	w.send(publishPacket(true, 2, 9, receiptTopic, receiptsJSON("presented", "flood")))
	w.send([]byte{0x62, 2, 0, 9})
	w.expect([]byte{0xE0, 1, 0x82})
	w.closed()
}

func TestPublish_OverReceiveMaximumEndsVersion5(t *testing.T) {
	r := newRig(t, func(o *Options) { o.Limits.MaxTaking = 2 })
	r.receipts.hold = true
	w := r.device(r.listen(TCP), "lift-1", true)
	for id := range uint16(3) {
		w.send(publishPacket(true, 1, id+1, receiptTopic, receiptsJSON("presented", "flood")))
	}
	w.expect([]byte{0xE0, 1, 0x93})
	w.closed()
}

func TestPublish_Version311IsReadNoFurtherUntilReceiptsAreDurable(t *testing.T) {
	r := newRig(t, func(o *Options) { o.Limits.MaxTaking = 2 })
	r.receipts.hold = true
	w := r.device(r.listen(TCP), "lift-1", false)
	for id := range uint16(3) {
		w.send(publishPacket(false, 1, id+1, receiptTopic, receiptsJSON("presented", fmt.Sprint(id))))
	}
	r.receipts.await(t, "two receipts", func() bool { return len(r.receipts.dones) == 2 })
	s := r.shardOf("lift-1").get("lift-1")
	require.Eventually(t, s.paused.Load, patience, 1e6)
	require.Equal(t, 2, r.receipts.count())
	r.receipts.dones[0](nil)
	w.expect([]byte{0x40, 2, 0, 1})
	r.receipts.await(t, "the third", func() bool { return len(r.receipts.dones) == 3 })
}

func TestPublish_MalformedEndsTheSession(t *testing.T) {
	for name, test := range map[string]struct {
		b    []byte
		want byte
	}{
		"topic alias":       {framed(0x30, 0, 1, 'a', 3, 0x23, 0, 1), 0x94},
		"empty topic":       {framed(0x30, 0, 0, 0), 0x81},
		"packet id 0":       {framed(0x32, 0, 1, 'a', 0, 0, 0), 0x81},
		"QoS 3":             {framed(0x36, 0, 1, 'a', 0, 1, 0), 0x81},
		"DUP with QoS 0":    {framed(0x38, 0, 1, 'a', 0), 0x81},
		"topic cut off":     {framed(0x30, 0, 9, 'a'), 0x81},
		"property repeated": {framed(0x30, 0, 1, 'a', 4, 1, 0, 1, 0), 0x81},
		"unknown property":  {framed(0x30, 0, 1, 'a', 2, 0x7E, 0), 0x81},
		"subscription id":   {framed(0x30, 0, 1, 'a', 2, 0x0B, 1), 0x81},
		"over the limit":    {[]byte{0x30, 0x80, 0x80, 0x04}, 0x95},
		"PUBREC":            {[]byte{0x50, 2, 0, 1}, 0x82},
		"AUTH":              {[]byte{0xF0, 0}, 0x82},
		"PINGREQ with body": {[]byte{0xC0, 1, 0}, 0x81},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			w := r.device(r.listen(TCP), "lift-1", true)
			w.send(test.b)
			w.expect([]byte{0xE0, 1, test.want})
			w.closed()
		})
	}
}

func TestPublish_LargePacketsPassAndMemoryIsGivenBack(t *testing.T) {
	r := newRig(t)
	w := r.device(r.listen(TCP), "lift-1", false)
	topic := contract.DevicePrefix("lift-1") + contract.LeafReport
	w.send(publishPacket(false, 1, 3, topic, `{"id":"0123456789abcdef","kind":"hazard","photo":"`+strings.Repeat("AAAA", contract.MaxReportPhoto/3)+`"}`))
	w.expect([]byte{0x40, 2, 0, 3})
	r.hooks.awaitTold(t, "lift-1 report hazard  46080")
	w.ping()
	s := r.shardOf("lift-1").get("lift-1")
	w.Close()
	r.hooks.awaitTold(t, "lift-1 up false")
	require.Nil(t, s.in.rest)
}

func TestState_IsPassedOnAndWillIsTold(t *testing.T) {
	bothVersions(t, func(t *testing.T, v5 bool) {
		r := newRig(t)
		w := r.device(r.listen(TCP), "lift-1", v5, func(f *connectFields) {
			f.willTopic, f.willPayload = contract.TopicState("lift-1"), `{"state":"lost","session":8}`
		})
		p := publishPacket(v5, 1, 3, contract.TopicState("lift-1"), `{"state":"ready","session":8}`)
		p[0] |= 1 // retained
		w.send(p)
		w.expect([]byte{0x40, 2, 0, 3})
		w.Close()
		r.hooks.awaitTold(t, "lift-1 up false")
		require.Equal(t, []string{"lift-1 up true", "lift-1 state ready 8", "lift-1 state lost 8", "lift-1 up false"}, r.hooks.all())
	})
}

func TestWill_IsDroppedAfterDisconnect(t *testing.T) {
	for name, test := range map[string]struct {
		v5   bool
		b    []byte
		lost bool
	}{
		"3.1.1":       {false, []byte{0xE0, 0}, false},
		"5":           {true, []byte{0xE0, 0}, false},
		"5 with will": {true, []byte{0xE0, 1, 4}, true},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			w := r.device(r.listen(TCP), "lift-1", test.v5, func(f *connectFields) {
				f.willTopic, f.willPayload = contract.TopicState("lift-1"), "not JSON"
			})
			w.send(test.b)
			w.closed()
			r.hooks.awaitTold(t, "lift-1 up false")
			require.Equal(t, test.lost, len(r.hooks.all()) == 3, r.hooks.all())
		})
	}
}

func TestReport_WhatIsRefusedIsNotSentForEver(t *testing.T) {
	const report = `{"id":"0123456789abcdef","kind":"hazard"}`
	bothVersions(t, func(t *testing.T, v5 bool) {
		for name, test := range map[string]struct {
			payload string
			change  func(*Options)
			code    byte
		}{
			"no hooks":      {report, func(o *Options) { o.Hooks = nil }, 0x83},
			"unwanted":      {report, func(o *Options) { o.Hooks.(*fakeHooks).err = fmt.Errorf("no reader: %w", ErrUnwanted) }, 0x83},
			"too many":      {report, func(o *Options) { o.Hooks.(*fakeHooks).err = fmt.Errorf("today: %w", ErrTooMany) }, 0x97},
			"no photo":      {report, func(o *Options) { o.Hooks.(*fakeHooks).err = fmt.Errorf("a page: %w", ErrPayload) }, 0x99},
			"nothing in it": {"x", func(*Options) {}, 0x99},
			"too large":     {`{"id":"0123456789abcdef","kind":"hazard","extra":"` + strings.Repeat("x", contract.MaxReportBytes) + `"}`, func(*Options) {}, 0x99},
		} {
			t.Run(name, func(t *testing.T) {
				r := newRig(t, test.change)
				w := r.device(r.listen(TCP), "lift-1", v5)
				w.send(publishPacket(v5, 1, 3, contract.DevicePrefix("lift-1")+contract.LeafReport, test.payload))
				if v5 {
					w.expect([]byte{0x40, 3, 0, 3, test.code})
				} else {
					w.expect([]byte{0x40, 2, 0, 3})
				}
			})
		}
	})
}

func TestPublish_MalformedAckOfVersion311EndsTheSession(t *testing.T) {
	r := newRig(t)
	w := r.device(r.listen(TCP), "lift-1", false)
	w.send([]byte{0x40, 3, 0, 1, 0})
	w.closed()
}

func TestPublish_UnfinishedExchangesAreBounded(t *testing.T) {
	bothVersions(t, func(t *testing.T, v5 bool) {
		most := answers.MaxExchanges
		if v5 {
			most = DefaultLimits().MaxTaking // its receive maximum counts until PUBCOMP
		}
		r := newRig(t)
		w := r.device(r.listen(TCP), "lift-1", v5)
		for id := range uint16(most) {
			w.send(publishPacket(v5, 2, id+1, receiptTopic, "[]"))
			w.expect([]byte{0x50, 2, byte((id + 1) >> 8), byte(id + 1)})
		}
		w.send(publishPacket(v5, 2, uint16(most+1), receiptTopic, "[]"))
		if v5 {
			w.expect([]byte{0xE0, 1, 0x93})
		}
		w.closed()
	})
}

func TestState_OfAReplacedSessionIsNotPassedOn(t *testing.T) {
	r := newRig(t)
	address := r.listen(TCP)
	r.device(address, "lift-1", false)
	old := r.shardOf("lift-1").get("lift-1")
	young := r.device(address, "lift-1", false)
	p := packet.Publish{Payload: []byte(`{"state":"ready","session":1}`)}
	underway{s: old}.takeState(p.Payload) // what it had read before it was replaced
	young.ping()
	require.Equal(t, []string{"lift-1 up true", "lift-1 up true"}, r.hooks.all())
	underway{s: r.shardOf("lift-1").get("lift-1")}.takeState(p.Payload)
	r.hooks.awaitTold(t, "lift-1 state ready 1")
}
