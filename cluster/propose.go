package cluster

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/hashicorp/raft"
	"golang.org/x/sync/semaphore"

	"almenara/cluster/internode"
	"almenara/cluster/outcome"
	"almenara/cluster/raftlog"
)

// Bounds of proposals. Raft would queue 128 batches of 64 entries in front of a
// slow state machine: 512 MiB of entries of 64 KiB.
const (
	maxInFlightBytes = 8 << 20   // of one leader
	maxCommandBytes  = 256 << 10 // one entry must fit one Badger transaction
	proposeTimeout   = 10 * time.Second
	enqueueTimeout   = 2 * time.Second
	retryPause       = 50 * time.Millisecond
)

// proposals is the way to the leader: of commands, and of questions for its index.
type proposals struct {
	*group
	leadership  *leadership
	upgrades    *upgrades
	rpc         *internode.RPC
	dog         *raftlog.Watchdog
	store       raftlog.Store
	versionOf   func(cmd []byte) uint64
	quarantined func() bool     // nothing is agreed here any more
	removed     <-chan struct{} // closed once this node is no member any more

	ctx      context.Context // ends with Stop
	stopping atomic.Bool
	inFlight *semaphore.Weighted // bytes of proposals on this leader
	gate     gate                // futures that are awaited
}

// propose is Cluster.Propose.
func (p *proposals) propose(ctx context.Context, cmd []byte) ([]byte, error) {
	if len(cmd) > maxCommandBytes {
		return nil, fmt.Errorf("proposing %d bytes: %w", len(cmd), internode.ErrTooLarge)
	}
	if err := p.upgrades.understood(ctx, p.versionOf(cmd)); err != nil { // an old leader would not ask
		return nil, fmt.Errorf("proposing: %w", err)
	}
	var answer []byte
	err := p.onLeader(ctx, func(ctx context.Context) (err error) {
		answer, err = p.apply(ctx, cmd)
		return err
	}, func(ctx context.Context, leader string) (err error) {
		answer, err = p.forward(ctx, leader, "/cluster/propose", cmd, nil)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("proposing: %w", err)
	}
	return answer, nil
}

// onLeader runs here where this node leads, or there with the leader's id, and
// tries again while that fails with errTryAgain, until ctx ends.
func (p *proposals) onLeader(ctx context.Context, here func(context.Context) error, there func(context.Context, string) error) error {
	ctx, cancel := p.bounded(ctx)
	defer cancel()
	for {
		if p.stopping.Load() {
			return outcome.ErrStopped
		}
		select {
		case <-p.removed: // no leader will ever answer us again
			return fmt.Errorf("%w: %w", outcome.ErrStopped, outcome.ErrRemoved)
		default:
		}
		if p.quarantined() {
			return outcome.ErrQuarantined
		}
		err := outcome.ErrTryAgain
		_, changed := p.leadership.current()
		switch _, leader := p.raft.LeaderWithID(); {
		case p.raft.State() == raft.Leader:
			err = here(ctx)
		case leader != "" && string(leader) != p.self:
			err = there(ctx, string(leader))
		}
		if !errors.Is(err, outcome.ErrTryAgain) {
			return err
		}
		if !waitFor(ctx, changed, retryPause) {
			return p.noLeader(ctx)
		}
	}
}

// bounded ends with ctx, with the node, and after proposeTimeout when ctx has no
// deadline.
func (p *proposals) bounded(ctx context.Context) (context.Context, context.CancelFunc) {
	var cancel context.CancelFunc
	if _, ok := ctx.Deadline(); ok {
		ctx, cancel = context.WithCancel(ctx)
	} else {
		ctx, cancel = context.WithTimeout(ctx, proposeTimeout)
	}
	stop := context.AfterFunc(p.ctx, cancel)
	return ctx, func() { stop(); cancel() }
}

// waitFor returns false when ctx has ended.
func waitFor(ctx context.Context, changed <-chan struct{}, atMost time.Duration) bool {
	t := time.NewTimer(atMost)
	defer t.Stop()
	select {
	case <-changed:
	case <-t.C:
	case <-ctx.Done():
	}
	return ctx.Err() == nil
}

func (p *proposals) noLeader(ctx context.Context) error {
	if p.stopping.Load() {
		return outcome.ErrStopped
	}
	return fmt.Errorf("%w: %w", outcome.ErrNoLeader, context.Cause(ctx))
}

// apply commits cmd on this leader.
func (p *proposals) apply(ctx context.Context, cmd []byte) ([]byte, error) {
	if err := p.upgrades.understood(ctx, p.versionOf(cmd)); err != nil {
		return nil, err
	}
	weight := int64(len(cmd)) + 256 // raft's own cost of an entry
	if p.quarantined() {
		return nil, outcome.ErrQuarantined
	}
	if !p.gate.enter() {
		return nil, outcome.ErrStopped
	}
	if p.dog.Full() {
		p.gate.leave()
		return nil, raftlog.ErrDiskFull
	}
	if p.dog.Slow() || !p.inFlight.TryAcquire(weight) {
		p.gate.leave()
		return nil, outcome.ErrBusy
	}
	ended := make(chan error, 1)
	var future raft.ApplyFuture
	go func() { // the bytes stay in flight until raft lets go of them, whoever waits
		defer p.gate.leave()
		defer p.inFlight.Release(weight)
		future = p.raft.Apply(cmd, enqueueTimeout)
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

// forward asks the leader and turns its status into our errors. header may be nil.
func (p *proposals) forward(ctx context.Context, leader, path string, body []byte, header http.Header) ([]byte, error) {
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

// drain lets nobody in any more and waits for the futures that raft still owes, 2 s at
// most; raft must be running for it.
func (p *proposals) drain(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, drainTimeout)
	defer cancel()
	return p.gate.shutAndWait(ctx)
}
