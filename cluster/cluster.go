package cluster

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/raft"
	"golang.org/x/sync/semaphore"

	"almenara/storage/durable"
)

// ErrAmnesia is returned by Start when the raft log or the state machine is gone
// although this node has had one under its id. It must be wiped whole and join
// again as a new node: under its old id it could vote twice, or lead without
// committed entries.
var ErrAmnesia = errors.New("raft state is lost: this node must not return under its old id")

// ErrRemoved is returned by Start for a node that learnt that it was removed from
// the district. Its box may join again, with a new data directory.
var ErrRemoved = errors.New("this node was removed from the district")

const (
	logDir      = "raft"
	markerFile  = "raft.begun"   // this id has voted or has a log
	removedFile = "raft.removed" // this id is no member any more
	logCache    = 128            // entries; 512 of 64 KiB would be 32 MiB
)

// Cluster is this node's part of the district's raft group. Its methods may be
// called from any goroutine; after Stop they return ErrStopped.
type Cluster struct {
	options  Options
	identity atomic.Pointer[Identity]
	port     *port
	rpc      *rpc
	join     *http.Server
	handover *handovers
	joined   chan struct{} // closed when join has ended
	store    LogStore
	dog      *watchdog
	fsm      *countingFSM
	trans    *inTurn
	raft     *raft.Raft
	begun    atomic.Bool  // raft is set: its own goroutines may look at it
	shutdown func() error // ends raft and waits, once
	notify   chan bool
	observed chan raft.Observation

	fullness chan struct{} // SetFull was called; capacity 1

	inFlight  *semaphore.Weighted // bytes of proposals on this leader
	proposals gate                // futures that are awaited

	leadership leadership
	peers      peerBook
	logs       heldBook
	start      logStart // what this run claims; fixed before raft begins
	promotions promotions

	ctx       context.Context // ends with Stop
	cancel    context.CancelFunc
	wg        sync.WaitGroup // every goroutine of this package but the port's
	stopMu    sync.Mutex     // serializes Stop; guards stopped
	stopped   bool
	stopping  atomic.Bool
	removed   chan struct{}
	removeOne sync.Once

	greeted     time.Time // last; keepHouse's only
	heldSaved   time.Time // last; keepHouse's only
	quarantine  atomic.Pointer[Quarantine]
	marked      *Quarantine   // the mark that Start found or made
	fenced      chan struct{} // closed with it, for keepHouse
	quarantined chan struct{} // closed once raft has ended for it
}

// Start opens the internode port and the log and begins to take part. It returns
// before there is a leader. On an error everything is closed again.
func Start(options Options) (*Cluster, error) {
	o, err := options.withDefaults()
	if err != nil {
		return nil, err
	}
	c := &Cluster{
		options: o, dog: newWatchdog(o.Stalled), joined: make(chan struct{}),
		notify: make(chan bool, 10), observed: make(chan raft.Observation, 64),
		fullness: make(chan struct{}, 1),
		inFlight: semaphore.NewWeighted(maxInFlightBytes), removed: make(chan struct{}),
		fenced: make(chan struct{}), quarantined: make(chan struct{}),
	}
	c.ctx, c.cancel = context.WithCancel(context.Background())
	c.leadership.init()
	c.peers.init()
	c.logs.init()
	if err := c.open(); err != nil {
		c.cancel()
		return nil, errors.Join(err, c.closeAll(context.Background()))
	}
	c.run()
	return c, nil
}

// open builds the parts in the order in which closeAll takes them down backwards.
func (c *Cluster) open() error {
	if err := durable.MkdirAll(c.options.Dir); err != nil {
		return fmt.Errorf("making data directory: %w", err)
	}
	if err := c.openPort(); err != nil {
		return err
	}
	c.loadVersions()
	c.loadHeld()
	if err := c.openLog(filepath.Join(c.options.Dir, logDir)); err != nil {
		return err
	}
	held, err := c.held()
	if err != nil {
		return err
	}
	if c.marked == nil || c.marked.By != nil {
		if held, err = c.checkMemory(); err != nil {
			return err
		}
		if err := c.dropStaleLog(held.Index); err != nil {
			return err
		}
	}
	if err := c.beginRun(held); err != nil {
		return err
	}
	c.fsm = newCountingFSM(c.NodeID(), c.options.FSM, c.options.Snapshots, held)
	return c.openRaft()
}

func (c *Cluster) openPort() error {
	c.identity.Store(c.options.Identity)
	p, err := newPort(c.options.Listen, c.identity.Load, c.options.Dial, c.options.Logger)
	if err != nil {
		return err
	}
	c.port, p.met = p, c.metIncarnation
	if c.options.Advertise == "" {
		c.options.Advertise = p.listener.Addr().String()
	}
	if _, _, err := net.SplitHostPort(c.options.Advertise); err != nil {
		return fmt.Errorf("reading advertised address: %w", err)
	}
	c.rpc = newRPC(p, c.options.Logger)
	c.rpc.resolve, c.rpc.allowed, c.rpc.refuse = c.resolve, c.allowed, c.refuseStranger
	c.rpc.tell, c.rpc.heard, c.rpc.recall = c.tell, c.heard, c.recall
	c.join, c.handover = newJoinServer(c.handleJoin), newHandovers(c.refuseHandover, c.options.Logger)
	c.routes()
	return nil
}

// checkMemory returns what the state machine holds, and ErrAmnesia when that or
// the log is less than this id has had.
func (c *Cluster) checkMemory() (*raft.SnapshotMeta, error) {
	if _, err := os.Stat(filepath.Join(c.options.Dir, removedFile)); err == nil {
		return nil, fmt.Errorf("starting %s: %w", c.options.Identity.NodeID, ErrRemoved)
	}
	held, err := c.checkLog()
	if err != nil {
		return nil, fmt.Errorf("starting %s: %w", c.options.Identity.NodeID, err)
	}
	return held, nil
}

// held is what the state machine has; its index is 0 for nothing.
func (c *Cluster) held() (*raft.SnapshotMeta, error) {
	metas, err := c.options.Snapshots.List()
	if err != nil {
		return nil, fmt.Errorf("reading state machine's index: %w", err)
	}
	if len(metas) == 0 {
		return &raft.SnapshotMeta{}, nil
	}
	return metas[0], nil
}

// checkLog holds the log against the state machine and the mark beside it.
func (c *Cluster) checkLog() (*raft.SnapshotMeta, error) {
	held, err := c.held()
	if err != nil {
		return nil, err
	}
	term, err := c.store.GetUint64(keyTerm) // raft writes it before anything else
	if err != nil {
		return nil, fmt.Errorf("reading raft log: %w", err)
	}
	first, err := c.store.FirstIndex()
	if err != nil {
		return nil, fmt.Errorf("reading raft log: %w", err)
	}
	_, marker := os.Stat(filepath.Join(c.options.Dir, markerFile))
	if term == 0 && (marker == nil || held.Index > 0) || first > held.Index+1 {
		return nil, ErrAmnesia
	}
	return held, nil
}

func (c *Cluster) openRaft() error {
	c.trans = newInTurn(raft.NewNetworkTransportWithConfig(&raft.NetworkTransportConfig{
		Stream:                &stream{c.port.services[protoRaft], c.port, advertised(c.options.Advertise), c.mayRaft, c.remembers},
		MaxPool:               3,
		Timeout:               5 * time.Second,
		MaxRPCsInFlight:       1, // pipelining can park replication for ever (hashicorp/raft #612)
		ServerAddressProvider: addressProvider{c},
		Logger:                newHLogger(c.options.Logger),
	}))
	config := c.options.raftConfig(c.notify)
	if c.options.Bootstrap && c.marked == nil {
		if err := c.bootstrap(config); err != nil {
			return err
		}
	}
	watched := c.store
	if w, ok := watched.(watchedStore); ok {
		w.damaged, w.running = c.QuarantineFor, c.begun.Load
		watched = w
	}
	cache, err := raft.NewLogCache(logCache, watched)
	if err != nil {
		return fmt.Errorf("making log cache: %w", err)
	}
	dumps := receivedDumps{c.options.Snapshots, func() uint64 { return c.position().Index }}
	c.raft, err = raft.NewRaft(config, c.fsm, cache, &rising{StableStore: c.store}, dumps, c.trans)
	if err != nil {
		return fmt.Errorf("starting raft: %w", err)
	}
	c.trans.raft.Store(c.raft)
	c.shutdown = sync.OnceValue(func() error { return c.raft.Shutdown().Error() })
	c.begun.Store(true)
	if q := c.marked; q != nil { // nothing was said to anybody yet: the port is not open
		c.quarantine.Store(q)
		c.endForQuarantine()
	}
	return nil
}

func (c *Cluster) bootstrap(config *raft.Config) error {
	self := raft.Server{ID: config.LocalID, Address: raft.ServerAddress(c.options.Advertise), Suffrage: raft.Voter}
	first := raft.Configuration{Servers: []raft.Server{self}}
	err := raft.BootstrapCluster(config, c.store, c.store, c.options.Snapshots, c.trans, first)
	if err != nil && !errors.Is(err, raft.ErrCantBootstrap) {
		return fmt.Errorf("bootstrapping district: %w", err)
	}
	return c.markBegun()
}

// markBegun records beside the log that this id has one.
func (c *Cluster) markBegun() error {
	path := filepath.Join(c.options.Dir, markerFile)
	if _, err := os.Stat(path); err == nil {
		return nil
	}
	return durable.WriteFile(path, []byte(c.options.Identity.NodeID+"\n"))
}

// run starts the goroutines; all of them end with c.ctx, the port or raft.
func (c *Cluster) run() {
	c.raft.RegisterObserver(raft.NewObserver(c.observed, false, func(o *raft.Observation) bool {
		switch o.Data.(type) {
		case raft.LeaderObservation, raft.RaftState:
			return true
		}
		return false
	}))
	c.rpc.start()
	c.handover.start(c.port.services[protoHandover])
	go func() {
		defer close(c.joined)
		_ = c.join.Serve(c.port.services[protoJoin]) // ends with the port
	}()
	c.wg.Go(c.followLeadership)
	c.wg.Go(c.keepHouse)
	c.wg.Go(c.watchQuorum)
	c.wg.Go(func() { impatience{c.raft, raft.ServerID(c.NodeID()), c.options.HeartbeatTimeout}.watch(c.ctx) })
	c.wg.Go(c.yieldLeadership)
	c.wg.Go(func() { c.dog.run(c.ctx, c.options.Logger, c.options.Halt) })
	c.port.start()
}

// NodeID is this node's server id.
func (c *Cluster) NodeID() string { return c.options.Identity.NodeID }

// Identity is the current identity; its certificate changes when it is renewed.
func (c *Cluster) Identity() *Identity { return c.identity.Load() }

// Addr is the address of the internode listener; Advertised is what peers are told.
func (c *Cluster) Addr() net.Addr { return c.port.listener.Addr() }

// Advertised is the internode address that the other nodes use.
func (c *Cluster) Advertised() string { return c.options.Advertise }

// Handle serves a path of the internode RPC for members only; PeerID gives the
// caller. Patterns are those of http.ServeMux, and /cluster/ belongs to this
// package. Call it before the peers call: right after Start, or they get 404.
func (c *Cluster) Handle(pattern string, h http.Handler) { c.rpc.mux.Handle(pattern, h) }

// Call posts body to a peer's handler and returns the answer, each at most 4 MiB.
// Without a deadline in ctx it takes 10 s. An answer other than 200 is a
// *CallError; ErrNotSent says that the peer certainly did not get the request.
func (c *Cluster) Call(ctx context.Context, peerID, path string, body []byte) ([]byte, error) {
	if c.stopping.Load() {
		return nil, fmt.Errorf("calling %s: %w: %w", peerID, ErrNotSent, ErrStopped)
	}
	return c.rpc.call(ctx, peerID, path, body)
}

// Removed is closed when this node has learnt that it was removed from the
// district. Raft has stopped then; the caller calls Stop and must not start
// under this identity again.
func (c *Cluster) Removed() <-chan struct{} { return c.removed }
