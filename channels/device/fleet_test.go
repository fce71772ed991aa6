package device

import (
	"context"
	"net"
	"runtime"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"almenara/channels"
	"almenara/channels/contract"
	"almenara/channels/mqtt"
)

// newFleet makes a fleet of n devices that know the towers, the odd ones trying
// the second tower first.
func newFleet(t testing.TB, n int, towers ...*tower) *Fleet {
	var o FleetOptions
	for i := range n {
		device := options(i+1, towers...)
		device.FirstServer = i
		o.Devices = append(o.Devices, device)
	}
	o.PerSecond = 2000
	f, err := NewFleet(o)
	require.NoError(t, err)
	t.Cleanup(f.Stop)
	return f
}

func everyone(n int) []uint32 {
	members := make([]uint32, n)
	for i := range members {
		members[i] = uint32(i + 1)
	}
	return members
}

func TestFleet_AllProveOnceAlsoWhenANodeDies(t *testing.T) {
	const size = 40
	a, b := newTower(t, 1, mqtt.TCP), newTower(t, 2, mqtt.TCP)
	it, keys := fire(everyone(size)...), ringOf(t, time.Now(), 1, 2)
	f := newFleet(t, size, a, b)
	f.Start()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	require.NoError(t, f.Wait(ctx, func(p Progress) bool { return p.Connected == size }))

	for _, tw := range []*tower{a, b} {
		require.NoError(t, tw.dispatch.Set(channels.Situation{Keys: keys, InForce: []channels.Item{it}}))
	}
	key := revisionOf(it)
	require.NoError(t, f.Wait(ctx, func(p Progress) bool { return p.Alerts[key].Started > size/2 }))
	a.stop()
	require.NoError(t, f.Wait(ctx, func(p Progress) bool { return p.Alerts[key].Proven == size && p.Connected == size }))

	p := f.Progress()
	require.Equal(t, size, p.Alerts[key].Started)
	require.Zero(t, p.Alerts[key].Twice)
	require.Zero(t, p.Alerts[key].Stopped)
	require.Equal(t, size, p.Started)
	for _, d := range f.Devices() {
		require.Equal(t, 1, d.Tally(key).Starts, d.ID())
	}
	f.Stop()
	require.Zero(t, f.Progress().Connected)
}

func TestFleet_StopLeavesNothingRunning(t *testing.T) {
	tw := newTower(t, 1, mqtt.TCP)
	before := runtime.NumGoroutine()
	f := newFleet(t, 20, tw)
	f.Start()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	require.NoError(t, f.Wait(ctx, func(p Progress) bool { return p.Connected == 20 }))
	f.Stop()
	// One goroutine is the one that asks.
	soon(t, func() bool { return runtime.NumGoroutine() <= before+1 }, "goroutines are gone")
}

func TestFleet_WaitSaysHowFarItGot(t *testing.T) {
	f := newFleet(t, 1, &tower{url: "tcp://127.0.0.1:1"})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	err := f.Wait(ctx, func(p Progress) bool { return p.Connected > 0 })
	require.ErrorIs(t, err, ErrNotReached)
	require.ErrorIs(t, err, context.Canceled)
	f.Stop()
	f.Start()
	require.Zero(t, f.Progress().Started, "no start after Stop")
}

// However many devices come at once, few of them connect at a time.
func TestFleet_ConnectsFewAtATime(t *testing.T) {
	const size = 5*connectsAtOnce + 8
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	tw := newTower(t, 1, mqtt.TCP)
	var now, most atomic.Int32
	inside := make(chan chan struct{})
	tw.letIn = func() { // as a busy node does: as many as may come at once are let in together
		n := now.Add(1)
		defer now.Add(-1)
		for was := most.Load(); n > was && !most.CompareAndSwap(was, n); was = most.Load() {
		}
		next := make(chan struct{})
		select {
		case inside <- next:
		case <-ctx.Done():
			return
		}
		select {
		case <-next:
		case <-ctx.Done():
		}
	}
	go func() {
		var held []chan struct{}
		for came := 1; ; came++ {
			select {
			case next := <-inside:
				if held = append(held, next); len(held) < connectsAtOnce && came < size {
					continue
				}
				for _, one := range held {
					close(one)
				}
				held = nil
			case <-ctx.Done():
				return
			}
		}
	}()
	var o FleetOptions
	for i := range size {
		o.Devices = append(o.Devices, options(i+1, tw))
	}
	o.PerSecond = 1e6
	f, err := NewFleet(o)
	require.NoError(t, err)
	t.Cleanup(f.Stop)
	f.Start()
	require.NoError(t, f.Wait(ctx, func(p Progress) bool { return p.Connected == size }))
	require.Equal(t, int32(connectsAtOnce), most.Load())
}

// Devices that get no answer keep no others waiting.
func TestFleet_WaitsForNoSilentNode(t *testing.T) {
	const size = 2 * connectsAtOnce
	tw := newTower(t, 1, mqtt.TCP)
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer silent.Close()
	var o FleetOptions
	for i := range size {
		device := options(i+1, tw)
		if i < connectsAtOnce {
			device.Servers = []string{"tcp://" + silent.Addr().String()}
		}
		o.Devices = append(o.Devices, device)
	}
	o.PerSecond = 1e6
	f, err := NewFleet(o)
	require.NoError(t, err)
	t.Cleanup(f.Stop)
	f.Start()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	require.NoError(t, f.Wait(ctx, func(p Progress) bool { return p.Connected == size-connectsAtOnce }))
}

// On a busy machine each start takes its time; the fleet is there all the same when it should be.
func TestPaced_MakesUpForWhatIsLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begun, calls := time.Now(), 0
		paced(t.Context(), 1000, 2*time.Millisecond, func(i int) {
			require.Equal(t, calls, i)
			calls++
			time.Sleep(1500 * time.Microsecond)
		})
		require.Equal(t, 1000, calls)
		require.Less(t, time.Since(begun), 2010*time.Millisecond)
		ctx, cancel := context.WithCancel(t.Context())
		paced(ctx, 1000, time.Hour, func(int) { cancel() })
		require.Less(t, time.Since(begun), time.Hour, "it ends with its context")
	})
}

// What a device forges reaches nobody's name but its own: whoever tells on the topic of another
// loses the connection, comes back, and has proven what it got all the same.
func TestForge_TellsInTheNameOfNobodyElse(t *testing.T) {
	tw := newTower(t, 1, mqtt.TCP)
	it := fire(1)
	d := run(t, options(1, tw))
	require.ErrorIs(t, Forge(t.Context(), d, "lift-1", nil), ErrNotConnected)
	require.NoError(t, tw.dispatch.Set(channels.Situation{Keys: ringOf(t, time.Now(), 1), InForce: []channels.Item{it}}))
	soon(t, func() bool { return d.Tally(revisionOf(it)).Proven() }, "it is proven")

	const never = "abcdefghijklmnopqrstuvwxyz"
	forged := contract.Receipt{Alert: never, Revision: 9, Rung: contract.RungAcknowledged, At: time.Now().Add(48 * time.Hour), Seq: 1, Answer: "forged"}
	require.NoError(t, Forge(t.Context(), d, "lift-1", []contract.Receipt{forged, forged}))
	require.Len(t, tw.rungs(never), 2, "a device may tell what it likes of itself")
	require.Error(t, Forge(t.Context(), d, "lift-2", []contract.Receipt{forged}))
	require.Len(t, tw.rungs(never), 2)
	soon(t, saw(d, Disconnected), "the connection was ended")
	soon(t, LocalOf(d).Connected, "it comes back")
	require.NotContains(t, d.Record(), Revision{Alert: never, Revision: 9}, "nothing of it is remembered")
	require.Equal(t, 1, d.Tally(revisionOf(it)).Starts)
}

// BenchmarkFleetMemory reports what one idle connected device costs in this
// process, the gateway's side of the connection included.
func BenchmarkFleetMemory(b *testing.B) {
	const size = 500
	for b.Loop() {
		tw := newTower(b, 1, mqtt.TCP)
		require.NoError(b, tw.dispatch.Set(channels.Situation{Keys: ringOf(b, time.Now(), 1)}))
		before, routines := inUse(), runtime.NumGoroutine()
		f := newFleet(b, size, tw)
		f.Start()
		require.NoError(b, f.Wait(b.Context(), func(p Progress) bool { return p.Connected == size }))
		b.ReportMetric(float64(inUse()-before)/size, "B/device")
		b.ReportMetric(float64(runtime.NumGoroutine()-routines)/size, "goroutines/device")
		f.Stop()
		tw.stop()
	}
}

// inUse is live heap and stacks.
func inUse() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapInuse + m.StackInuse
}
