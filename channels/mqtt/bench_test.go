//go:build unix

package mqtt

import (
	"fmt"
	"net"
	"runtime"
	"syscall"
	"testing"
	"time"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/stretchr/testify/require"

	"almenara/channels"
	"almenara/channels/contract"
	"almenara/channels/mqtt/packet"
	"almenara/storage/alert"
)

const benchDevices = 1000

// countingHooks counts what was sent, and nothing else.
type countingHooks struct {
	*fakeHooks
	sent chan int
}

func (c *countingHooks) Sent(_ alert.ID, _ alert.Revision, members []uint32) { c.sent <- len(members) }
func (c *countingHooks) Session(channels.Endpoint, bool)                     {}

// cpu is the processor time that this process has used.
func cpu(b testing.TB) time.Duration {
	var u syscall.Rusage
	require.NoError(b, syscall.Getrusage(syscall.RUSAGE_SELF, &u))
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// silence empties what the devices were sent, outside the measured time.
func silence(b testing.TB, devices []net.Conn, each int, scratch []byte) {
	for _, d := range devices {
		for left := each; left > 0; {
			n, err := d.Read(scratch[:min(left, len(scratch))])
			require.NoError(b, err)
			left -= n
		}
	}
}

func benchFanOut(b *testing.B, qos byte) {
	hooks := &countingHooks{sent: make(chan int, benchDevices)}
	r := newRig(b, func(o *Options) {
		o.Hooks = hooks
		o.Limits.MaxInflight = 0xFFFF // nobody acknowledges here
		o.Limits.AckTimeout = time.Hour
	})
	address := r.listen(TCP)
	devices := make([]net.Conn, benchDevices)
	to := roaring.New()
	for i := range devices {
		id := fmt.Sprintf("bulk-%04d", i)
		w := r.device(address, id, false)
		w.send(framed(0x82, append(appendString([]byte{0, 1}, ownFilterOf(id)), qos)...))
		w.expect([]byte{0x90, 3, 0, 1, qos})
		devices[i] = w.Conn
		to.Add(uint32(i))
	}
	scratch := make([]byte, 4096)
	var used time.Duration
	var before, after runtime.MemStats
	var allocated uint64
	b.ResetTimer()
	for i := range b.N {
		b.StopTimer()
		d := alertTo(fmt.Sprint(i), 1)
		d.Body, d.To = make([]byte, 512), to
		now := holds("manifest", d)
		runtime.ReadMemStats(&before)
		start := cpu(b)
		b.StartTimer()
		r.Set(now)
		for n := 0; n < benchDevices; {
			n += <-hooks.sent
		}
		b.StopTimer()
		used += cpu(b) - start
		runtime.ReadMemStats(&after)
		allocated += after.Mallocs - before.Mallocs
		o := packet.Outgoing{Topic: [3]string{"almenara/1/device/bulk-0000/", contract.LeafAlert + "/", string(d.Alert)}, QoS: qos, Payload: d.Body}
		silence(b, devices, o.Size(false), scratch)
	}
	report(b, used, allocated)
}

func report(b *testing.B, used time.Duration, allocated uint64) {
	deliveries := float64(b.N * benchDevices)
	b.ReportMetric(float64(used.Nanoseconds())/deliveries, "cpu-ns/delivery")
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/deliveries, "ns/delivery")
	b.ReportMetric(float64(allocated)/deliveries, "allocs/delivery")
	b.ReportMetric(0, "ns/op")
}

func BenchmarkFanOut_QoS0(b *testing.B) { benchFanOut(b, 0) }
func BenchmarkFanOut_QoS1(b *testing.B) { benchFanOut(b, 1) }

// BenchmarkFanOut_BareWrites is the floor: a ready frame, one write per device.
func BenchmarkFanOut_BareWrites(b *testing.B) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(b, err)
	defer ln.Close()
	devices, ours := make([]net.Conn, benchDevices), make([]net.Conn, benchDevices)
	for i := range devices {
		devices[i], err = net.Dial("tcp", ln.Addr().String())
		require.NoError(b, err)
		defer devices[i].Close()
		ours[i], err = ln.Accept()
		require.NoError(b, err)
		defer ours[i].Close()
	}
	frame := publishPacket(false, 1, 1, "almenara/1/device/bulk-0000/alert/abcdefghijklmnopqrstuvwxyz", string(make([]byte, 512)))
	scratch := make([]byte, 4096)
	var used time.Duration
	b.ResetTimer()
	for range b.N {
		start := cpu(b)
		b.StartTimer()
		for _, c := range ours {
			_, _ = c.Write(frame)
		}
		b.StopTimer()
		used += cpu(b) - start
		silence(b, devices, len(frame), scratch)
	}
	report(b, used, 0)
}

// BenchmarkReceipts is one QoS 1 receipt of each device: read, parsed, taken,
// acknowledged.
func BenchmarkReceipts(b *testing.B) {
	r := newRig(b)
	address := r.listen(TCP)
	devices, packets := make([]net.Conn, benchDevices), make([][]byte, benchDevices)
	for i := range devices {
		id := fmt.Sprintf("bulk-%04d", i)
		devices[i] = r.device(address, id, false).Conn
		packets[i] = publishPacket(false, 1, 1, "almenara/1/device/"+id+"/receipt", receiptsJSON("presented", "flood"))
	}
	scratch := make([]byte, 4096)
	var used time.Duration
	b.ResetTimer()
	for range b.N {
		start := cpu(b)
		for i, d := range devices {
			_, _ = d.Write(packets[i])
		}
		silence(b, devices, 4, scratch)
		used += cpu(b) - start
	}
	report(b, used, 0) // the devices' own work included
}

// BenchmarkIdleConnection reports the live memory of a connection. The devices are
// bare sockets, so that only the gateway's side counts.
func BenchmarkIdleConnection(b *testing.B) {
	r := newRig(b)
	addr, err := r.Listen("127.0.0.1:0", TCP)
	require.NoError(b, err)
	at := &syscall.SockaddrInet4{Port: addr.(*net.TCPAddr).Port, Addr: [4]byte{127, 0, 0, 1}}
	before := live()
	for i := range benchDevices {
		id := fmt.Sprintf("bulk-%04d", i)
		fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM, 0)
		require.NoError(b, err)
		defer syscall.Close(fd)
		require.NoError(b, syscall.Connect(fd, at))
		converse(b, fd, connectPacket(id, false), 4)
		converse(b, fd, subscribePacket(false, 1, ownFilterOf(id)), 5)
	}
	for range 4 { // stacks shrink by half with each collection
		runtime.GC()
	}
	b.ReportMetric(float64(live()-before)/benchDevices, "bytes/connection")
	b.ReportMetric(0, "ns/op")
}

func converse(b testing.TB, fd int, request []byte, answer int) {
	_, err := syscall.Write(fd, request)
	require.NoError(b, err)
	n, err := syscall.Read(fd, make([]byte, answer))
	require.NoError(b, err)
	require.Equal(b, answer, n)
}

// live is heap and stacks in use after a collection.
func live() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc + m.StackInuse
}
