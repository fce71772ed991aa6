package device

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/stretchr/testify/require"

	"almenara/channels"
	"almenara/channels/contract"
	"almenara/channels/mqtt"
	"almenara/storage/alert"
	"almenara/storage/receipt"
)

// patience bounds every wait of these tests.
const patience = 10 * time.Second

func seedKey(n byte) ed25519.PrivateKey {
	seed := make([]byte, ed25519.SeedSize)
	seed[0] = n
	return ed25519.NewKeyFromSeed(seed)
}

func publicOf(key ed25519.PrivateKey) ed25519.PublicKey { return key.Public().(ed25519.PublicKey) }

var rootKey = seedKey(200)

// tower is one node as devices see it: the real gateway and the real dispatcher.
type tower struct {
	t        testing.TB
	gateway  *mqtt.Gateway
	dispatch *channels.Dispatcher
	url      string
	stop     context.CancelFunc
	done     chan struct{}

	letIn    func() // called while a device is let in; nil: nothing
	mu       sync.Mutex
	got      []receipt.Receipt
	refuse   bool // receipts cannot be made durable
	state    contract.State
	arrivals chan struct{}
}

// newTower runs a node that signs with the n-th key.
func newTower(t testing.TB, n byte, transport mqtt.Transport) *tower {
	tw := &tower{t: t, done: make(chan struct{}), arrivals: make(chan struct{}, 1)}
	var err error
	tw.gateway, err = mqtt.New(mqtt.Options{
		Auth: tw, Receipts: tw, Hooks: tw, Logger: slog.New(slog.NewTextHandler(io.Discard, nil)),
	})
	require.NoError(t, err)
	addr, err := tw.gateway.Listen("127.0.0.1:0", transport)
	require.NoError(t, err)
	scheme := map[mqtt.Transport]string{mqtt.TCP: "tcp", mqtt.WS: "ws"}[transport]
	tw.url = scheme + "://" + addr.String()
	tw.dispatch, err = channels.NewDispatcher(channels.Options{
		Signer: signerOf(n), Node: fmt.Sprintf("tower-%d", n), Outlets: []channels.Outlet{tw.gateway},
	})
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	tw.stop = sync.OnceFunc(func() { tw.halt(cancel) })
	go func() { defer close(tw.done); tw.dispatch.Run(ctx) }()
	t.Cleanup(tw.stop)
	return tw
}

// State implements mqtt.Hooks: it keeps what the device said last of itself.
func (tw *tower) State(_ channels.Endpoint, s contract.State) {
	tw.mu.Lock()
	defer tw.mu.Unlock()
	tw.state = s
}

func (tw *tower) said() contract.State {
	tw.mu.Lock()
	defer tw.mu.Unlock()
	return tw.state
}

// Session, Report and Sent implement mqtt.Hooks.
func (*tower) Session(channels.Endpoint, bool)                                 {}
func (*tower) Report(_ channels.Endpoint, _ contract.Report, done func(error)) { done(nil) }
func (*tower) Sent(alert.ID, alert.Revision, []uint32)                         {}

func signerOf(n byte) contract.Signer {
	return contract.Signer{KeyID: contract.KeyID(publicOf(seedKey(n))), Key: seedKey(n)}
}

func (tw *tower) halt(cancel context.CancelFunc) {
	cancel()
	<-tw.done
	ctx, end := context.WithTimeout(context.Background(), patience)
	defer end()
	require.NoError(tw.t, tw.gateway.Stop(ctx))
}

// Authenticate lets every device in; its member is the number in its name.
func (tw *tower) Authenticate(_ context.Context, id, secret string) (channels.Endpoint, error) {
	var member uint32
	if tw.letIn != nil {
		tw.letIn()
	}
	if _, err := fmt.Sscanf(id, "lift-%d", &member); err != nil || secret != "secret" {
		return channels.Endpoint{}, mqtt.ErrCredential
	}
	return channels.Endpoint{Device: id, Member: member, Kind: "screen", Loud: true}, nil
}

// Take keeps receipts, unless the tower cannot.
func (tw *tower) Take(_ channels.Endpoint, rs []receipt.Receipt, done func(error)) {
	tw.mu.Lock()
	refuse := tw.refuse
	if !refuse {
		tw.got = append(tw.got, rs...)
	}
	tw.mu.Unlock()
	if refuse {
		done(errors.New("disk full"))
		return
	}
	done(nil)
}

func (tw *tower) refuseReceipts(refuse bool) {
	tw.mu.Lock()
	defer tw.mu.Unlock()
	tw.refuse = refuse
}

func (tw *tower) rungs(id alert.ID) []receipt.Rung {
	tw.mu.Lock()
	defer tw.mu.Unlock()
	var rungs []receipt.Rung
	for _, r := range tw.got {
		if r.Alert == id && r.Rung != receipt.Sent {
			rungs = append(rungs, r.Rung)
		}
	}
	return rungs
}

// ringOf signs the district's key ring for the nodes ns.
func ringOf(t testing.TB, at time.Time, ns ...byte) []byte {
	kr := contract.KeyRing{District: "tm", Time: at}
	for _, n := range ns {
		kr.Keys = append(kr.Keys, contract.NewKey("tower", publicOf(seedKey(n)), time.Time{}, time.Time{}))
	}
	jws, err := contract.Signer{KeyID: "root", Key: rootKey}.Sign(kr)
	require.NoError(t, err)
	return jws
}

// fire is an alert for the members given.
func fire(members ...uint32) channels.Item {
	sent := time.Now().Truncate(time.Second)
	m := &alert.Alert{
		Identifier: "fire", Sender: "duty@tm", Sent: alert.NewDateTime(sent), Status: alert.StatusActual,
		MsgType: alert.MsgTypeAlert, Scope: alert.ScopePublic, Infos: []alert.Info{{
			Language: "en", Event: "Fire", Urgency: "Immediate", Severity: "Extreme", Certainty: "Observed",
			Headline: "Fire in block 3", Instruction: "Leave by the stairs", Expires: alert.NewDateTime(sent.Add(time.Hour)),
		}},
	}
	return channels.Item{
		Alert: m.Key().ID(), Revision: m.Revision(), Digest: "d", Expires: sent.Add(time.Hour), Status: m.Status,
		Message: m, Parts: []channels.Part{{Infos: []int{0}, To: roaring.BitmapOf(members...)}},
	}
}

func revisionOf(it channels.Item) Revision {
	return Revision{Alert: string(it.Alert), Revision: uint64(it.Revision)}
}

// options of one device that knows the towers given.
func options(n int, towers ...*tower) Options {
	o := Options{
		ID: fmt.Sprintf("lift-%d", n), Secret: "secret", Kind: "screen", RootKey: publicOf(rootKey),
		RetryMin: 10 * time.Millisecond, RetryMax: 50 * time.Millisecond, Timeout: 2 * time.Second,
	}
	for _, tw := range towers {
		o.Servers = append(o.Servers, tw.url)
	}
	return o
}

// run starts a device and stops it when the test ends.
func run(t testing.TB, o Options) *Device {
	d, err := New(o)
	require.NoError(t, err)
	require.NoError(t, d.Start())
	t.Cleanup(d.Stop)
	return d
}

// soon waits until a condition holds.
func soon(t testing.TB, holds func() bool, what string) {
	t.Helper()
	require.Eventually(t, holds, patience, 2*time.Millisecond, what)
}

// saw reports whether an event is in the device's log.
func saw(d *Device, what What) func() bool {
	return func() bool {
		for _, e := range d.Log() {
			if e.What == what {
				return true
			}
		}
		return false
	}
}
