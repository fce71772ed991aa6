package broker

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/RoaringBitmap/roaring/v2"
	mochi "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/packets"
	"github.com/stretchr/testify/require"

	"almenara/channels"
	"almenara/channels/broker/brokertest"
	"almenara/channels/contract"
	"almenara/channels/device"
	"almenara/storage/alert"
	"almenara/storage/receipt"
)

// patience bounds every wait of these tests.
const patience = 20 * time.Second

// exchange is a general-purpose broker in this process, which can be stopped and
// started again on its port, and which can lose what devices publish.
type exchange struct {
	t      testing.TB
	addr   string
	server *mochi.Server
	lose   atomic.Int32 // so many receipt payloads are acknowledged and thrown away
}

func newExchange(t testing.TB) *exchange {
	x := &exchange{t: t, addr: "127.0.0.1:0"}
	x.start()
	t.Cleanup(x.stop)
	return x
}

func (x *exchange) url() string { return "tcp://" + x.addr }

func (x *exchange) start() {
	o := &mochi.Options{Logger: slog.New(slog.DiscardHandler), Capabilities: mochi.NewDefaultServerCapabilities()}
	x.server = mochi.New(o)
	require.NoError(x.t, x.server.AddHook(&lossy{x: x}, nil))
	var err error
	x.addr, err = brokertest.Listen(x.server, x.addr)
	require.NoError(x.t, err)
	require.NoError(x.t, x.server.Serve())
	x.answers()
}

func (x *exchange) stop() { _ = x.server.Close() }

// lossy lets everybody in, and throws receipts away that it has acknowledged: what a
// broker does that dies before it has handed them on.
type lossy struct {
	mochi.HookBase
	x *exchange
}

func (*lossy) ID() string { return "lossy" }

func (*lossy) Provides(b byte) bool {
	return b == mochi.OnPublish || b == mochi.OnConnectAuthenticate || b == mochi.OnACLCheck
}

func (*lossy) OnConnectAuthenticate(*mochi.Client, packets.Packet) bool { return true }
func (*lossy) OnACLCheck(*mochi.Client, string, bool) bool              { return true }

func (h *lossy) OnPublish(_ *mochi.Client, pk packets.Packet) (packets.Packet, error) {
	topic, _ := contract.ParseDeviceTopic(pk.TopicName)
	if topic.Leaf == contract.LeafReceipt && h.x.lose.Add(-1) >= 0 {
		return pk, packets.CodeSuccessIgnore
	}
	return pk, nil
}

// register is a directory of devices lift-1 to lift-n, whose members are their
// numbers.
type register struct{ n uint32 }

func (r register) Endpoint(id string) (channels.Endpoint, bool) {
	var member uint32
	if _, err := fmt.Sscanf(id, "lift-%d", &member); err != nil || member == 0 || member > r.n {
		return channels.Endpoint{}, false
	}
	return channels.Endpoint{Device: id, Member: member, Kind: "screen", Loud: member%2 == 0}, true
}

func (r register) Devices(members *roaring.Bitmap) iter.Seq[channels.Endpoint] {
	return func(yield func(channels.Endpoint) bool) {
		for i := members.Iterator(); i.HasNext(); {
			m := i.Next()
			if e, ok := r.Endpoint(fmt.Sprintf("lift-%d", m)); ok && !yield(e) {
				return
			}
		}
	}
}

// office is one node as the broker sees it: the real dispatcher over the outlet.
type office struct {
	*Broker
	dispatch *channels.Dispatcher
	elected  atomic.Bool
	stop     func()

	mu      sync.Mutex
	got     []receipt.Receipt
	holding bool
	held    []func(error)
	failing int
}

// newOffice runs a node that signs with the n-th key.
func newOffice(t testing.TB, n byte, x *exchange, elected bool, change ...func(*Options)) *office {
	f := &office{}
	f.elected.Store(elected)
	o := Options{
		URL: x.url(), ClientID: fmt.Sprintf("office-%d", n), Directory: register{1000}, Receipts: f, Elected: f.elected.Load,
		RetryMin: 5 * time.Millisecond, RetryMax: 50 * time.Millisecond, Timeout: 5 * time.Second, Resend: 100 * time.Millisecond,
		Logger: slog.New(slog.NewTextHandler(io.Discard, nil)),
	}
	for _, c := range change {
		c(&o)
	}
	var err error
	f.Broker, err = New(o)
	require.NoError(t, err)
	f.dispatch, err = channels.NewDispatcher(channels.Options{
		Signer: signerOf(n), Node: o.ClientID, Outlets: []channels.Outlet{f.Broker},
	})
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { f.dispatch.Run(ctx) })
	running.Go(func() { f.Run(ctx) })
	f.stop = sync.OnceFunc(func() { cancel(); running.Wait() })
	t.Cleanup(f.stop)
	return f
}

// Take keeps receipts, or holds or refuses them as the test says.
func (f *office) Take(_ channels.Endpoint, rs []receipt.Receipt, done func(error)) {
	f.mu.Lock()
	switch {
	case f.failing > 0:
		f.failing--
		f.mu.Unlock()
		done(fmt.Errorf("disk full"))
		return
	case f.holding:
		f.held = append(f.held, done)
		f.mu.Unlock()
		return
	}
	f.got = append(f.got, rs...)
	f.mu.Unlock()
	done(nil)
}

// proven counts the members that told the rung.
func (f *office) proven(id alert.ID, rung receipt.Rung) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	members := map[uint32]bool{}
	for _, r := range f.got {
		if r.Alert == id && r.Rung == rung {
			members[r.Member] = true
		}
	}
	return len(members)
}

func seedKey(n byte) ed25519.PrivateKey {
	return ed25519.NewKeyFromSeed(bytes.Repeat([]byte{n}, ed25519.SeedSize))
}

func publicOf(key ed25519.PrivateKey) ed25519.PublicKey { return key.Public().(ed25519.PublicKey) }

var rootKey = seedKey(200)

func signerOf(n byte) contract.Signer {
	return contract.Signer{KeyID: contract.KeyID(publicOf(seedKey(n))), Key: seedKey(n)}
}

// ring signs a key ring with the keys 1 to 3.
func ring(t testing.TB) []byte {
	kr := contract.KeyRing{District: "tm", Time: time.Now()}
	for n := byte(1); n <= 3; n++ {
		kr.Keys = append(kr.Keys, contract.NewKey("office", publicOf(seedKey(n)), time.Time{}, time.Time{}))
	}
	jws, err := contract.Signer{KeyID: "root", Key: rootKey}.Sign(kr)
	require.NoError(t, err)
	return jws
}

// fire is an alert for the members 1 to n.
func fire(name string, n int) channels.Item {
	sent := time.Now().Truncate(time.Second)
	m := &alert.Alert{
		Identifier: name, Sender: "duty@tm", Sent: alert.NewDateTime(sent), Status: alert.StatusActual,
		MsgType: alert.MsgTypeAlert, Scope: alert.ScopePublic, Infos: []alert.Info{{
			Language: "en", Event: "Fire", Urgency: "Immediate", Severity: "Extreme", Certainty: "Observed",
			Headline: "Fire in block 3", Instruction: "Leave by the stairs", Expires: alert.NewDateTime(sent.Add(time.Hour)),
		}},
	}
	to := roaring.New()
	to.AddRange(1, uint64(n)+1)
	return channels.Item{
		Alert: m.Key().ID(), Revision: m.Revision(), Digest: "d", Expires: sent.Add(time.Hour), Status: m.Status,
		Message: m, Parts: []channels.Part{{Infos: []int{0}, To: to}},
	}
}

func (f *office) set(t testing.TB, items ...channels.Item) {
	require.NoError(t, f.dispatch.Set(channels.Situation{Keys: ring(t), InForce: items}))
}

// crowd runs n reference devices at the broker.
func crowd(t testing.TB, x *exchange, n int) *device.Fleet {
	var o device.FleetOptions
	for i := range n {
		o.Devices = append(o.Devices, device.Options{
			ID: fmt.Sprintf("lift-%d", i+1), Secret: "secret", Kind: "screen", RootKey: publicOf(rootKey), Servers: []string{x.url()},
			RetryMin: 10 * time.Millisecond, RetryMax: 50 * time.Millisecond, Timeout: 5 * time.Second,
		})
	}
	o.PerSecond = 2000
	f, err := device.NewFleet(o)
	require.NoError(t, err)
	t.Cleanup(f.Stop)
	f.Start()
	return f
}

func reach(t testing.TB, f *device.Fleet, enough func(device.Progress) bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	require.NoError(t, f.Wait(ctx, enough))
}

func soon(t testing.TB, holds func() bool, what string) {
	t.Helper()
	require.Eventually(t, holds, patience, 2*time.Millisecond, what)
}

func keyOf(it channels.Item) device.Revision {
	return device.Revision{Alert: string(it.Alert), Revision: uint64(it.Revision)}
}

func payload(t testing.TB, v any) []byte {
	raw, err := json.Marshal(v)
	require.NoError(t, err)
	return raw
}

func (r register) Here(string) bool { return false }
