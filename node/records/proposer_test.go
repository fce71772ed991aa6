package records

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"almenara/cluster/command"
	"almenara/cluster/outcome"
	"almenara/cluster/raftlog"
	"almenara/node/alone"
	"almenara/node/wire"
	"almenara/node/wire/why"
	"almenara/storage/coded"
)

// TestPersist holds that nobody is told "nothing happened" of what may have happened.
func TestPersist(t *testing.T) {
	unknown := fmt.Errorf("the leader fell silent: %w", outcome.ErrUnknownOutcome)
	for name, attempts := range map[string]struct {
		say  []error // the last one for ever
		want error
	}{
		"known at once":                   {[]error{nil}, nil},
		"refused at once":                 {[]error{outcome.ErrBusy}, outcome.ErrBusy},
		"no leader at all":                {[]error{outcome.ErrNoLeader}, outcome.ErrNoLeader},
		"known in the end":                {[]error{unknown, outcome.ErrBusy, outcome.ErrNoLeader, nil}, nil},
		"unknown, then busy":              {[]error{unknown, outcome.ErrBusy}, outcome.ErrUnknownOutcome},
		"unknown, then no leader":         {[]error{unknown, outcome.ErrNoLeader}, outcome.ErrUnknownOutcome},
		"unknown, then a full disk":       {[]error{unknown, raftlog.ErrDiskFull}, outcome.ErrUnknownOutcome},
		"unknown, then the node stops":    {[]error{unknown, outcome.ErrStopped}, outcome.ErrUnknownOutcome},
		"unknown, then recovered anew":    {[]error{unknown, outcome.ErrQuarantined}, outcome.ErrUnknownOutcome},
		"unknown for as long as it lasts": {[]error{unknown}, outcome.ErrUnknownOutcome},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
				defer cancel()
				tries := 0
				answer, err := persist(ctx, func(context.Context) ([]byte, error) {
					tries++
					if err := attempts.say[min(tries, len(attempts.say))-1]; err != nil {
						return nil, err
					}
					return []byte("done"), nil
				})
				if attempts.want == nil {
					require.NoError(t, err)
					require.Equal(t, "done", string(answer))
					return
				}
				require.ErrorIs(t, err, attempts.want)
				if attempts.want == outcome.ErrUnknownOutcome {
					require.NotErrorIs(t, err, outcome.ErrBusy)
				}
			})
		})
	}
}

// The state machine's own refusal is an answer, also after an unknown outcome.
func TestPersist_BelievesTheStateMachine(t *testing.T) {
	first := true
	_, err := persist(t.Context(), func(context.Context) ([]byte, error) {
		if first {
			first = false
			return nil, outcome.ErrUnknownOutcome
		}
		return nil, &outcome.CommandError{Text: "there is one already"}
	})
	var said *outcome.CommandError
	require.ErrorAs(t, err, &said)
}

// fullDisk is a Room without room.
type fullDisk struct{ full bool }

func (d fullDisk) Full() bool             { return d.full }
func (d fullDisk) Sentence() why.Sentence { return why.Sentence{Text: "the disk is full"} }
func (d fullDisk) Refusal() error         { return nil }

func TestProposer_SaysWhyNothingHappened(t *testing.T) {
	since := time.Date(2026, 7, 20, 12, 0, 0, 0, time.UTC)
	p := NewProposer(ProposerOptions{
		Alone: func() alone.State { return alone.State{Alone: true, Since: since} }, Room: fullDisk{full: true}, Clock: time.Now,
		Logger: slog.New(slog.DiscardHandler),
	})
	require.Equal(t, aloneTime, p.patience(), "whoever asks at night needs the answer")
	var problem *wire.Problem
	require.ErrorAs(t, p.AwaitAgreed(t.Context()), &problem)
	require.Equal(t, wire.KindBusy, problem.Kind)
	require.ErrorContains(t, p.Problem(fmt.Errorf("proposing: %w", outcome.ErrNoLeader)), "none can be reached from here since 12:00:00 UTC on 20 July")
	refused := command.Refuse(command.KindConflict, "user-there", "user %q exists already; revoke it first", "amy").Error()
	require.ErrorAs(t, p.Problem(fmt.Errorf("proposing: %w", refused)), &problem)
	require.Equal(t, wire.KindConflict, problem.Kind)
	require.Contains(t, problem.Sentence, `user "amy" exists already; revoke it first`)
	require.Equal(t, why.RecordDiffers, problem.Why.Reason)
	code, with := coded.Find(problem.Why.With[0].(error)).Saying()
	require.Equal(t, "user-there", code)
	require.Equal(t, []any{"amy"}, with)
	other := errors.New("something else")
	require.Equal(t, other, p.Problem(other))
}

// timed is what a Proposer waits for.
type timed struct{ Link }

func (timed) Propose(context.Context, []byte) ([]byte, error) { return nil, outcome.ErrStopped }

// The time of a command is that of its log, for all nodes: none is proposed before it is known.
func TestPropose_WaitsUntilItIsKnownWhatTimeItIs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		known := make(chan struct{})
		p := NewProposer(ProposerOptions{
			Alone: func() alone.State { return alone.State{} }, Room: fullDisk{}, Clock: time.Now, Timed: known, Logger: slog.New(slog.DiscardHandler),
		})
		p.Connect(timed{})
		_, err := p.Propose(t.Context(), "duty", &command.RevokeUser{Name: "x"})
		require.ErrorIs(t, err, outcome.ErrNoLeader)
		close(known)
		_, err = p.Propose(t.Context(), "duty", &command.RevokeUser{Name: "x"})
		require.ErrorIs(t, err, outcome.ErrStopped)
	})
}
