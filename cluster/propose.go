package cluster

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/hashicorp/raft"
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

// Propose commits cmd and returns the state machine's answer: on return it is
// durable on a majority and applied on the leader. A follower forwards it. While
// there is no leader it waits; without a deadline in ctx, 10 s in all.
//
// A command of a version that some member is not known to understand is refused: it
// would stop that member. See Understands.
//
// Errors: ErrNotUpgraded, ErrNoLeader, ErrBusy, ErrDiskFull, ErrTooLarge and ErrStopped mean that nothing
// happened. ErrUnknownOutcome means that the command may be committed now or
// later: repeat it with its request id. *CommandError is the state machine's own
// error for a command that was committed.
func (c *Cluster) Propose(ctx context.Context, cmd []byte) ([]byte, error) {
	if len(cmd) > maxCommandBytes {
		return nil, fmt.Errorf("proposing %d bytes: %w", len(cmd), ErrTooLarge)
	}
	if err := c.Understands(ctx, c.options.VersionOf(cmd)); err != nil { // an old leader would not ask
		return nil, fmt.Errorf("proposing: %w", err)
	}
	var answer []byte
	err := c.onLeader(ctx, func(ctx context.Context) (err error) {
		answer, err = c.apply(ctx, cmd)
		return err
	}, func(ctx context.Context, leader string) (err error) {
		answer, err = c.forward(ctx, leader, "/cluster/propose", cmd)
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
func (c *Cluster) onLeader(ctx context.Context, here func(context.Context) error, there func(context.Context, string) error) error {
	ctx, cancel := c.bounded(ctx)
	defer cancel()
	for {
		if c.stopping.Load() {
			return ErrStopped
		}
		select {
		case <-c.removed: // no leader will ever answer us again
			return fmt.Errorf("%w: %w", ErrStopped, ErrRemoved)
		default:
		}
		if c.quarantine.Load() != nil {
			return ErrQuarantined
		}
		err := errTryAgain
		_, changed := c.leadership.current()
		switch _, leader := c.raft.LeaderWithID(); {
		case c.raft.State() == raft.Leader:
			err = here(ctx)
		case leader != "" && string(leader) != c.NodeID():
			err = there(ctx, string(leader))
		}
		if !errors.Is(err, errTryAgain) {
			return err
		}
		if !waitFor(ctx, changed, retryPause) {
			return c.noLeader(ctx)
		}
	}
}

// bounded ends with ctx, with the node, and after proposeTimeout when ctx has no
// deadline.
func (c *Cluster) bounded(ctx context.Context) (context.Context, context.CancelFunc) {
	var cancel context.CancelFunc
	if _, ok := ctx.Deadline(); ok {
		ctx, cancel = context.WithCancel(ctx)
	} else {
		ctx, cancel = context.WithTimeout(ctx, proposeTimeout)
	}
	stop := context.AfterFunc(c.ctx, cancel)
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

func (c *Cluster) noLeader(ctx context.Context) error {
	if c.stopping.Load() {
		return ErrStopped
	}
	return fmt.Errorf("%w: %w", ErrNoLeader, context.Cause(ctx))
}

// apply commits cmd on this leader.
func (c *Cluster) apply(ctx context.Context, cmd []byte) ([]byte, error) {
	if err := c.Understands(ctx, c.options.VersionOf(cmd)); err != nil {
		return nil, err
	}
	weight := int64(len(cmd)) + 256 // raft's own cost of an entry
	if c.quarantine.Load() != nil {
		return nil, ErrQuarantined
	}
	if !c.proposals.enter() {
		return nil, ErrStopped
	}
	if c.dog.full.Load() {
		c.proposals.leave()
		return nil, ErrDiskFull
	}
	if c.dog.stalled() > stallWarning || !c.inFlight.TryAcquire(weight) {
		c.proposals.leave()
		return nil, ErrBusy
	}
	outcome := make(chan error, 1)
	var future raft.ApplyFuture
	go func() { // the bytes stay in flight until raft lets go of them, whoever waits
		defer c.proposals.leave()
		defer c.inFlight.Release(weight)
		future = c.raft.Apply(cmd, enqueueTimeout)
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

// forward asks the leader and turns its status into our errors.
func (c *Cluster) forward(ctx context.Context, leader, path string, body []byte) ([]byte, error) {
	b, err := c.rpc.call(ctx, leader, path, body)
	var answer *CallError
	switch {
	case err == nil:
		return b, nil
	case errors.As(err, &answer):
		return nil, forwardedError(answer)
	case errors.Is(err, ErrNotSent):
		return nil, fmt.Errorf("%w: %w", errTryAgain, err)
	default:
		return nil, fmt.Errorf("%w: %w", ErrUnknownOutcome, err)
	}
}

func forwardedError(answer *CallError) error {
	switch answer.Status {
	case statusNotLeader, http.StatusGone: // Gone: the leader does not know us yet
		return fmt.Errorf("%w: %w", errTryAgain, answer)
	case statusFull:
		return fmt.Errorf("%w: %w", ErrDiskFull, answer)
	case statusBusy:
		return fmt.Errorf("%w: %w", ErrBusy, answer)
	case statusTooLarge:
		return fmt.Errorf("%w: %w", ErrTooLarge, answer)
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
	case errors.Is(err, ErrDiskFull):
		status = statusFull
	case errors.Is(err, ErrBusy):
		status = statusBusy
	case errors.Is(err, ErrTooLarge):
		status = statusTooLarge
	case errors.Is(err, ErrNotMember):
		status = statusNoMember
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(text))
}
