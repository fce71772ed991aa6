package shutdown

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

func TestStop_IsBoundedAtEveryStepAndLeavesWhatIsInUse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var stopped []string
		s := Steps{Log: slog.New(slog.DiscardHandler)}
		end := make(chan struct{})
		defer close(end)
		note := func(name string, err error) func(context.Context) error {
			return func(context.Context) error { stopped = append(stopped, name); return err }
		}
		s.AddStore("store", note("store", nil))
		s.Add("raft", note("raft", errors.New("no time")))
		s.Add("workers", func(context.Context) error { <-end; return nil })
		s.Add("API", note("API", nil))
		begun := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		err := s.Stop(ctx)
		require.Equal(t, 13*time.Second, time.Since(begun))
		require.ErrorIs(t, err, ErrStuck)
		require.ErrorContains(t, err, "stopping raft: no time")
		require.ErrorContains(t, err, "stopping store: left open, because of workers")
		require.Equal(t, []string{"API", "raft"}, stopped)
		require.NoError(t, s.Stop(ctx), "nothing is stopped twice")
	})
}

func TestStop_WaitsNoLongerThanAStepMayTake(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := Steps{Log: slog.New(slog.DiscardHandler)}
		end := make(chan struct{})
		defer close(end)
		s.AddStore("store", func(context.Context) error { <-end; return nil })
		begun := time.Now()
		require.ErrorIs(t, s.Stop(t.Context()), ErrStuck)
		require.Equal(t, 15*time.Second, time.Since(begun))
	})
}
