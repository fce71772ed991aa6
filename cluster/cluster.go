package cluster

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"sync/atomic"

	"github.com/hashicorp/raft"

	"almenara/cluster/fence"
	"almenara/cluster/group"
	"almenara/cluster/identity"
	"almenara/cluster/internode"
	"almenara/cluster/marks"
	"almenara/cluster/membership"
	"almenara/cluster/memory"
	"almenara/cluster/outcome"
	"almenara/cluster/peers"
	"almenara/cluster/proposals"
	"almenara/cluster/raftfix"
	"almenara/cluster/raftlog"
)

// Cluster is this node's part of the district's raft group. Its methods may be
// called from any goroutine; after Stop they return ErrStopped.
//
// It holds the parts, opens and closes them in order, and says what they can do. What they
// decide they decide themselves.
type Cluster struct {
	options  Options
	identity atomic.Pointer[identity.Identity]

	port     *internode.Port
	rpc      *internode.RPC
	handover *internode.Handovers
	join     *http.Server
	joined   chan struct{} // closed when join has ended
	dial     *dialler
	sayings  *sayings
	peers    *peers.Peers
	memory   *memory.Memory

	store raftlog.Store
	dog   *raftlog.Watchdog
	trans *raftfix.InTurn

	group     *group.Group
	proposals *proposals.Proposals
	members   *membership.Membership
	admission *membership.Admission
	fence     *fence.Fence
	room      *room

	notify   chan bool
	observed chan raft.Observation

	ctx     context.Context // ends with Stop
	cancel  context.CancelFunc
	wg      sync.WaitGroup // every goroutine of this package but the port's
	stopMu  sync.Mutex     // serializes Stop; guards stopped
	stopped bool
	marked  *marks.Quarantine // the mark that Start found or made
}

// Start opens the internode port and the log and begins to take part. It returns
// before there is a leader. On an error everything is closed again.
func Start(options Options) (*Cluster, error) {
	o, err := options.withDefaults()
	if err != nil {
		return nil, err
	}
	c := &Cluster{
		options: o, dog: raftlog.NewWatchdog(o.Stalled), joined: make(chan struct{}),
		notify: make(chan bool, 10), observed: make(chan raft.Observation, 64),
		group: &group.Group{Self: o.Identity.NodeID},
	}
	c.identity.Store(o.Identity.WithClock(o.Clock))
	c.ctx, c.cancel = context.WithCancel(context.Background())
	c.build()
	if err := c.open(); err != nil {
		c.cancel()
		return nil, errors.Join(err, c.closeAll(context.Background()))
	}
	c.run()
	return c, nil
}

// build makes the parts that decide, out of what is known before anything is opened. The
// port, the calls and the log are handed to them once they are open.
func (c *Cluster) build() {
	o := c.options
	c.fence = fence.New(fence.Options{
		Group: c.group, Identity: c.identity.Load, Context: c.ctx, Dir: o.Dir, Clock: o.Clock, Former: o.Former, Logger: o.Logger,
	})
	removed := make(chan struct{})
	c.proposals = proposals.New(proposals.Options{
		Group: c.group, Dog: c.dog, VersionOf: o.VersionOf, Applied: o.Applied, Quarantined: c.fence.Quarantined, Removed: removed,
		Context: c.ctx, Notify: c.notify, Observed: c.observed,
	})
	c.members = membership.New(membership.Options{
		Group: c.group, Proposals: c.proposals, Quarantined: c.fence.Quarantined, Context: c.ctx, Dir: o.Dir,
		Stabilization: o.Stabilization, Removed: removed, Logger: o.Logger,
	})
	c.admission = membership.NewAdmission(membership.AdmissionOptions{
		Proposals: c.proposals, Members: c.members, Identity: c.identity.Load, Decide: o.Admit,
		Peers: func() []peers.Peer { return c.Status().Peers }, Clock: o.Clock, Logger: o.Logger,
	})
	c.room = &room{group: c.group, dog: c.dog, changed: make(chan struct{}, 1), logger: o.Logger}
}

// NodeID is this node's server id.
func (c *Cluster) NodeID() string { return c.group.Self }

// Identity is the current identity; its certificate changes when it is renewed.
func (c *Cluster) Identity() *identity.Identity { return c.identity.Load() }

// Addr is the address of the internode listener; Advertised is what peers are told.
func (c *Cluster) Addr() net.Addr { return c.port.Addr() }

// Advertised is the internode address that the other nodes use.
func (c *Cluster) Advertised() string { return c.options.Advertise }

// Handle serves a path of the internode RPC for members only; PeerID gives the
// caller. Patterns are those of http.ServeMux, and /cluster/ belongs to this
// package. Call it before the peers call: right after Start, or they get 404.
func (c *Cluster) Handle(pattern string, h http.Handler) { c.rpc.Handle(pattern, h) }

// Call posts body to a peer's handler and returns the answer, each at most 4 MiB.
// Without a deadline in ctx it takes 10 s. An answer other than 200 is a
// *CallError; ErrNotSent says that the peer certainly did not get the request.
func (c *Cluster) Call(ctx context.Context, peerID, path string, body []byte) ([]byte, error) {
	if c.proposals.Stopping() {
		return nil, fmt.Errorf("calling %s: %w: %w", peerID, internode.ErrNotSent, outcome.ErrStopped)
	}
	return c.rpc.Call(ctx, peerID, path, body)
}

// Removed is closed when this node has learnt that it was removed from the
// district. Raft has stopped then; the caller calls Stop and must not start
// under this identity again.
func (c *Cluster) Removed() <-chan struct{} { return c.members.Removed }
