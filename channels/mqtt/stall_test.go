package mqtt

import (
	"fmt"
	"net"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"almenara/channels"
	"almenara/channels/channeltest"
	"almenara/channels/contract"
	"almenara/channels/mqtt/packet"
	"almenara/storage/receipt"
)

// stalled connects a device that takes every alert and never reads, and sends it
// so much that bytes are pending.
func (r *rig) stalled(address, id string) *wire {
	r.t.Helper()
	w := r.dial(address)
	require.NoError(r.t, w.Conn.(*net.TCPConn).SetReadBuffer(4096))
	w.connect(id)
	w.subscribe(ownFilterOf(id))
	s := r.shardOf(id).get(id)
	for i := range 16 {
		d := alertTo(fmt.Sprintf("filler for %s %d", id, i), 1, members[id])
		d.Body = make([]byte, 1<<20)
		r.Set(holds(fmt.Sprint(i), d))
		s.deliverNow(false)
		if s.out.Pending() > 0 {
			return w
		}
	}
	require.FailNow(r.t, "the device took everything")
	return nil
}

func TestStall_OneDeviceDelaysNoOther(t *testing.T) {
	r := newRig(t)
	address := r.listen(TCP)
	r.stalled(address, "lift-1")
	others := []*wire{r.screen(address, "lift-2", false), r.screen(address, "speaker-3", true)}
	for i := range 20 {
		begin := time.Now()
		r.Set(holds(fmt.Sprint("manifest ", i), alertTo(fmt.Sprint(i), 1, 1, 2, 3)))
		require.Less(t, time.Since(begin), 100*time.Millisecond, "Set waits for nobody")
		for _, w := range others {
			for m := w.message(); m.topic != contract.TopicNow || m.payload != fmt.Sprint("manifest ", i); m = w.message() {
				if m.qos > 0 {
					w.send(w.ackPacket(packet.KindPuback, m.id))
				}
			}
			require.Less(t, time.Since(begin), 500*time.Millisecond)
		}
	}
}

func TestStall_TakeoverOfAStalledSessionIsImmediate(t *testing.T) {
	r := newRig(t)
	address := r.listen(TCP)
	r.stalled(address, "lift-1")
	begin := time.Now()
	w := r.device(address, "lift-1", true)
	require.Less(t, time.Since(begin), 500*time.Millisecond)
	w.ping()
}

func TestStall_PendingBytesAreBounded(t *testing.T) {
	r := newRig(t, func(o *Options) { o.Limits.PendingBytes = 4096 })
	address := r.listen(TCP)
	w := r.stalled(address, "lift-1")
	for range 10_000 { // each asks for an answer that nobody reads
		if _, err := w.Write([]byte{packet.KindPingreq << 4, 0, packet.KindPingreq << 4, 0}); err != nil {
			break
		}
	}
	r.hooks.awaitTold(t, "lift-1 up false")
}

func TestStall_PendingDeviceGetsWhatHoldsNotTheBacklog(t *testing.T) {
	r := newRig(t)
	address := r.listen(TCP)
	w := r.device(address, "lift-1", false)
	w.subscribe(contract.TopicNow)
	s := r.shardOf("lift-1").get("lift-1")
	large := make([]byte, 1<<20)
	manifests := 0
	for i := range 40 {
		large[0] = byte(i)
		r.Set(&channels.Now{Listings: channeltest.ToAll(slices.Clone(large))})
		s.deliverNow(false)
	}
	for {
		m := w.message()
		manifests++
		if m.payload[0] == 39 {
			break
		}
	}
	require.Less(t, manifests, 20, "manifests that were replaced meanwhile are not sent")
}

func TestAckTimeout_EndsTheSessionAndReconnectResends(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		w := r.pipe()
		w.connect("lift-1", func(f *connectFields) { f.keepAlive = 600 })
		w.subscribe(ownFilterOf("lift-1"))
		r.Set(holds("manifest", alertTo("flood", 1, 1)))
		begin := time.Now()
		require.Equal(t, "body of flood 1", w.message().payload)
		_ = w.SetReadDeadline(time.Time{})
		_, err := w.Conn.Read(make([]byte, 1))
		require.Error(t, err)
		require.InDelta(t, 20, time.Since(begin).Seconds(), 1.1)
		w = r.pipe()
		w.connect("lift-1")
		w.subscribe(ownFilterOf("lift-1"))
		m := w.message()
		require.Equal(t, "body of flood 1", m.payload)
		w.send(w.ackPacket(packet.KindPuback, m.id))
		r.receipts.awaitRung(t, 1, receipt.Delivered)
		time.Sleep(time.Minute - time.Second)
		w.ping()
		r.stop()
	})
}

func TestStall_DeviceThatTakesNothingIsClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		w := r.pipe()
		w.connect("lift-1", func(f *connectFields) { f.keepAlive = 600 })
		w.subscribe(contract.TopicNow)
		r.Set(holds("manifest")) // QoS 0: no PUBACK is waited for
		time.Sleep(20*time.Second - time.Millisecond)
		require.NotContains(t, r.hooks.all(), "lift-1 up false")
		time.Sleep(2 * time.Millisecond)
		synctest.Wait()
		require.Contains(t, r.hooks.all(), "lift-1 up false")
		r.stop()
	})
}

func TestClose_PendingBytesGetALastSecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		wrong := connectPacket("lift-1", false, func(f *connectFields) { f.password = "guess" })
		r := newRig(t)
		w := r.pipe()
		w.send(wrong)
		time.Sleep(500 * time.Millisecond)
		w.expect([]byte{0x20, 2, 0, 4})
		r.pipe().send(wrong)
		synctest.Wait()
		begin := time.Now()
		r.stop() // the refusal is never read
		require.Equal(t, time.Second, time.Since(begin))
	})
}

func TestPaused_DeviceIsNotBlamedForWaitingReceipts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, func(o *Options) { o.Limits.MaxTaking = 1 })
		w := r.pipe()
		w.connect("lift-1", func(f *connectFields) { f.keepAlive = 10 })
		w.subscribe(ownFilterOf("lift-1"))
		r.Set(holds("manifest", alertTo("flood", 1, 1)))
		body := w.message()
		r.receipts.tell(func() { r.receipts.hold = true })
		w.send(publishPacket(false, 1, 1, receiptTopic, receiptsJSON("verified", "flood")))
		w.send(publishPacket(false, 1, 2, receiptTopic, receiptsJSON("presented", "flood")))
		time.Sleep(time.Hour)
		r.receipts.tell(func() { r.receipts.hold = false })
		r.receipts.dones[0](nil)
		w.expect([]byte{0x40, 2, 0, 1})
		w.expect([]byte{0x40, 2, 0, 2})
		time.Sleep(5 * time.Second)
		w.send(w.ackPacket(packet.KindPuback, body.id))
		w.ping()
		r.receipts.awaitRung(t, 1, receipt.Delivered)
		r.stop()
	})
}
