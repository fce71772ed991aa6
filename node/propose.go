package node

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"

	"almenara/cluster"
	"almenara/cluster/command"
	"almenara/node/wire"
)

// proposeTime bounds how long a command may take before its outcome is called
// unknown: several elections.
const proposeTime = 10 * time.Second

// retryTime is the pause before a command of unknown outcome is repeated.
const retryTime = 50 * time.Millisecond

// propose commits a command through the leader, wherever that is. An unknown
// outcome is tried again under the same request id until the time is over.
func (n *Node) propose(ctx context.Context, actor string, payload command.Payload) (command.Result, error) {
	var id [16]byte
	_, _ = rand.Read(id[:]) // never fails (crypto/rand)
	raw, err := command.Command{
		RequestID: hex.EncodeToString(id[:]), Actor: actor, At: n.options.Clock().UnixMilli(), Payload: payload,
	}.Encode()
	if err != nil {
		return command.Result{}, fmt.Errorf("encoding the command: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, n.patience())
	defer cancel()
	answer, err := persist(ctx, func(ctx context.Context) ([]byte, error) { return n.cluster.Propose(ctx, raw) })
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
		var said *cluster.CommandError
		switch {
		case err == nil || errors.As(err, &said):
			return answer, err
		case errors.Is(err, cluster.ErrUnknownOutcome):
			unknown = true
		case !unknown:
			return nil, err
		}
		final := errors.Is(err, cluster.ErrStopped) || errors.Is(err, cluster.ErrQuarantined)
		if final || !pause(ctx, retryTime) {
			return nil, fmt.Errorf("%w: %v", cluster.ErrUnknownOutcome, err)
		}
	}
}

// patience is how long a command may take now.
func (n *Node) patience() time.Duration {
	if n.contact.now().alone {
		return aloneTime
	}
	return proposeTime
}

// pause returns false when ctx has ended.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
	return ctx.Err() == nil
}

// change is propose for the API: errors become the caller's problem, and what was
// changed shows on this node.
func (n *Node) change(ctx context.Context, actor string, payload command.Payload) (command.Result, error) {
	result, err := n.propose(ctx, actor, payload)
	if err != nil {
		return result, n.problem(err)
	}
	n.catchUp(ctx)
	return result, nil
}

// catchUpTime bounds how long an answer waits for this node's copy.
const catchUpTime = time.Second

// catchUp waits until this node has applied what it was just told is committed, so
// that a token or a device that was answered here is known here. That it takes too
// long changes nothing of that it is committed.
func (n *Node) catchUp(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, catchUpTime)
	defer cancel()
	_ = n.cluster.Linearizable(ctx)
}

// UpToDate implements api.Reader.
func (n *Node) UpToDate(ctx context.Context) error {
	err := n.upToDate(ctx)
	var p *wire.Problem
	if errors.As(err, &p) && p.Kind == wire.KindUnknownOutcome { // a question has no outcome
		return wire.Problemf(wire.KindBusy, "this node could not get up to date in time; ask again, or without consistent=true")
	}
	return err
}

// upToDate waits until this node's copy has everything that was committed before.
func (n *Node) upToDate(ctx context.Context) error {
	if n.space.full() {
		return wire.Problemf(wire.KindBusy, "nothing happened: %s", n.space.sentence())
	}
	ctx, cancel := context.WithTimeout(ctx, n.patience())
	defer cancel()
	if err := n.cluster.Linearizable(ctx); err != nil {
		return n.problem(err)
	}
	return nil
}

// problem says in one sentence what an error of propose means for the caller.
func (n *Node) problem(err error) error {
	var old *cluster.NotUpgradedError
	switch {
	case errors.As(err, &old):
		return n.notUpgraded(old)
	case errors.Is(err, cluster.ErrNoLeader):
		since := ""
		if l := n.contact.now(); !l.since.IsZero() {
			since = " since " + l.since.UTC().Format(sinceForm)
		}
		return wire.Problemf(wire.KindNoQuorum, "this needs a majority of the district's nodes, and none can be reached from here%s; "+
			"alerts of central systems and under a licence, cancels, corrections and receipts still work", since)
	case errors.Is(err, cluster.ErrQuarantined):
		return wire.Problemf(wire.KindNoQuorum, "the district was recovered without this node, so nothing can be agreed here until it has joined anew with almenara rejoin; "+
			"alerts of central systems and under a licence, cancels, corrections and receipts still work")
	case errors.Is(err, cluster.ErrStopped):
		return wire.Problemf(wire.KindNotReady, "the node is stopping; nothing happened")
	case errors.Is(err, cluster.ErrTooLarge):
		return wire.Problemf(wire.KindTooLarge, "this is larger than one entry of the log may be; nothing happened")
	case errors.Is(err, cluster.ErrDiskFull):
		return wire.Problemf(wire.KindBusy, "nothing happened: the disk of the node that leads the district is full; alerts, cancels and receipts still work")
	case errors.Is(err, cluster.ErrBusy):
		return wire.Problemf(wire.KindBusy, "the district is busy; nothing happened, try again")
	case errors.Is(err, cluster.ErrUnknownOutcome), errors.Is(err, context.DeadlineExceeded):
		return wire.Problemf(wire.KindUnknownOutcome, "it is not known whether this happened; look before you try again")
	case errors.Is(err, command.ErrNotFound):
		return wire.Problemf(wire.KindNotFound, "%v", sentence(err))
	case errors.Is(err, command.ErrConflict), errors.Is(err, command.ErrExpired):
		return wire.Problemf(wire.KindConflict, "%v", sentence(err))
	case errors.Is(err, cluster.ErrRefused), errors.Is(err, command.ErrInvalid), errors.Is(err, command.ErrMalformed), errors.Is(err, command.ErrTooLarge):
		return wire.Problemf(wire.KindRefused, "%v", sentence(err))
	}
	return err
}

// sentence is the state machine's own words without the chain around them.
func sentence(err error) string {
	var refused *cluster.CommandError
	if errors.As(err, &refused) {
		return refused.Text
	}
	return strings.TrimPrefix(err.Error(), "encoding the command: ")
}
