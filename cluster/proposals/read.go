package proposals

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net/http"

	"almenara/cluster/internode"
	"almenara/cluster/outcome"
)

// Linearizable is Cluster.Linearizable.
func (p *Proposals) Linearizable(ctx context.Context) error {
	var index uint64
	err := p.OnLeader(ctx, func(ctx context.Context) (err error) {
		index, err = p.readIndex(ctx)
		return err
	}, func(ctx context.Context, leader string) error {
		b, err := p.Forward(ctx, leader, "/cluster/index", nil, nil)
		if err == nil && len(b) != 8 {
			err = errors.New("leader's index is malformed")
		}
		if err == nil {
			index = binary.BigEndian.Uint64(b)
		}
		if errors.Is(err, outcome.ErrUnknownOutcome) { // a question has no outcome: ask again
			err = fmt.Errorf("%w: %w", outcome.ErrTryAgain, err)
		}
		return err
	})
	if err == nil {
		ctx, cancel := p.bounded(ctx)
		defer cancel()
		err = p.group.FSM.WaitFor(ctx, p.group.Raft, p.store, index)
	}
	if err != nil {
		return fmt.Errorf("reading index: %w", err)
	}
	return nil
}

// readIndex is an index below which nothing is missing that anyone was told, on
// this leader.
func (p *Proposals) readIndex(ctx context.Context) (uint64, error) {
	now, _ := p.leadership.current()
	term := p.group.Raft.CurrentTerm()
	if !now.Leader || now.Term != term { // its own first entry is not committed yet
		return 0, outcome.ErrTryAgain
	}
	index := p.group.Raft.CommitIndex()
	if err := p.verifyLeader(ctx); err != nil {
		return 0, fmt.Errorf("%w: %w", outcome.ErrTryAgain, err)
	}
	if p.group.Raft.CurrentTerm() != term {
		return 0, outcome.ErrTryAgain
	}
	return index, nil
}

func (p *Proposals) verifyLeader(ctx context.Context) error {
	if !p.gate.enter() {
		return outcome.ErrStopped
	}
	verified := make(chan error, 1)
	go func() {
		defer p.gate.leave()
		verified <- p.group.Raft.VerifyLeader().Error()
	}()
	select {
	case err := <-verified:
		return err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (p *Proposals) HandleIndex(w http.ResponseWriter, req *http.Request) {
	index, err := p.readIndex(req.Context())
	if err != nil {
		outcome.Write(w, err)
		return
	}
	_, _ = w.Write(binary.BigEndian.AppendUint64(nil, index))
}

func (p *Proposals) HandlePropose(w http.ResponseWriter, req *http.Request) {
	cmd, ok := internode.ReadBody(w, req)
	if !ok {
		return
	}
	if len(cmd) > maxCommandBytes {
		outcome.Write(w, internode.ErrTooLarge)
		return
	}
	answer, err := p.apply(req.Context(), cmd)
	if err != nil {
		outcome.Write(w, err)
		return
	}
	_, _ = w.Write(answer)
}
