//go:build linux

package main

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// sleeper is a process that does nothing for a minute.
func sleeper(t *testing.T, told func(int, error), args ...string) *process {
	t.Helper()
	p := &process{
		bin: "/bin/sh", args: append([]string{"-c"}, args...), log: filepath.Join(t.TempDir(), "log"), closing: make(chan struct{}),
		told: told, note: t.Logf,
	}
	t.Cleanup(func() { require.NoError(t, p.close(5*time.Second)) })
	require.NoError(t, p.start())
	return p
}

func TestProcess_TellsOfAnEndThatNobodyOrdered(t *testing.T) {
	codes := make(chan int, 8)
	p := sleeper(t, func(code int, _ error) { codes <- code }, "exit 75")
	require.Equal(t, 75, <-codes)
	require.Equal(t, 75, <-codes, "it was started again")
	require.NoError(t, p.close(5*time.Second))
	require.Zero(t, p.pid())
	require.NoError(t, p.start())
	require.Zero(t, p.pid(), "what is closed is not started again")
}

func TestProcess_EndsAsOrdered(t *testing.T) {
	p := sleeper(t, func(code int, _ error) { t.Errorf("an ordered end was told, with code %d", code) }, "exec sleep 60")
	first := p.pid()
	require.Positive(t, first)
	require.NoError(t, p.freeze())
	require.NoError(t, p.thaw())
	require.NoError(t, p.kill())
	require.Zero(t, p.pid())
	require.NoError(t, p.start())
	require.NotEqual(t, first, p.pid())
	require.NoError(t, p.stop(5*time.Second))
	require.Zero(t, p.pid())
}

func TestProcess_KillsWhatDoesNotStop(t *testing.T) {
	p := sleeper(t, func(int, error) {}, "trap '' TERM; echo set; while :; do sleep 1; done")
	require.Eventually(t, func() bool {
		said, err := os.ReadFile(p.log)
		return err == nil && len(said) > 0
	}, 5*time.Second, 10*time.Millisecond)
	require.ErrorIs(t, p.stop(50*time.Millisecond), errSlowStop)
	require.Zero(t, p.pid())
}
