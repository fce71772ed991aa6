package fact

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestClock_NeverGoesBack(t *testing.T) {
	path := filepath.Join(t.TempDir(), "clock")
	wall := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	now := func() time.Time { return wall }
	c, err := OpenClock(path, now)
	require.NoError(t, err)
	first, err := c.Now()
	require.NoError(t, err)
	require.Equal(t, wall, WallTime(first))
	second, err := c.Now()
	require.NoError(t, err)
	require.Greater(t, second, first)
	wall = wall.Add(-time.Hour)
	third, err := c.Now()
	require.NoError(t, err)
	require.Greater(t, third, second)

	c, err = OpenClock(path, now) // with the clock of the box an hour back
	require.NoError(t, err)
	fourth, err := c.Now()
	require.NoError(t, err)
	require.Greater(t, fourth, third)
}

func TestClock_DoesNotFollowAWildOne(t *testing.T) {
	wall := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	c, err := OpenClock(filepath.Join(t.TempDir(), "clock"), func() time.Time { return wall })
	require.NoError(t, err)
	require.False(t, c.Observe(HLC(wall.Add(61*time.Second))))
	require.False(t, c.Observe(^uint64(0)))
	now, err := c.Now()
	require.NoError(t, err)
	require.Equal(t, wall, WallTime(now))
	require.True(t, c.Observe(HLC(wall.Add(59*time.Second))))
	now, err = c.Now()
	require.NoError(t, err)
	require.Equal(t, wall.Add(59*time.Second), WallTime(now))
}
