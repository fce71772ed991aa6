package wait

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

func TestSleep_EndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begun := time.Now()
		require.True(t, Sleep(t.Context(), time.Minute))
		require.Equal(t, time.Minute, time.Since(begun))
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		require.False(t, Sleep(ctx, time.Hour))
		require.Equal(t, time.Minute+time.Second, time.Since(begun))
	})
}

func TestBackoff_DoublesUpToItsLast(t *testing.T) {
	b := Backoff{First: time.Second, Last: 5 * time.Second}
	for range 2 {
		require.Equal(t, []time.Duration{1e9, 2e9, 4e9, 5e9, 5e9}, []time.Duration{b.Next(), b.Next(), b.Next(), b.Next(), b.Next()})
		b.Reset()
	}
	short := Backoff{First: time.Minute, Last: time.Second}
	require.Equal(t, time.Second, short.Next(), "never more than the last")
}
