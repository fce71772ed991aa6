package mqtt

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"almenara/channels"
	"almenara/channels/contract"
	"almenara/channels/mqtt/packet"
	"almenara/storage/alert"
	"almenara/storage/receipt"
)

func bothVersions(t *testing.T, f func(t *testing.T, v5 bool)) {
	t.Run("3.1.1", func(t *testing.T) { f(t, false) })
	t.Run("5", func(t *testing.T) { f(t, true) })
}

func TestDeliver_BodyThenManifestAndReceiptOnPuback(t *testing.T) {
	bothVersions(t, func(t *testing.T, v5 bool) {
		r := newRig(t)
		w := r.device(r.listen(TCP), "lift-1", v5)
		require.Equal(t, []byte{1, 1, 1}, w.subscribe(contract.TopicNow, contract.TopicKeys, ownFilterOf("lift-1")))

		r.Set(holds("manifest 1", alertTo("flood", 1, 1, 2)))
		require.Equal(t, message{topic: contract.TopicKeys, payload: "key ring", retain: true}, w.message())
		body := w.message()
		require.Equal(t, message{contract.TopicAlert("lift-1", string(alertID("flood"))), "body of flood 1", 1, 1, false}, body)
		require.Equal(t, message{topic: contract.TopicNow, payload: "manifest 1", retain: true}, w.message())
		require.Zero(t, r.receipts.count())

		w.send(w.ackPacket(packet.KindPuback, body.id))
		got := r.receipts.awaitRung(t, 1, receipt.Delivered)
		require.Equal(t, alertID("flood"), got.Alert)
		r.hooks.awaitTold(t, "sent "+string(alertID("flood"))+" to [1]")
	})
}

// screen connects a device that has subscribed to everything of its own.
func (r *rig) screen(address, id string, v5 bool, change ...func(*connectFields)) *wire {
	r.t.Helper()
	w := r.device(address, id, v5, change...)
	require.Equal(r.t, []byte{1, 1}, w.subscribe(contract.TopicNow, ownFilterOf(id)))
	return w
}

func TestDeliver_LateJoinerGetsWhatIsInForceBehindTheSuback(t *testing.T) {
	bothVersions(t, func(t *testing.T, v5 bool) {
		r := newRig(t)
		r.Set(holds("manifest 1", alertTo("fire", 1, 1), alertTo("theirs", 1, 2), alertTo("flood", 4, 1, 2)))
		w := r.screen(r.listen(TCP), "lift-1", v5) // reads the SUBACK first
		require.Equal(t, "body of fire 1", w.message().payload)
		require.Equal(t, "body of flood 4", w.message().payload)
		require.Equal(t, message{topic: contract.TopicNow, payload: "manifest 1", retain: true}, w.message())
		w.ping()
	})
}

func TestDeliver_NothingBeforeSubscribe(t *testing.T) {
	r := newRig(t)
	w := r.device(r.listen(TCP), "lift-1", false)
	r.Set(holds("manifest", alertTo("flood", 1, 1)))
	w.ping()
}

func TestDeliver_UpdateReplacesAndNothingIsSentTwice(t *testing.T) {
	r := newRig(t)
	w := r.screen(r.listen(TCP), "lift-1", true)
	first := alertTo("flood", 1, 1)
	r.Set(holds("1", first))
	require.Equal(t, "body of flood 1", w.message().payload)
	require.Equal(t, "1", w.message().payload)

	r.Set(holds("2", first, alertTo("fire", 1, 1)))
	require.Equal(t, "body of fire 1", w.message().payload)
	require.Equal(t, "2", w.message().payload)

	r.Set(holds("3", alertTo("flood", 2, 1)))
	require.Equal(t, "body of flood 2", w.message().payload)
	require.Equal(t, "3", w.message().payload)

	r.Set(holds("4", first, alertTo("flood", 2, 1))) // a revision that comes back
	require.Equal(t, "4", w.message().payload)
	w.subscribe(ownFilterOf("lift-1"))
	w.ping()
}

func TestDeliver_ReconnectedDeviceGetsWhatHoldsThen(t *testing.T) {
	r := newRig(t)
	address := r.listen(TCP)
	r.Set(holds("1", alertTo("flood", 1, 1), alertTo("fire", 1, 1)))
	w := r.screen(address, "lift-1", false)
	require.Equal(t, "body of flood 1", w.message().payload)
	w.Close()
	r.Set(holds("2", alertTo("fire", 2, 1)))
	w = r.screen(address, "lift-1", false)
	require.Equal(t, "body of fire 2", w.message().payload)
	require.Equal(t, "2", w.message().payload)
	w.ping()
}

func TestDeliver_MemberAddedWhileInForce(t *testing.T) {
	r := newRig(t)
	w := r.screen(r.listen(TCP), "lift-1", false)
	r.Set(holds("1", alertTo("flood", 1, 2)))
	require.Equal(t, "1", w.message().payload)
	r.Set(holds("2", alertTo("flood", 1, 1, 2)))
	require.Equal(t, "body of flood 1", w.message().payload)
	require.Equal(t, "2", w.message().payload)
}

func TestDeliver_WindowIsTheSmallerOfOursAndReceiveMaximum(t *testing.T) {
	for name, test := range map[string]struct {
		receiveMax uint16
		want       int
	}{"receive maximum": {2, 2}, "ours": {1000, 16}} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			w := r.screen(r.listen(TCP), "lift-1", true, func(f *connectFields) { f.props.ReceiveMaximum = &test.receiveMax })
			now := holds("manifest")
			for i := range 20 {
				now.Active = append(now.Active, alertTo(string(rune('a'+i)), 1, 1))
			}
			r.Set(now)
			var ids []uint16
			for range test.want {
				ids = append(ids, w.message().id)
			}
			require.Equal(t, "manifest", w.message().payload)
			w.ping() // no more than the window
			for range 20 - test.want {
				w.send(w.ackPacket(packet.KindPuback, ids[0]))
				m := w.message()
				require.NotContains(t, ids[1:], m.id)
				ids = append(ids[1:], m.id)
			}
			w.ping()
		})
	}
}

func TestDeliver_PacketIdsOfBothSidesAreSeparate(t *testing.T) {
	bothVersions(t, func(t *testing.T, v5 bool) {
		r := newRig(t)
		w := r.screen(r.listen(TCP), "lift-1", v5)
		r.Set(holds("manifest", alertTo("flood", 1, 1)))
		body := w.message()
		w.message()
		// The device uses the id of the alert in flight for everything of its own.
		w.send(subscribePacket(v5, body.id, contract.TopicKeys))
		require.Equal(t, byte(packet.KindSuback), w.next().kind)
		require.Equal(t, "key ring", w.message().payload)
		w.send(publishPacket(v5, 1, body.id, contract.TopicState("lift-1"), `{"state":"ready","session":1}`))
		w.expect([]byte{0x40, 2, 0, byte(body.id)})
		w.send(publishPacket(v5, 2, body.id, contract.TopicState("lift-1"), `{"state":"ready","session":1}`))
		w.expect([]byte{0x50, 2, 0, byte(body.id)})
		w.send([]byte{0x62, 2, 0, byte(body.id)})
		w.expect([]byte{0x70, 2, 0, byte(body.id)})
		require.Zero(t, r.receipts.count(), "no false receipt")
		w.send(w.ackPacket(packet.KindPuback, body.id))
		r.receipts.awaitRung(t, 1, receipt.Delivered)
	})
}

func TestDeliver_OnlyWhatIsInFlightCanBeAcknowledged(t *testing.T) {
	r := newRig(t)
	w := r.screen(r.listen(TCP), "lift-1", true)
	r.Set(holds("manifest", alertTo("flood", 1, 1)))
	body := w.message()
	w.message()
	w.send(w.ackPacket(packet.KindPuback, body.id+1))
	w.ping()
	w.ping()
	require.Zero(t, r.receipts.count())
	w.send(append(w.ackPacket(packet.KindPuback, body.id), w.ackPacket(packet.KindPuback, body.id)...))
	r.receipts.awaitRung(t, 1, receipt.Delivered)
	w.send([]byte{0xE0, 0})
	r.hooks.awaitTold(t, "lift-1 up false")
	require.Equal(t, 1, r.receipts.count())
}

func TestDeliver_PubackWithErrorIsNotDelivered(t *testing.T) {
	r := newRig(t)
	w := r.screen(r.listen(TCP), "lift-1", true)
	r.Set(holds("manifest", alertTo("flood", 1, 1)))
	body := w.message()
	w.send([]byte{0x40, 3, 0, byte(body.id), 0x97})
	require.Equal(t, "device answered with reason 0x97", r.receipts.awaitRung(t, 1, receipt.Failed).Answer)
}

func TestDeliver_BodyOverMaximumPacketSizeIsReportedNotSent(t *testing.T) {
	r := newRig(t)
	limit := uint32(100)
	w := r.screen(r.listen(TCP), "lift-1", true, func(f *connectFields) { f.props.MaximumPacketSize = &limit })
	large := alertTo("flood", 1, 1)
	large.Body = make([]byte, 100)
	r.Set(holds("1", large, alertTo("f", 1, 1)))
	require.Equal(t, "body of f 1", w.message().payload)
	require.Equal(t, "1", w.message().payload)
	r.receipts.awaitRung(t, 1, receipt.Failed)
	r.Set(holds("2", large, alertTo("f", 1, 1)))
	require.Equal(t, "2", w.message().payload)
	require.Equal(t, 1, r.receipts.count(), "reported once")
}

func TestDeliver_QoS0SubscriberIsNotWaitedFor(t *testing.T) {
	r := newRig(t)
	w := r.device(r.listen(TCP), "lift-1", false)
	w.send(framed(0x82, append(appendString([]byte{0, 1}, ownFilterOf("lift-1")), 0)...))
	w.expect([]byte{0x90, 3, 0, 1, 0})
	r.Set(holds("manifest", alertTo("flood", 1, 1)))
	m := w.message()
	require.Equal(t, "body of flood 1", m.payload)
	require.Zero(t, m.qos)
}

func TestDeliver_ManyLargeBodiesReachASlowReader(t *testing.T) {
	r := newRig(t)
	w := r.screen(r.listen(TCP), "lift-1", false)
	now := holds("manifest")
	for i := range 16 {
		d := alertTo(string(rune('a'+i)), 1, 1)
		d.Body = make([]byte, 200_000) // 3.2 MB, more than may be pending
		now.Active = append(now.Active, d)
	}
	r.Set(now)
	s := r.shardOf("lift-1").get("lift-1")
	s.deliverNow(false)
	require.LessOrEqual(t, s.out.Pending(), 256<<10)
	bodies, manifests := 0, 0
	for range 17 {
		if m := w.message(); m.topic == contract.TopicNow {
			manifests++
		} else {
			require.Len(t, m.payload, 200_000)
			bodies++
		}
	}
	require.Equal(t, []int{16, 1}, []int{bodies, manifests})
	w.ping()
}

func TestCommand_ReturnsWhenAcknowledged(t *testing.T) {
	r := newRig(t)
	address := r.listen(TCP)
	ctx := t.Context()
	require.ErrorIs(t, r.Command(ctx, "lift-1", []byte("identify")), ErrNotConnected)
	w := r.device(address, "lift-1", true)
	require.ErrorIs(t, r.Command(ctx, "lift-1", []byte("identify")), ErrNotSubscribed)
	w.subscribe(ownFilterOf("lift-1"))

	outcome := make(chan error, 1)
	command := func() { outcome <- r.Command(ctx, "lift-1", []byte("identify")) }
	go command()
	m := w.message()
	require.Equal(t, message{contract.TopicCommand("lift-1"), "identify", m.id, 1, false}, m)
	w.send(w.ackPacket(packet.KindPuback, m.id))
	require.NoError(t, <-outcome)

	go command()
	w.send([]byte{0x40, 3, 0, byte(w.message().id), 0x83})
	require.ErrorIs(t, <-outcome, ErrRefused)

	go command()
	w.message()
	w.Close()
	require.ErrorIs(t, <-outcome, ErrNotConnected)
	require.Zero(t, r.receipts.count())
}

// Two halves may have taken different messages under one key. When the other one
// turns out to stand, devices that have not begun need it, on this connection too.
func TestDeliver_SendsTheOtherContentOfOneRevision(t *testing.T) {
	r := newRig(t)
	w := r.screen(r.listen(TCP), "lift-1", false)
	mine, theirs := alertTo("flood", 1, 1), alertTo("flood", 1, 1)
	mine.Digest, theirs.Digest, theirs.Body = "mine", "theirs", []byte("their body")
	r.Set(holds("manifest 1", mine))
	require.Equal(t, "body of flood 1", w.message().payload)
	require.Equal(t, "manifest 1", w.message().payload)
	r.Set(holds("manifest 2", theirs))
	require.Equal(t, "their body", w.message().payload)
	require.Equal(t, "manifest 2", w.message().payload)
}

// nextOnSent sets what comes next as soon as the last is written, as a centre does that pushes
// one alert after the other.
type nextOnSent struct {
	*fakeHooks
	mu   sync.Mutex
	next func()
}

func (n *nextOnSent) Sent(alert.ID, alert.Revision, []uint32) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.next()
}

func TestDeliver_AManifestThatWillBeReplacedWaitsForTheBodies(t *testing.T) {
	const alerts = 20
	hooks := &nextOnSent{fakeHooks: &fakeHooks{news: newNews()}}
	r := newRig(t, func(o *Options) { o.Hooks = hooks })
	active := []channels.Delivery{alertTo("flood-0", 1, 1)}
	hooks.next = func() {
		if len(active) < alerts {
			active = append(slices.Clone(active), alertTo(fmt.Sprintf("flood-%d", len(active)), 1, 1))
			r.Set(holds(fmt.Sprintf("manifest of %d: %5000d", len(active), 0), active...))
		}
	}
	w := r.device(r.listen(TCP), "lift-1", false)
	// At QoS 0, so that no PUBACK sends beside the worker.
	w.send(framed(0x82, append(appendString(append(appendString([]byte{0, 1}, contract.TopicNow), 0), ownFilterOf("lift-1")), 0)...))
	w.expect([]byte{0x90, 4, 0, 1, 0, 0})
	r.Set(holds(fmt.Sprintf("manifest of 1: %5000d", 0), active...))
	bodies, manifests := 0, 0
	for newest := false; !newest || bodies < alerts; {
		m := w.message()
		if m.topic == contract.TopicNow {
			manifests++
			newest = newest || strings.HasPrefix(m.payload, fmt.Sprintf("manifest of %d:", alerts))
		} else {
			bodies++
		}
	}
	require.LessOrEqual(t, manifests, alerts/mostBodies+2, "the device was written to for what was replaced already")
}

func TestDeliver_APubackBringsNoManifest(t *testing.T) {
	r := newRig(t)
	w := r.screen(r.listen(TCP), "lift-1", false)
	fire := alertTo("fire", 1, 1)
	r.Set(holds("manifest 1", fire))
	body := w.message()
	require.Equal(t, "manifest 1", w.message().payload)
	r.planMu.Lock()
	r.plan.Store(r.planner.Next(r.plan.Load(), holds("manifest 2", fire))) // no worker hears of it yet
	r.planMu.Unlock()
	w.send(w.ackPacket(packet.KindPuback, body.id))
	r.receipts.awaitRung(t, 1, receipt.Delivered)
	w.ping() // the next packet is its answer
}
