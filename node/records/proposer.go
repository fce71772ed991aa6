package records

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"almenara/cluster"
	"almenara/cluster/command"
	"almenara/cluster/internode"
	"almenara/cluster/outcome"
	"almenara/cluster/raftlog"
	"almenara/cluster/refusal"
	"almenara/node/alone"
	"almenara/node/wire"
	"almenara/node/wire/why"
	"almenara/storage"
	"almenara/storage/wait"
)

// proposeTime bounds how long a command may take before its outcome is called
// unknown: several elections.
const proposeTime = 10 * time.Second

// aloneTime is how long a command waits for a majority when the node is alone: whoever
// asks at night needs the answer, not the wait.
const aloneTime = time.Second

// sinceForm is how sentences write a moment.
const sinceForm = "15:04:05 UTC on 2 January"

// retryTime is the pause before a command of unknown outcome is repeated.
const retryTime = 50 * time.Millisecond

// Link is the way to the log; *cluster.Cluster is one.
type Link interface {
	Propose(ctx context.Context, entry []byte) ([]byte, error)
	Linearizable(ctx context.Context) error
	Understands(ctx context.Context, version uint64) error
	Status() cluster.Status
}

// Room is how full the disk is; *machine.Disk is one.
type Room interface {
	Full() bool
	Sentence() why.Sentence
	Refusal() error // of what needs much room; nil while there is room
}

// ProposerOptions say what a Proposer needs. None may be nil.
type ProposerOptions struct {
	Store  *storage.Store
	Alone  func() alone.State
	Room   Room
	Clock  func() time.Time
	Timed  <-chan struct{} // closed once the clock is right by the word of a majority
	Logger *slog.Logger
}

// Proposer has changes agreed on, and says in one sentence what an error of that means. Its
// methods may be called from any goroutine once Connect was.
type Proposer struct {
	store *storage.Store
	alone func() alone.State
	disk  Room
	clock func() time.Time
	timed <-chan struct{}
	log   *slog.Logger

	cluster Link
}

// NewProposer makes one that has no way to the log yet.
func NewProposer(o ProposerOptions) *Proposer {
	return &Proposer{store: o.Store, alone: o.Alone, disk: o.Room, clock: o.Clock, timed: o.Timed, log: o.Logger}
}

// Connect gives it the way to the log, before anything is proposed.
func (p *Proposer) Connect(link Link) { p.cluster = link }

// Propose commits a command through the leader, wherever that is. An unknown
// outcome is tried again under the same request id until the time is over. A node that has just come
// back proposes nothing before a majority has said what time it is.
func (p *Proposer) Propose(ctx context.Context, actor string, payload command.Payload) (command.Result, error) {
	ctx, cancel := context.WithTimeout(ctx, p.patience())
	defer cancel()
	select {
	case <-p.timed:
	case <-ctx.Done():
		return command.Result{}, fmt.Errorf("waiting for a majority to say what time it is: %w", outcome.ErrNoLeader)
	}
	var id [16]byte
	_, _ = rand.Read(id[:]) // never fails (crypto/rand)
	raw, err := command.Command{
		RequestID: hex.EncodeToString(id[:]), Actor: actor, At: p.clock().UnixMilli(), Payload: payload,
	}.Encode()
	if err != nil {
		return command.Result{}, fmt.Errorf("encoding the command: %w", err)
	}
	answer, err := persist(ctx, func(ctx context.Context) ([]byte, error) { return p.cluster.Propose(ctx, raw) })
	if err != nil {
		return command.Result{}, err
	}
	result, err := command.DecodeResult(answer)
	if err != nil {
		return command.Result{}, err
	}
	return result, result.Error()
}

// persist proposes again while the outcome is unknown. Once one attempt's is, it stays
// so whatever a later attempt says of itself (busy, no leader, stopping): only the state
// machine's answer, which is the first one's by the request id, tells what happened.
func persist(ctx context.Context, propose func(context.Context) ([]byte, error)) ([]byte, error) {
	unknown := false
	for {
		answer, err := propose(ctx)
		var said *outcome.CommandError
		switch {
		case err == nil || errors.As(err, &said):
			return answer, err
		case errors.Is(err, outcome.ErrUnknownOutcome):
			unknown = true
		case !unknown:
			return nil, err
		}
		final := errors.Is(err, outcome.ErrStopped) || errors.Is(err, outcome.ErrQuarantined)
		if final || !wait.Sleep(ctx, retryTime) {
			return nil, fmt.Errorf("%w: %v", outcome.ErrUnknownOutcome, err)
		}
	}
}

// patience is how long a command may take now.
func (p *Proposer) patience() time.Duration {
	if p.alone().Alone {
		return aloneTime
	}
	return proposeTime
}

// Change is propose for the API: errors become the caller's problem, and what was
// changed shows on this node.
func (p *Proposer) Change(ctx context.Context, actor string, payload command.Payload) (command.Result, error) {
	result, err := p.Propose(ctx, actor, payload)
	if err != nil {
		return result, p.Problem(err)
	}
	p.CatchUp(ctx)
	return result, nil
}

// catchUpTime bounds how long an answer waits for this node's copy.
const catchUpTime = time.Second

// CatchUp waits until this node has applied what it was just told is committed, so
// that a token or a device that was answered here is known here. That it takes too
// long changes nothing of that it is committed.
func (p *Proposer) CatchUp(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, catchUpTime)
	defer cancel()
	_ = p.cluster.Linearizable(ctx)
}

// UpToDate implements service.Reader.
func (p *Proposer) UpToDate(ctx context.Context) error {
	err := p.AwaitAgreed(ctx)
	var problem *wire.Problem
	if errors.As(err, &problem) && problem.Kind == wire.KindUnknownOutcome { // a question has no outcome
		return wire.Problemf(wire.KindBusy, "this node could not get up to date in time; ask again, or without consistent=true").Because(why.Behind)
	}
	return err
}

// AwaitAgreed waits until this node's copy has everything that was committed before.
func (p *Proposer) AwaitAgreed(ctx context.Context) error {
	if p.disk.Full() {
		return wire.Problemf(wire.KindBusy, "nothing happened: %s", p.disk.Sentence()).Because(why.DiskFull)
	}
	ctx, cancel := context.WithTimeout(ctx, p.patience())
	defer cancel()
	if err := p.cluster.Linearizable(ctx); err != nil {
		return p.Problem(err)
	}
	return nil
}

// Problem says in one sentence what an error of propose means for the caller.
func (p *Proposer) Problem(err error) error {
	var old *outcome.NotUpgradedError
	switch {
	case errors.As(err, &old):
		return p.notUpgraded(old)
	case errors.Is(err, outcome.ErrNoLeader):
		since := ""
		if s := p.alone(); !s.Since.IsZero() {
			since = " since " + s.Since.UTC().Format(sinceForm)
		}
		return wire.Problemf(wire.KindNoQuorum, "this needs a majority of the district's nodes, and none can be reached from here%s; "+
			"alerts of central systems and under a licence, cancels, corrections and receipts still work", since).Because(why.NoMajority)
	case errors.Is(err, outcome.ErrQuarantined):
		return wire.Problemf(wire.KindNoQuorum, "the district was recovered without this node, so nothing can be agreed here until it has joined anew with almenara rejoin; "+
			"alerts of central systems and under a licence, cancels, corrections and receipts still work").Because(why.NoMajority)
	case errors.Is(err, outcome.ErrStopped):
		return wire.Problemf(wire.KindNotReady, "the node is stopping; nothing happened").Because(why.Stopping)
	case errors.Is(err, internode.ErrTooLarge):
		return wire.Problemf(wire.KindTooLarge, "this is larger than one entry of the log may be; nothing happened").Because(why.EntryLarge)
	case errors.Is(err, raftlog.ErrDiskFull):
		return wire.Problemf(wire.KindBusy, "nothing happened: the disk of the node that leads the district is full; alerts, cancels and receipts still work").Because(why.LeaderFull)
	case errors.Is(err, outcome.ErrBusy):
		return wire.Problemf(wire.KindBusy, "the district is busy; nothing happened, try again").Because(why.Busy)
	case errors.Is(err, outcome.ErrUnknownOutcome), errors.Is(err, context.DeadlineExceeded):
		return wire.Problemf(wire.KindUnknownOutcome, "it is not known whether this happened; look before you try again").Because(why.Unknown)
	case errors.Is(err, command.ErrNotFound):
		return wire.Problemf(wire.KindNotFound, "%v", sentence(err)).Because(why.RecordGone, refusal.Said(err, sentence(err)))
	case errors.Is(err, command.ErrConflict), errors.Is(err, command.ErrExpired):
		return wire.Problemf(wire.KindConflict, "%v", sentence(err)).Because(why.RecordDiffers, refusal.Said(err, sentence(err)))
	case errors.Is(err, outcome.ErrRefused), errors.Is(err, command.ErrInvalid), errors.Is(err, command.ErrMalformed), errors.Is(err, command.ErrTooLarge):
		return wire.Problemf(wire.KindRefused, "%v", sentence(err)).Because(why.RecordUnfit, refusal.Said(err, sentence(err)))
	}
	return err
}

// sentence is the state machine's own words without the chain around them.
func sentence(err error) string {
	var refused *outcome.CommandError
	if errors.As(err, &refused) {
		return refused.Text
	}
	return strings.TrimPrefix(err.Error(), "encoding the command: ")
}
