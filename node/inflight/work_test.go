package inflight

import (
	"context"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// A dry run whose answer waits for other nodes holds no turn meanwhile, and costs its user
// nothing for as long as it waits.
func TestWaits_TakesNoTurnAndNoTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, asks := NewWork(), Request{User: "small", Message: true, Asks: true}
		var all []*Working
		for range 2 * runtime.GOMAXPROCS(0) {
			ctx, work, err := w.Begin(t.Context(), asks)
			require.NoError(t, err)
			Waits(ctx)
			all = append(all, work)
		}
		time.Sleep(time.Minute)
		for _, work := range all {
			work.Done()
		}
		require.NoError(t, w.Admit("small"))
		Waits(context.Background()) // nothing is worked on
	})
}
