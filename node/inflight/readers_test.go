package inflight

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

func TestReaders_WaitForOneAnotherOfOneUser(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := NewReaders(2, 5*time.Second)
		first, ok := r.Begin(t.Context(), "a")
		require.True(t, ok)
		second, ok := r.Begin(t.Context(), "a")
		require.True(t, ok)
		began := time.Now()
		_, ok = r.Begin(t.Context(), "a")
		require.False(t, ok)
		require.Equal(t, 5*time.Second, time.Since(began))
		other, ok := r.Begin(t.Context(), "b")
		require.True(t, ok, "another user")
		go func() {
			time.Sleep(time.Second)
			first()
			first()
		}()
		third, ok := r.Begin(t.Context(), "a")
		require.True(t, ok)
		second()
		third()
		other()
		require.Empty(t, r.of)
	})
}
