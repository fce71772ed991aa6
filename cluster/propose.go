package cluster

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/hashicorp/raft"
	"golang.org/x/sync/semaphore"

	"almenara/cluster/internode"
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

// errTryAgain says that nothing happened and another node, or this one a little
// later, may do it.
var errTryAgain = errors.New("not done here")

// onLeader runs here where this node leads, or there with the leader's id, and
// tries again while that fails with errTryAgain, until ctx ends.
func (p *proposals) onLeader(ctx context.Context, here func(context.Context) error, there func(context.Context, string) error) error {
	ctx, cancel := p.bounded(ctx)
	defer cancel()
	for {
		if p.stopping.Load() {
			return ErrStopped
		}
		select {
		case <-p.removed: // no leader will ever answer us again
			return fmt.Errorf("%w: %w", ErrStopped, ErrRemoved)
		default:
		}
		if p.quarantined() {
			return ErrQuarantined
		}
		err := errTryAgain
		_, changed := p.leadership.current()
		switch _, leader := p.raft.LeaderWithID(); {
		case p.raft.State() == raft.Leader:
			err = here(ctx)
		case leader != "" && string(leader) != p.self:
			err = there(ctx, string(leader))
		}
		if !errors.Is(err, errTryAgain) {
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
		return ErrStopped
	}
	return fmt.Errorf("%w: %w", ErrNoLeader, context.Cause(ctx))
}

// apply commits cmd on this leader.
func (p *proposals) apply(ctx context.Context, cmd []byte) ([]byte, error) {
	if err := p.upgrades.understood(ctx, p.versionOf(cmd)); err != nil {
		return nil, err
	}
	weight := int64(len(cmd)) + 256 // raft's own cost of an entry
	if p.quarantined() {
		return nil, ErrQuarantined
	}
	if !p.gate.enter() {
		return nil, ErrStopped
	}
	if p.dog.Full() {
		p.gate.leave()
		return nil, raftlog.ErrDiskFull
	}
	if p.dog.Slow() || !p.inFlight.TryAcquire(weight) {
		p.gate.leave()
		return nil, ErrBusy
	}
	outcome := make(chan error, 1)
	var future raft.ApplyFuture
	go func() { // the bytes stay in flight until raft lets go of them, whoever waits
		defer p.gate.leave()
		defer p.inFlight.Release(weight)
		future = p.raft.Apply(cmd, enqueueTimeout)
		outcome <- future.Error()
	}()
	select {
	case err := <-outcome:
		if err != nil {
			return nil, raftOutcome(err)
		}
		return response(future.Response())
	case <-ctx.Done():
		return nil, fmt.Errorf("%w: %w", ErrUnknownOutcome, context.Cause(ctx))
	}
}

// raftOutcome sorts raft's errors into "nothing happened" and "unknown".
func raftOutcome(err error) error {
	switch {
	case errors.Is(err, raft.ErrNotLeader), errors.Is(err, raft.ErrLeadershipTransferInProgress):
		return fmt.Errorf("%w: %w", errTryAgain, err) // refused before it was appended
	case errors.Is(err, raft.ErrEnqueueTimeout):
		return fmt.Errorf("%w: %w", ErrBusy, err) // never entered raft's queue
	default: // leadership lost, shutdown, aborted by restore
		return fmt.Errorf("%w: %w", ErrUnknownOutcome, err)
	}
}

func response(r any) ([]byte, error) {
	switch r := r.(type) {
	case nil:
		return nil, nil
	case []byte:
		return r, nil
	case error:
		return nil, &CommandError{Text: r.Error(), cause: r}
	default:
		return nil, &CommandError{Text: fmt.Sprintf("state machine answers %T", r)}
	}
}

// Statuses with which a node answers another's forwarded request.
const (
	statusNotLeader = http.StatusMisdirectedRequest  // 421: nothing happened, ask another
	statusFull      = http.StatusInsufficientStorage // 507: nothing happened
	statusBusy      = http.StatusServiceUnavailable  // 503: nothing happened
	statusCommand   = http.StatusUnprocessableEntity
	statusUnknown   = http.StatusGatewayTimeout // 504: outcome unknown
	statusTooLarge  = http.StatusRequestEntityTooLarge
	statusRefused   = http.StatusForbidden
	statusNoMember  = http.StatusNotFound
	statusOld       = http.StatusUpgradeRequired // 426: nothing happened, a member is too old
)

// forward asks the leader and turns its status into our errors. header may be nil.
func (p *proposals) forward(ctx context.Context, leader, path string, body []byte, header http.Header) ([]byte, error) {
	b, err := p.rpc.CallWith(ctx, leader, path, body, header)
	var answer *internode.CallError
	switch {
	case err == nil:
		return b, nil
	case errors.As(err, &answer):
		return nil, forwardedError(answer)
	case errors.Is(err, internode.ErrNotSent):
		return nil, fmt.Errorf("%w: %w", errTryAgain, err)
	default:
		return nil, fmt.Errorf("%w: %w", ErrUnknownOutcome, err)
	}
}

func forwardedError(answer *internode.CallError) error {
	switch answer.Status {
	case statusNotLeader, http.StatusGone: // Gone: the leader does not know us yet
		return fmt.Errorf("%w: %w", errTryAgain, answer)
	case statusFull:
		return fmt.Errorf("%w: %w", raftlog.ErrDiskFull, answer)
	case statusBusy:
		return fmt.Errorf("%w: %w", ErrBusy, answer)
	case statusTooLarge:
		return fmt.Errorf("%w: %w", internode.ErrTooLarge, answer)
	case statusCommand:
		return &CommandError{Text: answer.Text}
	case statusRefused:
		return fmt.Errorf("%w: %s", ErrRefused, strings.TrimPrefix(answer.Text, ErrRefused.Error()+": "))
	case statusOld:
		return readOld(answer.Text)
	case statusNoMember:
		return fmt.Errorf("%w: %s", ErrNotMember, answer.Text)
	default:
		return fmt.Errorf("%w: %w", ErrUnknownOutcome, answer)
	}
}

// fail answers a forwarded request with err.
func fail(w http.ResponseWriter, err error) {
	status := statusUnknown
	var command *CommandError
	text := err.Error()
	old, isOld := asOld(err)
	switch {
	case isOld:
		status, text = statusOld, old
	case errors.Is(err, ErrRefused): // also for a reason that the state machine gave
		status = statusRefused
	case errors.As(err, &command):
		status, text = statusCommand, command.Error()
	case errors.Is(err, errTryAgain), errors.Is(err, ErrStopped), errors.Is(err, ErrNoLeader), errors.Is(err, ErrQuarantined):
		status = statusNotLeader
	case errors.Is(err, raftlog.ErrDiskFull):
		status = statusFull
	case errors.Is(err, ErrBusy):
		status = statusBusy
	case errors.Is(err, internode.ErrTooLarge):
		status = statusTooLarge
	case errors.Is(err, ErrNotMember):
		status = statusNoMember
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(text))
}

// drain lets nobody in any more and waits for the futures that raft still owes, 2 s at
// most; raft must be running for it.
func (p *proposals) drain(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, drainTimeout)
	defer cancel()
	return p.gate.shutAndWait(ctx)
}
