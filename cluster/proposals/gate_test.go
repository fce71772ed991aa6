package proposals

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

func TestGate_LetsNobodyInOnceShutAndWaitsForThoseInside(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var g gate
		require.True(t, g.enter())
		require.True(t, g.enter())
		shut := make(chan error, 1)
		go func() { shut <- g.shutAndWait(t.Context()) }()
		synctest.Wait()
		require.False(t, g.enter())
		g.leave()
		synctest.Wait()
		require.Empty(t, shut, "one is inside")
		g.leave()
		synctest.Wait()
		require.NoError(t, <-shut)
		require.NoError(t, g.shutAndWait(t.Context()), "and again")
	})
}

func TestGate_WaitsNoLongerThanItsCaller(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var g gate
		require.True(t, g.enter())
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		require.ErrorIs(t, g.shutAndWait(ctx), context.DeadlineExceeded)
	})
}
