// Package mqtt is the device gateway: an MQTT server for the device contract of
// almenara/channels/contract, and nothing more general. Devices speak MQTT 3.1.1
// or 5 over TCP, TLS or WebSocket; what a device lacks is computed from what holds
// now, and nothing is routed from device to device. DESIGN.md says what is served,
// what is refused, and why.
package mqtt

import (
	"context"
	"fmt"
	"hash/maphash"
	"log/slog"
	"net"
	"net/http"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"almenara/channels"
	"almenara/channels/mqtt/accept"
	"almenara/channels/mqtt/delivery"
	"almenara/channels/mqtt/metrics"
	"almenara/channels/mqtt/nonblocking"
	"almenara/channels/mqtt/packet"
	"almenara/channels/mqtt/poller"
	"almenara/channels/receipts"
	"almenara/channels/signal"
	"almenara/storage/loglimit"
	"almenara/storage/receipt"
)

// What belongs to accepting connections, under the names that users of a gateway know.
type (
	// Transport says what is below MQTT on a listener.
	Transport = accept.Transport
	// Conns bounds the connections that are open at a time, beside Limits.
	Conns = accept.Conns
)

// The transports. The same rules hold on all of them.
const (
	TCP = accept.TCP
	TLS = accept.TLS
	WS  = accept.WS // WebSocket, subprotocol mqtt, at any path
	WSS = accept.WSS
)

// ErrStopped is returned by Serve and Listen after Stop.
var ErrStopped = accept.ErrStopped

// warningsPerSecond bounds what devices can make the gateway write into its log:
// one that publishes nonsense as fast as it can would fill the disk. The metrics
// count everything.
const warningsPerSecond = 10

// Gateway serves devices. Its methods may be called from any goroutine.
//
// Lock order: order stripe, planMu, shard.mu, session.mu, the connection's, mu. Receipts,
// Hooks.Report and Hooks.Sent are called with none of them held, Hooks.Session and
// Hooks.State with the order stripe of the device only.
type Gateway struct {
	auth     Auth
	receipts channels.Receipts
	hooks    Hooks
	limits   Limits
	log      *slog.Logger
	metrics  *metrics.Counters
	accept   *accept.Server
	extra    extra // nil in products

	warnings loglimit.Lines

	clock     *delivery.Clock
	seed      maphash.Seed
	shards    []*shard
	order     [64]sync.Mutex // by device: keeps Session and State of one device in order
	scratches sync.Pool
	ackLists  sync.Pool   // of *[]receipt.Receipt
	ownDone   func(error) // ends receipts that no device waits for
	lastReads *nonblocking.LastReads

	plan    atomic.Pointer[delivery.Plan]
	planMu  sync.Mutex        // one Set at a time
	planner *delivery.Planner // guarded by planMu

	ctx    context.Context // ends when Stop is called
	cancel context.CancelFunc
	wg     sync.WaitGroup // every goroutine
	idle   chan struct{}  // closed when wg is done after Stop

	mu      sync.Mutex // guards what follows
	stopped bool
	pollers []*poller.Poller // one per core, from the first plain TCP listener on
}

// New makes a gateway that serves no address yet. Stop ends its goroutines.
func New(o Options) (*Gateway, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	g := &Gateway{
		auth: o.Auth, receipts: o.Receipts, hooks: o.Hooks, limits: o.Limits.withDefaults(), warnings: loglimit.Lines{Most: warningsPerSecond, Per: time.Second},
		log: o.Logger, seed: maphash.MakeSeed(), idle: make(chan struct{}),
	}
	if o.Clock == nil {
		o.Clock = time.Now
	}
	if g.log == nil {
		g.log = slog.Default()
	}
	g.log = g.log.With("component", "mqtt")
	g.clock = delivery.NewClock(time.Now(), o.Clock)
	g.ctx, g.cancel = context.WithCancel(context.Background())
	var err error
	if g.metrics, err = metrics.New(o.Registry); err == nil {
		g.accept, err = g.newServer(o)
	}
	if err != nil {
		g.cancel()
		return nil, err
	}
	g.scratches.New = func() any { return new(scratch) }
	g.ackLists.New = func() any { return new([]receipt.Receipt) }
	g.ownDone = g.ownReceipt
	g.lastReads = nonblocking.NewLastReads(&g.wg)
	g.plan.Store(&delivery.Plan{})
	g.planner = delivery.NewPlanner(g.clock)
	g.startWorkers(runtime.GOMAXPROCS(0))
	return g, nil
}

// newServer makes what lets connections in.
func (g *Gateway) newServer(o Options) (*accept.Server, error) {
	return accept.New(g.ctx, accept.Options{
		Begin: g.begin, Goroutines: &g.wg, TLS: o.TLS, Tickets: o.Tickets, Origins: o.Origins, Conns: o.Conns, Clock: o.Clock, Log: g.log,
		Metrics: accept.Metrics{
			Connections: g.metrics.Connections, Rate: g.metrics.Connects[metrics.Rate],
			Full: g.metrics.Connects[metrics.Full], Protocol: g.metrics.Connects[metrics.Protocol],
		},
		MaxConnections: g.limits.MaxConnections, AcceptPerSecond: g.limits.AcceptPerSecond, AcceptBurst: g.limits.AcceptBurst,
		Handshakes: g.limits.Handshakes, ConnectTimeout: g.limits.ConnectTimeout,
		MaxPending: g.limits.PendingBytes, Stall: g.limits.AckTimeout, SendBuffer: g.limits.SendBuffer,
	})
}

// Listen opens address and serves it until Stop. It returns the address that it
// got, for port 0.
func (g *Gateway) Listen(address string, t Transport) (net.Addr, error) {
	g.startPollers(t)
	return g.accept.Listen(address, t)
}

// Serve serves a listener and blocks until Stop, when it returns ErrStopped. It
// closes the listener.
func (g *Gateway) Serve(ln net.Listener, t Transport) error {
	g.startPollers(t)
	return g.accept.Serve(ln, t)
}

// Handler upgrades requests to WebSocket, so that an API server can mount it: see
// accept.Server.Handler.
func (g *Gateway) Handler() http.Handler { return g.accept.Handler() }

// Addrs are the addresses that are or were served, in the order in which they came.
func (g *Gateway) Addrs() []net.Addr { return g.accept.Addrs() }

// ListenTCP is Listen for MQTT over TCP.
func (g *Gateway) ListenTCP(address string) (net.Addr, error) { return g.Listen(address, TCP) }

// ListenTLS is Listen for MQTT over TLS.
func (g *Gateway) ListenTLS(address string) (net.Addr, error) { return g.Listen(address, TLS) }

// ListenWS is Listen for MQTT over WebSocket.
func (g *Gateway) ListenWS(address string) (net.Addr, error) { return g.Listen(address, WS) }

// ListenWSS is Listen for MQTT over WebSocket over TLS.
func (g *Gateway) ListenWSS(address string) (net.Addr, error) { return g.Listen(address, WSS) }

// begin starts the connection's goroutine. The caller is counted itself.
func (g *Gateway) begin(out *nonblocking.Conn, top net.Conn, t Transport) {
	s := g.newSession(out, top, t)
	out.SetUser(s)
	g.wg.Add(1)
	go s.run()
}

func (g *Gateway) startWorkers(n int) {
	for range n {
		sh := &shard{sessions: map[string]*session{}, wake: signal.New()}
		g.shards = append(g.shards, sh)
		g.wg.Go(func() { g.work(sh) })
	}
	g.wg.Go(g.sweep)
}

// startPollers makes the pollers when they are needed: most tests need none.
func (g *Gateway) startPollers(t Transport) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if t != TCP || g.pollers != nil || g.stopped {
		return
	}
	for range runtime.GOMAXPROCS(0) {
		if p := poller.New(); p != nil {
			g.pollers = append(g.pollers, p)
			g.wg.Go(func() { g.readPolled(p) })
		}
	}
}

// pollerOf is the poller that is to read the session; nil where a goroutine has to.
func (g *Gateway) pollerOf(s *session) *poller.Poller {
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.pollers) == 0 {
		return nil
	}
	return g.pollers[g.hash(s.from.Device)%uint64(len(g.pollers))]
}

// Stop refuses new devices, ends every session (MQTT 5 devices are told), and
// waits until every goroutine has ended. When ctx ends first, connections are cut
// and ctx's error is returned; a later call goes on waiting. Stopping twice, or
// without having served, is fine.
func (g *Gateway) Stop(ctx context.Context) error {
	if g.beginStop() {
		for _, s := range g.allSessions() {
			s.end(packet.CodeStopping, metrics.Stopping)
		}
		for _, c := range g.accept.Conns() { // those that have not become sessions
			_ = c.Close()
		}
		go func() { g.wg.Wait(); close(g.idle) }()
	}
	select {
	case <-g.idle:
		return nil
	case <-ctx.Done():
	}
	for _, c := range g.accept.Conns() {
		c.Kill()
	}
	return fmt.Errorf("stopping device gateway: %w", context.Cause(ctx))
}

// beginStop closes what accepts, and reports whether this is the first call. The
// context ends first: whoever accepts must know that its listener was closed on purpose.
func (g *Gateway) beginStop() bool {
	g.mu.Lock()
	first := !g.stopped
	g.stopped = true
	pollers := g.pollers
	g.mu.Unlock()
	g.cancel()
	for _, p := range pollers {
		p.Stop()
	}
	g.accept.Close()
	return first
}

// Proves implements channels.Outlet: what was written to a connection, its PUBACK, and what
// devices tell.
func (g *Gateway) Proves() []receipt.Rung {
	return append([]receipt.Rung{receipt.Sent, receipt.Delivered}, receipts.Rungs()...)
}
