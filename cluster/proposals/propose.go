// Package proposals is the way to the leader of a district: of commands, and of questions for an
// index below which nothing is missing that anybody was told. It knows who leads, which
// commands every member understands, and what may be in flight. It never imports cluster or
// membership.
package proposals

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/hashicorp/raft"
	"golang.org/x/sync/semaphore"

	"almenara/cluster/group"
	"almenara/cluster/internode"
	"almenara/cluster/outcome"
	"almenara/cluster/peers"
	"almenara/cluster/raftlog"
)

// Bounds of proposals. Raft would queue 128 batches of 64 entries in front of a
// slow state machine: 512 MiB of entries of 64 KiB.
const (
	MaxInFlightBytes = 8 << 20   // of one leader
	maxCommandBytes  = 256 << 10 // one entry must fit one Badger transaction
	proposeTimeout   = 10 * time.Second
	enqueueTimeout   = 2 * time.Second
	drainAtMost      = 2 * time.Second
)

// Options say what proposals rest on. All but Applied are needed.
type Options struct {
	Group       *group.Group
	Dog         *raftlog.Watchdog
	VersionOf   func(cmd []byte) uint64 // of a command
	Applied     func() (uint64, error)  // highest version in the state; nil is none
	Quarantined func() bool             // nothing is agreed here any more
	Removed     <-chan struct{}         // closed once this node is no member any more
	Context     context.Context         // ends with the node
	Notify      chan bool               // raft's NotifyCh
	Observed    chan raft.Observation   // of leaders and of raft's state
}

// Proposals is the way to the leader: of commands, and of questions for its index. Its methods
// may be called from any goroutine.
type Proposals struct {
	options Options
	group   *group.Group
	rpc     *internode.RPC
	store   raftlog.Store

	leadership *leadership
	upgrades   *upgrades
	stopping   atomic.Bool
	inFlight   *semaphore.Weighted // bytes of proposals on this leader
	gate       gate                // futures that are awaited
}

// New makes them; Open comes before anything is asked of them.
func New(o Options) *Proposals {
	p := &Proposals{options: o, group: o.Group, inFlight: semaphore.NewWeighted(MaxInFlightBytes)}
	p.leadership = newLeadership(o.Group, &p.gate, o.Notify, o.Observed)
	p.upgrades = &upgrades{self: o.Group.Self, applied: o.Applied}
	return p
}

// Open hands over what is opened after the proposals are made.
func (p *Proposals) Open(rpc *internode.RPC, known *peers.Peers, store raftlog.Store) {
	p.rpc, p.store = rpc, store
	p.upgrades.rpc, p.upgrades.peers = rpc, known
}

// Stop lets nothing new begin: it is answered ErrStopped.
func (p *Proposals) Stop() { p.stopping.Store(true) }

// Stopping reports whether Stop was called.
func (p *Proposals) Stopping() bool { return p.stopping.Load() }

// Understands is Cluster.Understands.
func (p *Proposals) Understands(ctx context.Context, version uint64) error {
	return p.upgrades.understood(ctx, version)
}

// TooOld refuses a new node that would not understand what this one has applied.
func (p *Proposals) TooOld(version uint64) error { return p.upgrades.tooOld(version) }

// Leadership is who leads now, as this node sees it.
func (p *Proposals) Leadership() Leadership {
	now, _ := p.leadership.current()
	return now
}

// Changes is Cluster.Changes.
func (p *Proposals) Changes() (changes <-chan Leadership, cancel func()) { return p.leadership.watch() }

// Follow drains raft's signals, which raft would otherwise block on, until ctx ends; after
// that DrainSignals must, until raft has ended.
func (p *Proposals) Follow(ctx context.Context) { p.leadership.follow(ctx) }

// DrainSignals takes what raft signals until stop is closed.
func (p *Proposals) DrainSignals(stop <-chan struct{}) { p.leadership.drainSignals(stop) }

// Propose is Cluster.Propose.
func (p *Proposals) Propose(ctx context.Context, cmd []byte) ([]byte, error) {
	if len(cmd) > maxCommandBytes {
		return nil, fmt.Errorf("proposing %d bytes: %w", len(cmd), internode.ErrTooLarge)
	}
	if err := p.upgrades.understood(ctx, p.options.VersionOf(cmd)); err != nil { // an old leader would not ask
		return nil, fmt.Errorf("proposing: %w", err)
	}
	var answer []byte
	err := p.OnLeader(ctx, func(ctx context.Context) (err error) {
		answer, err = p.apply(ctx, cmd)
		return err
	}, func(ctx context.Context, leader string) (err error) {
		answer, err = p.Forward(ctx, leader, "/cluster/propose", cmd, nil)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("proposing: %w", err)
	}
	return answer, nil
}

// OnLeader runs here where this node leads, or there with the leader's id, and
// tries again while that fails with errTryAgain, until ctx ends.
func (p *Proposals) OnLeader(ctx context.Context, here func(context.Context) error, there func(context.Context, string) error) error {
	ctx, cancel := p.bounded(ctx)
	defer cancel()
	for {
		if p.stopping.Load() {
			return outcome.ErrStopped
		}
		select {
		case <-p.options.Removed: // no leader will ever answer us again
			return fmt.Errorf("%w: %w", outcome.ErrStopped, outcome.ErrRemoved)
		default:
		}
		if p.options.Quarantined() {
			return outcome.ErrQuarantined
		}
		err := outcome.ErrTryAgain
		_, changed := p.leadership.current()
		switch _, leader := p.group.Raft.LeaderWithID(); {
		case p.group.Raft.State() == raft.Leader:
			err = here(ctx)
		case leader != "" && string(leader) != p.group.Self:
			err = there(ctx, string(leader))
		}
		if !errors.Is(err, outcome.ErrTryAgain) {
			return err
		}
		if !group.WaitFor(ctx, changed, group.RetryPause) {
			return p.noLeader(ctx)
		}
	}
}

// bounded ends with ctx, with the node, and after proposeTimeout when ctx has no
// deadline.
func (p *Proposals) bounded(ctx context.Context) (context.Context, context.CancelFunc) {
	var cancel context.CancelFunc
	if _, ok := ctx.Deadline(); ok {
		ctx, cancel = context.WithCancel(ctx)
	} else {
		ctx, cancel = context.WithTimeout(ctx, proposeTimeout)
	}
	stop := context.AfterFunc(p.options.Context, cancel)
	return ctx, func() { stop(); cancel() }
}

func (p *Proposals) noLeader(ctx context.Context) error {
	if p.stopping.Load() {
		return outcome.ErrStopped
	}
	return fmt.Errorf("%w: %w", outcome.ErrNoLeader, context.Cause(ctx))
}

// apply commits cmd on this leader.
func (p *Proposals) apply(ctx context.Context, cmd []byte) ([]byte, error) {
	if err := p.upgrades.understood(ctx, p.options.VersionOf(cmd)); err != nil {
		return nil, err
	}
	weight := int64(len(cmd)) + 256 // raft's own cost of an entry
	if p.options.Quarantined() {
		return nil, outcome.ErrQuarantined
	}
	if !p.gate.enter() {
		return nil, outcome.ErrStopped
	}
	if p.options.Dog.Full() {
		p.gate.leave()
		return nil, raftlog.ErrDiskFull
	}
	release, room := p.Reserve(weight)
	if p.options.Dog.Slow() || !room {
		release()
		p.gate.leave()
		return nil, outcome.ErrBusy
	}
	ended := make(chan error, 1)
	var future raft.ApplyFuture
	go func() { // the bytes stay in flight until raft lets go of them, whoever waits
		defer p.gate.leave()
		defer release()
		future = p.group.Raft.Apply(cmd, enqueueTimeout)
		ended <- future.Error()
	}()
	select {
	case err := <-ended:
		if err != nil {
			return nil, outcome.OfRaft(err)
		}
		return outcome.Response(future.Response())
	case <-ctx.Done():
		return nil, fmt.Errorf("%w: %w", outcome.ErrUnknownOutcome, context.Cause(ctx))
	}
}

// Forward asks the leader and turns its status into our errors. header may be nil.
func (p *Proposals) Forward(ctx context.Context, leader, path string, body []byte, header http.Header) ([]byte, error) {
	b, err := p.rpc.CallWith(ctx, leader, path, body, header)
	var answer *internode.CallError
	switch {
	case err == nil:
		return b, nil
	case errors.As(err, &answer):
		return nil, outcome.OfAnswer(answer)
	case errors.Is(err, internode.ErrNotSent):
		return nil, fmt.Errorf("%w: %w", outcome.ErrTryAgain, err)
	default:
		return nil, fmt.Errorf("%w: %w", outcome.ErrUnknownOutcome, err)
	}
}

// Reserve takes room for so many bytes of proposals in flight, of MaxInFlightBytes, until
// release is called; false where there is none.
func (p *Proposals) Reserve(bytes int64) (release func(), ok bool) {
	if !p.inFlight.TryAcquire(bytes) {
		return func() {}, false
	}
	return func() { p.inFlight.Release(bytes) }, true
}

// Drain lets nobody in any more and waits for the futures that raft still owes, 2 s at
// most; raft must be running for it.
func (p *Proposals) Drain(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, drainAtMost)
	defer cancel()
	return p.gate.shutAndWait(ctx)
}
