package mqtt

import (
	"bytes"
	"io"
	"net"
	"os"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"almenara/channels/contract"
)

// FuzzConnection sends arbitrary bytes over real sockets to one gateway that lives on:
// before CONNECT or after it, in two pieces. Whatever they are, the connection ends
// when the sender is done, another device is served meanwhile, nobody speaks for it,
// and in the end neither connections nor goroutines nor descriptors are left over.
func FuzzConnection(f *testing.F) {
	own := ownFilterOf("lift-1")
	for _, v5 := range []bool{false, true} {
		hello := connectPacket("lift-1", v5)
		f.Add(false, v5, 5, append(hello, subscribePacket(v5, 1, contract.TopicNow, own)...))
		f.Add(false, v5, 300, append(hello, hello...))
		f.Add(true, v5, 9, append(subscribePacket(v5, 1, own), 0x40, 2, 0, 1, 0xC0, 0, 0xE0, 0))
		f.Add(true, v5, 30, append(publishPacket(v5, 2, 1, receiptTopic, receiptsJSON("presented", "flood")), 0x62, 2, 0, 1))
		f.Add(true, v5, 0, publishPacket(v5, 1, 1, contract.TopicState("speaker-3"), readyState))
		f.Add(true, v5, 3, framed(0xA2, appendString(subscribePacket(v5, 9)[2:], own)...))
	}
	f.Add(true, true, 2, []byte{0x82, 5, 0, 1, 0, 0, 0})
	f.Add(false, true, 1, []byte{0x10, 0xFF, 0xFF, 0xFF, 0x7F})

	before := descriptors() + runtime.NumGoroutine()
	r := newRig(f, func(o *Options) { o.Limits.AcceptPerSecond, o.Limits.AcceptBurst = 1e6, 1e6 })
	address := r.listen(TCP)
	r.Set(holds("manifest", alertTo("flood", 1, 1)))
	other := r.device(address, "speaker-3", false, func(c *connectFields) { c.keepAlive = 0 }) // workers alone ping
	during := descriptors() + runtime.NumGoroutine()
	f.Cleanup(func() {
		require.Eventually(f, func() bool {
			return len(r.accept.Conns()) == 1 && r.Sessions() == 1 && descriptors()+runtime.NumGoroutine() <= during+2
		}, patience, time.Millisecond, "something is left over")
		require.Zero(f, counterValue(r.metrics.Panics))
		other.Close()
		r.stop()
		require.Eventually(f, func() bool { return descriptors()+runtime.NumGoroutine() <= before+2 }, patience, time.Millisecond)
	})
	f.Fuzz(func(t *testing.T, connected, v5 bool, split int, b []byte) {
		if bytes.Contains(b, []byte(secretOf("speaker-3"))) {
			return // who knows the secret is the device
		}
		conn, err := net.Dial("tcp", address)
		require.NoError(t, err)
		defer conn.Close()
		if connected {
			b = append(connectPacket("lift-1", v5), b...)
		}
		split = min(max(split, 0), len(b))
		_, _ = conn.Write(b[:split])
		bystander := &wire{Conn: other.Conn, t: t}
		bystander.ping()
		_, _ = conn.Write(b[split:]) // it may be closed by now
		require.NoError(t, conn.SetReadDeadline(time.Now().Add(patience)))
		_ = conn.(*net.TCPConn).CloseWrite()
		_, err = io.Copy(io.Discard, conn)
		require.False(t, err != nil && isTimeout(err), "connection is still open")
		bystander.ping()
		r.receipts.tell(func() {
			for _, got := range r.receipts.taken {
				require.Equal(t, uint32(1), got.Member)
			}
			r.receipts.taken = nil
		})
	})
}

// descriptors counts those of this process; 0 where the system does not tell.
func descriptors() int {
	open, _ := os.ReadDir("/proc/self/fd")
	return len(open)
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
		r.Set(holds("manifest", alertTo("flood", 1, 1)))
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
		require.Zero(t, counterValue(r.metrics.Panics))
	})
}
