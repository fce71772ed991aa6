package mqtt

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestWarnings_AreBoundedAndCounted(t *testing.T) {
	var c warnings
	now := time.Date(2026, 7, 20, 12, 0, 0, 0, time.UTC)
	for range warningsPerSecond {
		leftOut, ok := c.allow(now)
		require.True(t, ok)
		require.Zero(t, leftOut)
	}
	for range 500 {
		_, ok := c.allow(now.Add(time.Millisecond))
		require.False(t, ok)
	}
	leftOut, ok := c.allow(now.Add(time.Second))
	require.True(t, ok)
	require.Equal(t, 500, leftOut)
	leftOut, ok = c.allow(now.Add(-time.Hour))
	require.True(t, ok, "a clock that was set back silences nothing")
	require.Zero(t, leftOut)
}
