// Package mqtt is the device gateway: an MQTT server for the device contract of
// almenara/channels/contract, and nothing more general. Devices speak MQTT 3.1.1
// or 5 over TCP, TLS or WebSocket; what a device lacks is computed from what holds
// now, and nothing is routed from device to device. DESIGN.md says what is served,
// what is refused, and why.
package mqtt

import (
	"context"
	"errors"
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
	"almenara/storage/receipt"
)

// ErrStopped is returned by Serve and Listen after Stop.
var ErrStopped = errors.New("gateway is stopped")

// Gateway serves devices. Its methods may be called from any goroutine.
//
// Lock order: order stripe, planMu, shard.mu, session.mu, outConn.mu, mu. Receipts,
// Hooks.Report and Hooks.Sent are called with none of them held, Hooks.Session and
// Hooks.State with the order stripe of the device only.
type Gateway struct {
	auth     Auth
	receipts channels.Receipts
	hooks    Hooks
	limits   Limits
	log      *slog.Logger
	metrics  *metrics
	tls      *tlsConfigs
	tickets  []byte // secret; nil: none
	origins  []string
	extra    extra // nil in products

	complaints complaints

	start      time.Time
	seed       maphash.Seed
	shards     []*shard
	order      [64]sync.Mutex // by device: keeps Session and State of one device in order
	scratches  sync.Pool
	ackLists   sync.Pool   // of *[]receipt.Receipt
	ownDone    func(error) // ends receipts that no device waits for
	handshakes chan struct{}
	goodbyes   chan struct{}
	rates      *rates
	ticketDay  int64 // of the keys in use; New's, then the sweep's

	plan   atomic.Pointer[plan]
	planMu sync.Mutex // one Set at a time
	known  map[revisionKey]knownRevision
	serial uint64

	ctx    context.Context // ends when Stop is called
	cancel context.CancelFunc
	wg     sync.WaitGroup // every goroutine
	idle   chan struct{}  // closed when wg is done after Stop

	mu        sync.Mutex // guards what follows
	stopped   bool
	listeners []net.Listener
	servers   []*http.Server
	addrs     []net.Addr
	conns     map[*outConn]struct{}
	pollers   []*poller // one per core, from the first plain TCP listener on
}

// New makes a gateway that serves no address yet. Stop ends its goroutines.
func New(o Options) (*Gateway, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	g := &Gateway{
		auth: o.Auth, receipts: o.Receipts, hooks: o.Hooks, limits: o.Limits.withDefaults(),
		log: o.Logger, tls: newTLSConfigs(o.TLS), tickets: o.Tickets, origins: o.Origins,
		start: time.Now(), seed: maphash.MakeSeed(),
		known: map[revisionKey]knownRevision{}, conns: map[*outConn]struct{}{}, idle: make(chan struct{}),
	}
	if g.log == nil {
		g.log = slog.Default()
	}
	g.log = g.log.With("component", "mqtt")
	var err error
	if g.metrics, err = newMetrics(o.Registry); err != nil {
		return nil, err
	}
	g.scratches.New = func() any { return new(scratch) }
	g.goodbyes = make(chan struct{}, goodbyes)
	g.ackLists.New = func() any { return new([]receipt.Receipt) }
	g.ownDone = g.ownReceipt
	g.handshakes = make(chan struct{}, g.limits.Handshakes)
	g.rates = newRates(g.limits.AcceptPerSecond, g.limits.AcceptBurst)
	if err := g.turnTickets(time.Now()); err != nil {
		return nil, err
	}
	g.plan.Store(&plan{})
	g.ctx, g.cancel = context.WithCancel(context.Background())
	g.startWorkers(runtime.GOMAXPROCS(0))
	return g, nil
}

func (g *Gateway) startWorkers(n int) {
	for range n {
		sh := &shard{sessions: map[string]*session{}, wake: make(chan struct{}, 1)}
		g.shards = append(g.shards, sh)
		g.wg.Go(func() { g.work(sh) })
	}
	g.wg.Go(g.sweep)
}

// startPollers is called with mu held. They are made when they are needed: most
// tests need none.
func (g *Gateway) startPollers() {
	if g.pollers != nil {
		return
	}
	for range runtime.GOMAXPROCS(0) {
		if p := newPoller(); p != nil {
			g.pollers = append(g.pollers, p)
			g.wg.Go(p.run)
		}
	}
}

// pollerOf is the poller that is to read the session; nil where a goroutine has to.
func (g *Gateway) pollerOf(s *session) *poller {
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
			s.end(codeStopping, endStopping)
		}
		g.closeStrangers()
		go func() { g.wg.Wait(); close(g.idle) }()
	}
	select {
	case <-g.idle:
		return nil
	case <-ctx.Done():
	}
	for _, c := range g.allConns() {
		c.kill()
	}
	return fmt.Errorf("stopping device gateway: %w", context.Cause(ctx))
}

// beginStop closes what accepts, and reports whether this is the first call. The
// context ends first: whoever accepts must know that its listener was closed on purpose.
func (g *Gateway) beginStop() bool {
	g.mu.Lock()
	first := !g.stopped
	g.stopped = true
	listeners, servers, pollers := g.listeners, g.servers, g.pollers
	g.listeners, g.servers = nil, nil
	g.mu.Unlock()
	g.cancel()
	for _, p := range pollers {
		p.stop()
	}
	for _, ln := range listeners {
		_ = ln.Close()
	}
	for _, server := range servers {
		_ = server.Close()
	}
	return first
}

// closeStrangers closes connections that have not become sessions.
func (g *Gateway) closeStrangers() {
	for _, c := range g.allConns() {
		_ = c.Close()
	}
}

func (g *Gateway) allConns() []*outConn {
	g.mu.Lock()
	defer g.mu.Unlock()
	conns := make([]*outConn, 0, len(g.conns))
	for c := range g.conns {
		conns = append(conns, c)
	}
	return conns
}

// enter counts a goroutine, unless the gateway is stopped.
func (g *Gateway) enter() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.stopped {
		return false
	}
	g.wg.Add(1)
	return true
}

func (g *Gateway) goroutineStarts() { g.wg.Add(1) }
func (g *Gateway) goroutineEnds()   { g.wg.Done() }

// connClosed gives the connection's place back.
func (g *Gateway) connClosed(c *outConn) {
	g.mu.Lock()
	delete(g.conns, c)
	g.mu.Unlock()
	g.metrics.connections.Dec()
}

// clock is the time since the gateway was made, in nanoseconds. It never jumps and
// is never zero.
func (g *Gateway) clock() int64 { return int64(time.Since(g.start)) + 1 }
