package mqtt

import (
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	v5packets "github.com/eclipse/paho.golang/packets"
	"github.com/stretchr/testify/require"

	"almenara/channels/contract"
	"almenara/channels/mqtt/packet"
)

// D03: a SUBSCRIBE of seven bytes ended the process.
func TestDefect_D03_NoSubscribeEndsMoreThanItsSession(t *testing.T) {
	bothVersions(t, func(t *testing.T, v5 bool) {
		r := newRig(t)
		address := r.listen(TCP)
		other := r.device(address, "lift-2", v5)
		whole := subscribePacket(v5, 1, contract.TopicNow, ownFilterOf("lift-1"))[2:]
		bodies := [][]byte{{0, 1, 0, 0, 0}} // the seven bytes
		for cut := range whole {
			bodies = append(bodies, whole[:cut])
		}
		for _, body := range bodies {
			for _, first := range []byte{0x82, 0xA2} {
				w := r.device(address, "lift-1", v5)
				w.send(append(framed(first, body...), 0xE0, 0))
				_, err := io.ReadAll(w.Conn)
				require.NoError(t, err)
				other.ping()
			}
		}
		require.Zero(t, counterValue(r.metrics.Panics))
	})
}

// D08: an alert could reach a device ahead of its CONNACK.
func TestDefect_D08_NothingPrecedesTheConnack(t *testing.T) {
	bothVersions(t, func(t *testing.T, v5 bool) {
		r := newRig(t)
		address := r.listen(TCP)
		hello := append(connectPacket("lift-1", v5), subscribePacket(v5, 7, contract.TopicNow, ownFilterOf("lift-1"))...)
		for i := range 30 {
			w := r.dial(address)
			w.v5 = v5
			set := make(chan struct{})
			go func() {
				defer close(set)
				for n := range 5 {
					r.Set(holds(fmt.Sprint(i, n), alertTo(fmt.Sprint(i), 1, 1)))
				}
			}()
			w.send(hello)
			require.Equal(t, byte(packet.KindConnack), w.next().kind)
			require.Equal(t, byte(packet.KindSuback), w.next().kind)
			require.Equal(t, byte(packet.KindPublish), w.next().kind)
			<-set
		}
	})
}

// D09: subscriptions of a session that had ended stayed, and the device's next, clean
// session received what it had never subscribed to.
func TestDefect_D09_NothingIsLeftOfAnEarlierSession(t *testing.T) {
	bothVersions(t, func(t *testing.T, v5 bool) {
		r := newRig(t)
		address := r.listen(TCP)
		day := uint32(86_400)
		old := r.screen(address, "lift-1", v5, func(f *connectFields) { f.props.SessionExpiryInterval = &day })
		r.Set(holds("1", alertTo("flood", 1, 1)))
		old.upToBody(t)
		old.Close()
		w := r.device(address, "lift-1", v5) // session present is 0
		r.Set(holds("2", alertTo("fire", 1, 1)))
		w.ping()
		w.ping()
		w.subscribe(contract.TopicNow)
		require.Equal(t, "2", w.message().payload)
		w.ping()
	})
}

// D10: a will was published without regard to what its client may publish: any device
// could forge an alert by disappearing.
func TestDefect_D10_AWillIsHeldToTheWriteRule(t *testing.T) {
	bothVersions(t, func(t *testing.T, v5 bool) {
		r := newRig(t)
		address := r.listen(TCP)
		victim := r.screen(address, "lift-2", v5)
		for _, topic := range []string{
			contract.TopicAlert("lift-2", string(alertID("flood"))), contract.TopicNow, contract.TopicKeys,
			contract.TopicState("lift-2"), contract.DevicePrefix("lift-1") + contract.LeafReceipt,
		} {
			w := r.dial(address)
			w.send(connectPacket("lift-1", v5, func(f *connectFields) { f.willTopic, f.willPayload = topic, "forged" }))
			require.NotZero(t, w.next().body[1], topic)
			w.closed()
		}
		own := r.device(address, "lift-1", v5, func(f *connectFields) {
			f.willTopic, f.willPayload = contract.TopicState("lift-1"), "forged"
		})
		own.Close()
		r.hooks.awaitTold(t, "lift-1 state lost 0") // the words are not passed on, only the loss
		victim.ping()                               // nothing came
		require.NotContains(t, strings.Join(r.hooks.all(), "\n"), "forged")
	})
}

// D13: what a session left behind belonged to whoever came with its client id.
func TestDefect_D13_ASessionBelongsToWhoProvedToBeIt(t *testing.T) {
	bothVersions(t, func(t *testing.T, v5 bool) {
		r := newRig(t)
		address := r.listen(TCP)
		r.Set(holds("manifest", alertTo("flood", 1, 1)))
		original := r.screen(address, "lift-1", v5)
		body := original.message() // not acknowledged yet
		original.message()
		for name, change := range map[string]func(*connectFields){
			"another's secret": func(f *connectFields) { f.username, f.password = "lift-2", secretOf("lift-2") },
			"wrong secret":     func(f *connectFields) { f.password = "guess" },
			"no secret":        func(f *connectFields) { f.username, f.password = "", "" },
		} {
			w := r.dial(address)
			w.send(connectPacket("lift-1", v5, change))
			p, err := w.read()
			require.NoError(t, err, name)
			require.NotZero(t, p.body[1], name)
			w.closed()
		}
		original.ping() // nobody took it over
		other := r.screen(address, "lift-2", v5)
		require.Equal(t, "manifest", other.message().payload)
		other.send(other.ackPacket(packet.KindPuback, body.id))
		other.ping()
		require.Zero(t, r.receipts.count())
	})
}

// D16: servers of 3.1.1 have no DISCONNECT, but one was sent.
func TestDefect_D16_Version311IsNeverSentADisconnect(t *testing.T) {
	for name, cause := range map[string]func(*rig, string, *wire){
		"protocol error": func(_ *rig, _ string, w *wire) { w.send([]byte{0x50, 2, 0, 1}) },
		"malformed":      func(_ *rig, _ string, w *wire) { w.send([]byte{0x82, 1, 0}) },
		"foreign topic":  func(_ *rig, _ string, w *wire) { w.send(publishPacket(false, 1, 1, "a", "b")) },
		"takeover":       func(r *rig, address string, _ *wire) { r.device(address, "lift-1", false) },
		"drop":           func(r *rig, _ string, _ *wire) { r.Drop("lift-1") },
		"stop":           func(r *rig, _ string, _ *wire) { r.stop() },
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			address := r.listen(TCP)
			w := r.device(address, "lift-1", false)
			cause(r, address, w)
			w.closed()
		})
	}
}

// D17: what the CONNACK said about shared subscriptions and identifiers was not kept to.
func TestDefect_D17_WhatIsNotAvailableIsRefused(t *testing.T) {
	r := newRig(t)
	w := r.dial(r.listen(TCP))
	w.v5 = true
	w.send(connectPacket("lift-1", true))
	p, err := v5packets.ReadPacket(w)
	require.NoError(t, err)
	told := p.Content.(*v5packets.Connack).Properties
	require.Zero(t, *told.SharedSubAvailable)
	require.Zero(t, *told.SubIDAvailable)
	require.Nil(t, told.WildcardSubAvailable, "they are available")
	require.Equal(t, []byte{0x9E, 0x9E}, w.subscribe("$share/g/"+ownFilterOf("lift-1"), "$share/g/"+contract.TopicNow))
	w.send(framed(0x82, append(appendString([]byte{0, 1, 2, 0x0B, 5}, contract.TopicNow), 1)...))
	w.expect([]byte{0x90, 4, 0, 1, 0, 0xA1})
	r.Set(holds("manifest", alertTo("flood", 1, 1)))
	w.ping() // none of it was granted
	require.Equal(t, []byte{1, 0x87}, w.subscribe(ownFilterOf("lift-1"), "#"))
	require.Equal(t, "body of flood 1", w.message().payload)
}

// D18: one and a half times a keep alive of 43,691 s and more overflowed, and the
// session ended after two seconds.
func TestDefect_D18_LongKeepAlivesDoNotOverflow(t *testing.T) {
	for _, seconds := range []uint16{43_690, 43_691, 43_692, 65_535} {
		t.Run(fmt.Sprint(seconds), func(t *testing.T) {
			r := newRig(t)
			w := r.device(r.listen(TCP), "lift-1", false, func(f *connectFields) { f.keepAlive = seconds })
			s := r.shardOf("lift-1").get("lift-1")
			limit := time.Duration(seconds) * 1500 * time.Millisecond
			s.checkTimes(s.heard.Load() + int64(limit))
			w.ping()
			s.checkTimes(s.heard.Load() + int64(limit) + 1)
			w.closed()
		})
	}
}
