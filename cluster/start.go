package cluster

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/hashicorp/raft"

	"almenara/cluster/hclogs"
	"almenara/cluster/identity"
	"almenara/cluster/internode"
	"almenara/cluster/joining"
	"almenara/cluster/marks"
	"almenara/cluster/membership"
	"almenara/cluster/memory"
	"almenara/cluster/outcome"
	"almenara/cluster/peers"
	"almenara/cluster/quorum"
	"almenara/cluster/raftfix"
	"almenara/cluster/raftlog"
	"almenara/storage/durable"
)

const logCache = 128 // entries; 512 of 64 KiB would be 32 MiB

// open builds the parts in the order in which closeAll takes them down backwards.
func (c *Cluster) open() error {
	if err := durable.MkdirAll(c.options.Dir); err != nil {
		return fmt.Errorf("making data directory: %w", err)
	}
	c.memory = memory.Open(c.options.Dir, c.options.Logger)
	if err := c.openPort(); err != nil {
		return err
	}
	if err := c.openLog(filepath.Join(c.options.Dir, raftlog.Dir)); err != nil {
		return err
	}
	c.proposals.Open(c.rpc, c.peers, c.store)
	held, err := marks.HeldBy(c.options.Snapshots)
	if err != nil {
		return err
	}
	if c.marked == nil || c.marked.By != nil {
		if marks.WasRemoved(c.options.Dir) {
			return fmt.Errorf("starting %s: %w", c.group.Self, outcome.ErrRemoved)
		}
		if held, err = marks.CheckLog(c.options.Dir, c.options.Snapshots, c.store); err != nil {
			return fmt.Errorf("starting %s: %w", c.group.Self, err)
		}
		if err := raftlog.DropStale(c.store, held.Index, c.options.Logger); err != nil {
			return err
		}
	}
	if err := c.beginRun(held); err != nil {
		return err
	}
	c.group.FSM = raftfix.NewAppliedFSM(c.group.Self, c.options.FSM, c.options.Snapshots, held)
	return c.openRaft()
}

func (c *Cluster) openPort() error {
	p, err := internode.NewPort(internode.PortOptions{
		Listen: c.options.Listen, Identity: c.identity.Load, Dial: c.options.Dial, Conns: c.options.Conns,
		Met: c.fence.MetIncarnation, Logger: c.options.Logger,
	})
	if err != nil {
		return err
	}
	c.port = p
	if c.options.Advertise == "" {
		c.options.Advertise = p.Addr().String()
	}
	if host, port, err := net.SplitHostPort(c.options.Advertise); err == nil && port == "0" {
		_, port, _ = net.SplitHostPort(p.Addr().String())
		c.options.Advertise = net.JoinHostPort(host, port)
	}
	if !internode.ValidAddress(c.options.Advertise) {
		return fmt.Errorf("starting cluster: %q is no address at which other nodes could reach this one", c.options.Advertise)
	}
	c.peers = peers.Open(peers.Options{
		Self: c.group.Self, Advertise: c.options.Advertise, Dir: c.options.Dir, Version: c.options.Version,
		Recorded: c.options.Recorded, Address: c.options.Address, Servers: c.group.Servers,
		Moved: p.CloseDialled, Logger: c.options.Logger,
	})
	for id, addr := range c.options.AdmittedBy {
		c.peers.Found(id, addr)
	}
	c.dial = &dialler{port: p, peers: c.peers, begun: c.group.Begun.Load}
	c.sayings = &sayings{fence: c.fence, peers: c.peers, memory: c.memory}
	c.rpc = internode.NewRPC(p, internode.Peers{
		Connect: c.dial.forCalls, Allowed: c.members.Allowed, Refuse: c.members.RefuseStranger,
		Tell: c.sayings.tell, Heard: c.sayings.heard, Recall: c.sayings.recall, Answered: c.peers.Answered,
	}, c.options.Logger)
	c.join = joining.NewServer(c.admission.HandleJoin)
	c.handover = internode.NewHandovers(p, c.fence.RefuseHandover, c.fence.Standing, c.options.Logger)
	c.fence.Open(p, c.rpc, c.peers)
	c.members.Open(p, c.rpc, c.peers, c.memory)
	c.routes()
	return nil
}

func (c *Cluster) openRaft() error {
	c.trans = raftfix.NewInTurn(raft.NewNetworkTransportWithConfig(&raft.NetworkTransportConfig{
		Stream:                internode.NewStream(c.port, c.options.Advertise, c.dial.forRaft, c.members.MayRaft, c.memory.Admits),
		MaxPool:               3,
		Timeout:               5 * time.Second,
		MaxRPCsInFlight:       1, // pipelining can park replication for ever (hashicorp/raft #612)
		ServerAddressProvider: membership.Addresses{Group: c.group, Peers: c.peers},
		Logger:                hclogs.New(c.options.Logger),
	}))
	config := c.options.raftConfig(c.notify)
	if c.options.Bootstrap && c.marked == nil {
		if err := bootstrap(config, c.options, c.store, c.trans); err != nil {
			return err
		}
	}
	read := raftfix.NewUnreadable(c.store, c.group.Begun.Load, func(err error) { c.fence.QuarantineFor(marks.CauseLog, logReason(err)) })
	cache, err := raft.NewLogCache(logCache, read)
	if err != nil {
		return fmt.Errorf("making log cache: %w", err)
	}
	dumps := raftfix.NewReceivedDumps(c.options.Snapshots, func() uint64 { return c.group.Position().Index })
	c.group.Raft, err = raft.NewRaft(config, c.group.FSM, cache, raftfix.NewRisingTerm(c.store, func() error { return marks.MarkBegun(c.options.Dir, c.group.Self) }), dumps, c.trans)
	if err != nil {
		return fmt.Errorf("starting raft: %w", err)
	}
	c.trans.Begin(c.group.Raft)
	c.group.Quorum = quorum.New(c.group.Raft)
	c.group.Shutdown = sync.OnceValue(func() error { return c.group.Raft.Shutdown().Error() })
	c.group.Begun.Store(true)
	if q := c.marked; q != nil { // nothing was said to anybody yet: the port is not open
		c.fence.Begin(q)
	}
	return nil
}

// bootstrap makes this node the first and only voter, unless its log begins already.
func bootstrap(config *raft.Config, o Options, store raftlog.Store, trans raft.Transport) error {
	self := raft.Server{ID: config.LocalID, Address: raft.ServerAddress(o.Advertise), Suffrage: raft.Voter}
	first := raft.Configuration{Servers: []raft.Server{self}}
	err := raft.BootstrapCluster(config, store, store, o.Snapshots, trans, first)
	if err != nil && !errors.Is(err, raft.ErrCantBootstrap) {
		return fmt.Errorf("bootstrapping district: %w", err)
	}
	return marks.MarkBegun(o.Dir, o.Identity.NodeID)
}

// run starts the goroutines; all of them end with c.ctx, the port or raft.
func (c *Cluster) run() {
	c.group.Raft.RegisterObserver(raft.NewObserver(c.observed, false, func(o *raft.Observation) bool {
		switch o.Data.(type) {
		case raft.LeaderObservation, raft.RaftState:
			return true
		}
		return false
	}))
	c.rpc.Start()
	c.handover.Start()
	go func() {
		defer close(c.joined)
		_ = c.join.Serve(c.port.Service(identity.ProtoJoin)) // ends with the port
	}()
	c.wg.Go(func() { c.proposals.Follow(c.ctx) })
	c.wg.Go(c.maintenance().run)
	c.wg.Go(func() { c.group.WatchQuorum(c.ctx, c.options.HeartbeatTimeout, c.options.Logger) })
	c.wg.Go(func() { c.room.yieldLeadership(c.ctx) })
	c.wg.Go(func() { c.dog.Run(c.ctx, c.options.Logger, c.options.Halt) })
	c.port.Start()
}

// openLog opens the log, and looks at all of it. A damaged one quarantines the node: raft
// is started over an empty log in memory then, so that it can be ended like any other.
func (c *Cluster) openLog(path string) error {
	q, err := marks.LoadQuarantine(c.options.Dir, c.options.Identity.District)
	if err != nil {
		return err
	}
	store, err := c.options.OpenLog(path)
	if err == nil {
		c.store = c.dog.Watch(store)
		err = raftlog.Check(context.Background(), store)
	}
	if q == nil && raftlog.Damaged(err) {
		q = &marks.Quarantine{Cause: marks.CauseLog, Reason: logReason(err), At: c.options.Clock().UTC().Truncate(time.Second)}
		if err := q.Save(c.options.Dir); err != nil {
			return err
		}
		c.options.Logger.Error("this node is quarantined: its raft log is damaged", "error", err)
	}
	if q != nil && q.By == nil {
		if store != nil {
			c.options.Logger.Debug("closing the raft log of a quarantined node", "error", store.Close())
		}
		c.store, err = c.dog.Watch(raftlog.NewEmpty()), nil
	}
	c.marked = q
	return err
}

func logReason(err error) string { return "the raft log: " + err.Error() }

func (c *Cluster) maintenance() *maintenance {
	return &maintenance{
		group: c.group, members: c.members, fence: c.fence, peers: c.peers, memory: c.memory, port: c.port, rpc: c.rpc,
		identity: &c.identity, status: func() []peers.Peer { return c.Status().Peers }, ctx: c.ctx,
		dir: c.options.Dir, names: c.options.Names, seek: c.options.Seek, admitted: slices.Collect(maps.Keys(c.options.AdmittedBy)), clock: c.options.Clock, logger: c.options.Logger,
	}
}

// routes are the paths of this package.
func (c *Cluster) routes() {
	c.rpc.Handle("POST /cluster/propose", http.HandlerFunc(c.proposals.HandlePropose))
	c.rpc.Handle("POST /cluster/index", http.HandlerFunc(c.proposals.HandleIndex))
	c.rpc.Handle("POST /cluster/ping", http.HandlerFunc(c.group.HandlePing))
	c.rpc.Handle("POST /cluster/address", http.HandlerFunc(c.members.HandleAddress))
	c.rpc.Handle("POST /cluster/join", http.HandlerFunc(c.admission.HandleForwardedJoin))
	c.rpc.Handle("POST /cluster/outlived", http.HandlerFunc(c.fence.HandleOutlived))
	c.rpc.Handle("POST /cluster/remove", http.HandlerFunc(c.members.HandleRemove))
}

// beginRun makes this run's claim, of what the log and the state hold before raft
// begins, and a certificate that says it. A quarantined node claims nothing.
func (c *Cluster) beginRun(held *raft.SnapshotMeta) error {
	if c.marked == nil {
		last, err := c.store.LastIndex()
		if err != nil {
			return fmt.Errorf("reading raft log: %w", err)
		}
		term, err := c.store.GetUint64(raftlog.KeyTerm)
		if err != nil {
			return fmt.Errorf("reading raft log: %w", err)
		}
		c.memory.Begin(memory.Position{Index: max(last, held.Index), Term: term}, c.group.Position)
	}
	return c.maintenance().renew(c.options.Clock())
}
