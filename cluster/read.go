package cluster

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/hashicorp/raft"
)

// appliedTick is how often a follower looks whether raft has got as far as an
// index that the state machine will never see (a leader's first, empty entry).
const appliedTick = 5 * time.Millisecond

// Barrier returns when everything committed before the call is applied on this
// node, whether it leads or follows. It is Linearizable under raft's name.
func (c *Cluster) Barrier(ctx context.Context) error { return c.Linearizable(ctx) }

// Linearizable returns when a read of the local state machine will see every
// command that was answered anywhere before the call: the leader's commit index
// is taken, its leadership confirmed by a majority, and the index applied here
// (Raft dissertation §6.4). Without a deadline in ctx it takes at most 10 s.
// ErrNoLeader means that no such promise can be had now; the local state may still
// be read, with its age shown.
func (c *Cluster) Linearizable(ctx context.Context) error {
	var index uint64
	err := c.onLeader(ctx, func(ctx context.Context) (err error) {
		index, err = c.readIndex(ctx)
		return err
	}, func(ctx context.Context, leader string) error {
		b, err := c.forward(ctx, leader, "/cluster/index", nil)
		if err == nil && len(b) != 8 {
			err = errors.New("leader's index is malformed")
		}
		if err == nil {
			index = binary.BigEndian.Uint64(b)
		}
		if errors.Is(err, ErrUnknownOutcome) { // a question has no outcome: ask again
			err = fmt.Errorf("%w: %w", errTryAgain, err)
		}
		return err
	})
	if err == nil {
		ctx, cancel := c.bounded(ctx)
		defer cancel()
		err = c.waitApplied(ctx, index)
	}
	if err != nil {
		return fmt.Errorf("reading index: %w", err)
	}
	return nil
}

// readIndex is an index below which nothing is missing that anyone was told, on
// this leader.
func (c *Cluster) readIndex(ctx context.Context) (uint64, error) {
	now, _ := c.leadership.current()
	term := c.raft.CurrentTerm()
	if !now.Leader || now.Term != term { // its own first entry is not committed yet
		return 0, errTryAgain
	}
	index := c.raft.CommitIndex()
	if err := c.verifyLeader(ctx); err != nil {
		return 0, fmt.Errorf("%w: %w", errTryAgain, err)
	}
	if c.raft.CurrentTerm() != term {
		return 0, errTryAgain
	}
	return index, nil
}

func (c *Cluster) verifyLeader(ctx context.Context) error {
	if !c.proposals.enter() {
		return ErrStopped
	}
	verified := make(chan error, 1)
	go func() {
		defer c.proposals.leave()
		verified <- c.raft.VerifyLeader().Error()
	}()
	select {
	case err := <-verified:
		return err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// waitApplied returns when the state machine has applied everything up to index.
// Raft counts entries that the state machine never sees, so the wait is for the
// last entry at or below index that it does see.
func (c *Cluster) waitApplied(ctx context.Context, index uint64) error {
	tick := time.NewTicker(appliedTick)
	defer tick.Stop()
	for c.raft.AppliedIndex() < index && c.fsm.index() < index {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("waiting for index %d: %w", index, context.Cause(ctx))
		}
	}
	return c.fsm.wait(ctx, c.lastSeen(index))
}

func (c *Cluster) lastSeen(index uint64) uint64 {
	for i := index; i > c.fsm.index(); i-- {
		var l raft.Log
		if err := c.store.GetLog(i, &l); err != nil {
			return 0 // compacted, so it is in the state machine
		}
		if l.Type == raft.LogCommand || l.Type == raft.LogConfiguration {
			return i
		}
	}
	return 0
}

func (c *Cluster) handleIndex(w http.ResponseWriter, req *http.Request) {
	index, err := c.readIndex(req.Context())
	if err != nil {
		fail(w, err)
		return
	}
	_, _ = w.Write(binary.BigEndian.AppendUint64(nil, index))
}

func (c *Cluster) handlePropose(w http.ResponseWriter, req *http.Request) {
	cmd, ok := readBody(w, req)
	if !ok {
		return
	}
	if len(cmd) > maxCommandBytes {
		fail(w, ErrTooLarge)
		return
	}
	answer, err := c.apply(req.Context(), cmd)
	if err != nil {
		fail(w, err)
		return
	}
	_, _ = w.Write(answer)
}

// routes are the paths of this package.
func (c *Cluster) routes() {
	c.rpc.mux.HandleFunc("POST /cluster/propose", c.handlePropose)
	c.rpc.mux.HandleFunc("POST /cluster/index", c.handleIndex)
	c.rpc.mux.HandleFunc("POST /cluster/ping", c.handlePing)
	c.rpc.mux.HandleFunc("POST /cluster/address", c.handleAddress)
	c.rpc.mux.HandleFunc("POST /cluster/join", c.handleForwardedJoin)
	c.rpc.mux.HandleFunc("POST /cluster/remove", c.handleRemove)
}
