package mqtt

import (
	"fmt"
	"net"
	"testing"

	"github.com/stretchr/testify/require"

	"almenara/channels/contract"
	"almenara/channels/mqtt/answers"
	"almenara/channels/mqtt/metrics"
	"almenara/channels/mqtt/packet"
)

const readyState = `{"state":"ready","session":1}`

// heldReceipts sends receipts whose durability the test decides, one per id.
func (w *wire) heldReceipts(r *rig, qos byte, ids ...uint16) {
	w.t.Helper()
	before := len(r.receipts.dones)
	for _, id := range ids {
		w.send(publishPacket(w.v5, qos, id, receiptTopic, receiptsJSON("presented", fmt.Sprint(id))))
	}
	r.receipts.await(w.t, "receipts", func() bool { return len(r.receipts.dones) == before+len(ids) })
}

func TestAnswers_GoOutInTheOrderOfThePublishes(t *testing.T) {
	for qos, kind := range map[byte]byte{1: 0x40, 2: 0x50} {
		t.Run(fmt.Sprint("QoS ", qos), func(t *testing.T) {
			bothVersions(t, func(t *testing.T, v5 bool) {
				r := newRig(t)
				r.receipts.hold = true
				w := r.device(r.listen(TCP), "lift-1", v5)
				w.heldReceipts(r, qos, 10, 11, 12)
				w.send(publishPacket(v5, qos, 13, contract.TopicState("lift-1"), readyState)) // ready at once
				w.send(publishPacket(v5, qos, 14, receiptTopic, "no receipts"))               // refused at once
				w.ping()                                                                      // nothing before it
				r.receipts.dones[1](nil)
				w.ping()
				r.receipts.dones[0](nil)
				w.expect([]byte{kind, 2, 0, 10})
				w.expect([]byte{kind, 2, 0, 11})
				w.ping()
				r.receipts.dones[2](nil)
				for id := byte(12); id < 14; id++ {
					w.expect([]byte{kind, 2, 0, id})
				}
				if v5 {
					w.expect([]byte{kind, 3, 0, 14, 0x99})
				} else {
					w.expect([]byte{kind, 2, 0, 14})
				}
				w.ping()
			})
		})
	}
}

func TestAnswers_OfAForeignPublishWaitsItsTurn(t *testing.T) {
	r := newRig(t)
	r.receipts.hold = true
	w := r.device(r.listen(TCP), "lift-1", true)
	w.heldReceipts(r, 1, 10)
	w.send(publishPacket(true, 1, 11, contract.TopicState("lift-2"), "forged"))
	w.send(publishPacket(true, 0, 0, contract.TopicState("lift-2"), "forged"))
	w.ping()
	r.receipts.dones[0](nil)
	w.expect([]byte{0x40, 2, 0, 10})
	w.expect([]byte{0x40, 3, 0, 11, 0x87})
}

func TestAnswers_OfTheTwoKindsDoNotWaitForEachOther(t *testing.T) {
	bothVersions(t, func(t *testing.T, v5 bool) {
		r := newRig(t)
		r.receipts.hold = true
		w := r.device(r.listen(TCP), "lift-1", v5)
		w.heldReceipts(r, 2, 10)
		w.heldReceipts(r, 1, 11)
		r.receipts.dones[1](nil)
		w.expect([]byte{0x40, 2, 0, 11})
		r.receipts.dones[0](nil)
		w.expect([]byte{0x50, 2, 0, 10})
	})
}

func TestAnswers_OfARepeatedExchangeWaitsItsTurn(t *testing.T) {
	r := newRig(t)
	r.receipts.hold = true
	w := r.device(r.listen(TCP), "lift-1", false)
	w.heldReceipts(r, 2, 10)
	r.receipts.dones[0](nil)
	w.expect([]byte{0x50, 2, 0, 10})
	w.heldReceipts(r, 2, 11)
	w.send(publishPacket(false, 2, 10, receiptTopic, receiptsJSON("presented", "10")))
	w.ping()
	r.receipts.dones[1](nil)
	w.expect([]byte{0x50, 2, 0, 11})
	w.expect([]byte{0x50, 2, 0, 10})
	require.Equal(t, 2, r.receipts.count())
}

// What waits for its turn counts against the limit: otherwise one receipt that is
// never durable would let a device make the gateway remember without end.
func TestAnswers_ThatWaitAreBounded(t *testing.T) {
	bothVersions(t, func(t *testing.T, v5 bool) {
		r := newRig(t, func(o *Options) { o.Limits.MaxTaking = 3 })
		r.receipts.hold = true
		w := r.device(r.listen(TCP), "lift-1", v5)
		w.heldReceipts(r, 1, 10)
		for id := range uint16(3) {
			w.send(publishPacket(v5, 1, 11+id, contract.TopicState("lift-1"), readyState))
		}
		if v5 {
			w.expect([]byte{0xE0, 1, 0x93})
			w.closed()
			return
		}
		s := r.shardOf("lift-1").get("lift-1")
		require.Eventually(t, s.paused.Load, patience, 1e6)
		r.receipts.dones[0](nil)
		for id := byte(10); id < 14; id++ {
			w.expect([]byte{0x40, 2, 0, id})
		}
	})
}

func TestAnswers_AllocateNothingOnceWarm(t *testing.T) {
	r := newRig(t)
	s := r.newSession(nil, &discard{}, TCP)
	publishes := []packet.Publish{{QoS: 1, ID: 1}, {QoS: 1, ID: 2}, {QoS: 1, ID: 3}, {QoS: 1, ID: 4}}
	round := func() {
		var taken [4]underway
		for i, p := range publishes {
			taken[i], _, _ = s.begin(p, metrics.Receipt)
		}
		for i := range taken {
			taken[(i+2)%4].answer(packet.CodeSuccess)
		}
	}
	round()
	least := testing.AllocsPerRun(100, round)
	for range 9 { // what else the process allocates meanwhile is counted, too
		least = min(least, testing.AllocsPerRun(100, round))
	}
	require.Zero(t, least)
	_, begun, err := s.owed.Begin(publishes[0], 1, false)
	require.NoError(t, err)
	require.Equal(t, answers.Fresh, begun, "nothing is being taken")
}

// discard is a connection that takes everything.
type discard struct{ net.Conn }

func (*discard) Close() error                { return nil }
func (*discard) Write(b []byte) (int, error) { return len(b), nil }
