//go:build linux

package main

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestJumped_MovesTheTimeOfDayAlone(t *testing.T) {
	for _, hours := range []int64{-1, 1, 24} {
		now := time.Now()
		wrong := jumped(now, hours*3600)
		require.Equal(t, now.Unix()+hours*3600, wrong.Unix())
		require.Equal(t, now.Nanosecond(), wrong.Nanosecond())
		require.Zero(t, wrong.Sub(now), "no time has passed")
		require.Equal(t, time.Duration(hours)*time.Hour, wrong.Round(0).Sub(now.Round(0)))
	}
}

func TestClock_KeepsWhatItLastUnderstood(t *testing.T) {
	file := filepath.Join(t.TempDir(), "clock")
	var c clock
	c.read(file)
	require.WithinDuration(t, time.Now(), c.now(), time.Second)
	require.NoError(t, os.WriteFile(file, []byte("-1h\n"), 0o600))
	c.read(file)
	require.NoError(t, os.WriteFile(file, []byte("soo"), 0o600))
	c.read(file)
	require.Equal(t, int64(-3600), c.seconds.Load())
	require.WithinDuration(t, time.Now().Add(-time.Hour).Round(0), c.now().Round(0), time.Second)
}
