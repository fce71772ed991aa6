package mqtt

import (
	"fmt"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"almenara/channels/contract"
	"almenara/channels/mqtt/packet"
	"almenara/storage/receipt"
)

// These are the defects that were found in an embeddable broker, each as a story that
// must end well here. They drive the gateway over sockets.

// soon is far more than any other device may be delayed by one that misbehaves, and
// far less than the time-outs that would end the one.
const soon = 500 * time.Millisecond

// D01: one subscriber that did not read stopped all fan-out, because its lock was held
// across the write to it.
func TestDefect_D01_StalledReadersDelayNobody(t *testing.T) {
	bothVersions(t, func(t *testing.T, v5 bool) {
		r := newRig(t)
		address := r.listen(TCP)
		r.stalled(address, "lift-1")                               // takes alerts, never reads
		half := r.device(address, "bulk-7", v5)                    // has said half a packet
		half.subscribe(ownFilterOf("bulk-7"))                      //
		half.send(publishPacket(v5, 1, 1, receiptTopic, "[]")[:9]) //
		deaf := r.device(address, "bulk-8", v5)                    // reads no more, and will not acknowledge
		deaf.subscribe(ownFilterOf("bulk-8"))                      //
		require.NoError(t, deaf.Conn.(*net.TCPConn).CloseRead())   //
		other := r.screen(address, "lift-2", v5)                   //
		for i := range 20 {
			begin := time.Now()
			r.Set(holds(fmt.Sprint("manifest ", i), alertTo(fmt.Sprint(i), 1, 1, 2, 7, 8)))
			other.upToBoth(t, fmt.Sprintf("body of %d 1", i), fmt.Sprint("manifest ", i))
			require.Less(t, time.Since(begin), soon)
		}
	})
}

// upToBoth reads until a body and a manifest have come, and acknowledges bodies. Where
// the window was full, because the gateway had not yet read the last acknowledgements,
// the manifest goes before the body.
func (w *wire) upToBoth(t testing.TB, body, manifest string) {
	t.Helper()
	missing := map[string]bool{body: true, manifest: true}
	for len(missing) > 0 {
		m := w.message()
		if m.qos > 0 {
			w.send(w.ackPacket(packet.KindPuback, m.id))
		}
		delete(missing, m.payload)
	}
}

// upToBody reads until an alert's body, and acknowledges it.
func (w *wire) upToBody(t testing.TB) message {
	t.Helper()
	m := w.message()
	for m.qos == 0 {
		m = w.message()
	}
	w.send(w.ackPacket(packet.KindPuback, m.id))
	return m
}

// D02: a device that came again while its old connection was stalled got no CONNACK:
// the takeover waited for the old one's lock.
func TestDefect_D02_TakeoverOfAStalledSessionIsAnsweredAtOnce(t *testing.T) {
	bothVersions(t, func(t *testing.T, v5 bool) {
		r := newRig(t)
		address := r.listen(TCP)
		r.stalled(address, "lift-1")
		for range 3 {
			begin := time.Now()
			w := r.screen(address, "lift-1", v5)
			require.Less(t, time.Since(begin), soon)
			require.NotEmpty(t, w.upToBody(t).payload)
		}
		require.Equal(t, 1, r.Sessions())
	})
}

// D04: packet ids of both directions shared one map. A device's SUBSCRIBE with the id
// of an alert in flight was refused, and its PUBLISH with that id counted as the alert's
// receipt.
func TestDefect_D04_OwnPacketIdsAreNoReceipts(t *testing.T) {
	bothVersions(t, func(t *testing.T, v5 bool) {
		r := newRig(t)
		w := r.screen(r.listen(TCP), "lift-1", v5)
		r.Set(holds("manifest", alertTo("flood", 1, 1)))
		body := w.message()
		w.message()
		w.send(subscribePacket(v5, body.id, contract.TopicKeys))
		suback := w.next()
		require.Equal(t, byte(packet.KindSuback), suback.kind)
		require.Equal(t, byte(1), suback.body[len(suback.body)-1])
		w.message()
		for qos, answer := range map[byte]byte{1: packet.KindPuback, 2: packet.KindPubrec} {
			w.send(publishPacket(v5, qos, body.id, contract.TopicState("lift-1"), readyState))
			require.Equal(t, answer, w.next().kind)
		}
		w.send([]byte{0x62, 2, 0, byte(body.id)})
		w.expect([]byte{0x70, 2, 0, byte(body.id)})
		w.send(w.ackPacket(packet.KindPuback, body.id+1)) // nothing was sent under it
		w.ping()
		require.Zero(t, r.receipts.count())
		w.send(w.ackPacket(packet.KindPuback, body.id))
		r.receipts.awaitRung(t, 1, receipt.Delivered)
	})
}

// D05: of what was held back for a small Receive Maximum, the quota was never given
// back: of six messages four came, and then nothing ever.
func TestDefect_D05_ReceiveMaximumHoldsBackAndLosesNothing(t *testing.T) {
	r := newRig(t)
	two := uint16(2)
	w := r.screen(r.listen(TCP), "lift-1", true, func(f *connectFields) { f.props.ReceiveMaximum = &two })
	now := holds("manifest")
	for i := range 6 {
		now.Active = append(now.Active, alertTo(fmt.Sprint(i), 1, 1))
	}
	r.Set(now)
	first, second := w.message(), w.message()
	require.Equal(t, "manifest", w.message().payload)
	w.ping() // no third before a PUBACK
	flying := []message{first, second}
	for i := range 6 {
		require.Equal(t, fmt.Sprintf("body of %d 1", i), flying[0].payload)
		w.send(w.ackPacket(packet.KindPuback, flying[0].id))
		if flying = flying[1:]; i < 4 {
			flying = append(flying, w.message())
		}
	}
	r.receipts.await(t, "six receipts", func() bool { return len(r.receipts.taken) == 6 })
	r.Set(holds("later", alertTo("more", 1, 1)))
	require.Equal(t, "body of more 1", w.message().payload)
}

// D06: taking a read lock twice met a writer in between, and the fan-out never went on.
func TestDefect_D06_AcknowledgingWhileAlertsComeDoesNotDeadlock(t *testing.T) {
	r := newRig(t)
	address := r.listen(TCP)
	two := uint16(2)
	var devices sync.WaitGroup
	for id := range members {
		w := r.screen(address, id, true, func(f *connectFields) { f.props.ReceiveMaximum = &two })
		devices.Go(func() {
			for bodies := 0; bodies < 100; {
				m := w.message()
				if m.qos == 0 {
					continue
				}
				w.send(w.ackPacket(packet.KindPuback, m.id))
				bodies++
			}
		})
	}
	now := holds("")
	for i := range 100 {
		now = holds(fmt.Sprint(i), append(now.Active, alertTo(fmt.Sprint(i), 1, 1, 2, 3))...)
		r.Set(now)
	}
	devices.Wait() // each read is bounded
	r.receipts.await(t, "all receipts", func() bool { return len(r.receipts.taken) == 300 })
}

// D07: a message that had been sent under a topic alias was sent again, after the
// device had come again, under the alias alone, which meant nothing any more.
func TestDefect_D07_EveryDeliveryNamesItsTopic(t *testing.T) {
	r := newRig(t)
	address := r.listen(TCP)
	r.Set(holds("manifest", alertTo("flood", 1, 1)))
	most := uint16(10)
	for range 3 {
		w := r.screen(address, "lift-1", true, func(f *connectFields) { f.props.TopicAliasMaximum = &most })
		for _, topic := range []string{contract.TopicAlert("lift-1", string(alertID("flood"))), contract.TopicNow} {
			g := w.next()
			name, rest := splitTopic(g.body)
			require.Equal(t, topic, name)
			if g.flags&6 != 0 {
				rest = rest[2:]
			}
			require.Zero(t, rest[0], "no properties")
		}
		w.Close() // the body is not acknowledged
	}
}

// D14: what was not acknowledged was sent again in a random order.
func TestDefect_D14_WhatIsSentAgainKeepsItsOrder(t *testing.T) {
	bothVersions(t, func(t *testing.T, v5 bool) {
		r := newRig(t)
		address := r.listen(TCP)
		now := holds("manifest")
		for i := range 16 {
			now.Active = append(now.Active, alertTo(fmt.Sprint(i), 1, 1))
		}
		r.Set(now)
		for range 5 {
			w := r.screen(address, "lift-1", v5)
			for i := range 16 {
				require.Equal(t, fmt.Sprintf("body of %d 1", i), w.message().payload)
			}
			w.Close()
		}
	})
}

// D15: write errors were ignored, and a packet that was too large held back what had
// been queued before it.
func TestDefect_D15_BrokenWritesEndTheSessionAndLargeBodiesHoldBackNothing(t *testing.T) {
	t.Run("a broken connection", func(t *testing.T) {
		r := newRig(t)
		w := r.screen(r.listen(TCP), "lift-1", true)
		require.NoError(t, w.Conn.(*net.TCPConn).SetLinger(0))
		w.Close() // a reset
		for i := range 3 {
			r.Set(holds(fmt.Sprint(i), alertTo(fmt.Sprint(i), 1, 1)))
		}
		r.hooks.awaitTold(t, "lift-1 up false")
		require.Zero(t, r.Sessions())
		require.Zero(t, r.receipts.count())
	})
	t.Run("a body over the device's limit", func(t *testing.T) {
		r := newRig(t)
		limit := uint32(200)
		w := r.screen(r.listen(TCP), "lift-1", true, func(f *connectFields) { f.props.MaximumPacketSize = &limit })
		large := alertTo("large", 1, 1)
		large.Body = make([]byte, 300)
		r.Set(holds("manifest", alertTo("before", 1, 1), large, alertTo("after", 1, 1)))
		for _, want := range []string{"body of before 1", "body of after 1", "manifest"} {
			require.Equal(t, want, w.message().payload)
		}
		require.Equal(t, alertID("large"), r.receipts.awaitRung(t, 1, receipt.Failed).Alert)
	})
}
