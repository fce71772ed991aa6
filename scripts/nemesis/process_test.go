//go:build linux

package main

import (
	"bufio"
	"net"
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

func TestProcess_StaysDownWhileItIsHeld(t *testing.T) {
	p := sleeper(t, func(code int, _ error) { t.Errorf("an end without power was told, with code %d", code) }, "exec sleep 60")
	p.hold()
	require.NoError(t, p.kill())
	require.NoError(t, p.start())
	require.Zero(t, p.pid(), "without power nothing starts")
	p.let()
	require.NoError(t, p.start())
	require.Positive(t, p.pid())
}

func TestProcess_IsNotStartedAgainOnceRetired(t *testing.T) {
	codes := make(chan int, 8)
	p := sleeper(t, func(code int, _ error) { codes <- code }, "read line; exit 1") // ends at once: nobody writes to it
	p.retire()
	require.Equal(t, exitRemoved, <-codes)
	require.True(t, p.ends(5*time.Second))
	require.Zero(t, p.pid())
}

func TestDisk_TellsWhatItWasAnswered(t *testing.T) {
	d := &disk{socket: filepath.Join(t.TempDir(), "sock")}
	l, err := net.Listen("unix", d.socket)
	require.NoError(t, err)
	heard := make(chan string, 1)
	answer := make(chan string, 1)
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			line, _ := bufio.NewReader(conn).ReadString('\n')
			heard <- line
			_, _ = conn.Write([]byte(<-answer))
			_ = conn.Close()
		}
	}()
	for _, c := range []struct {
		answer string
		ok     bool
	}{{"ok\n", true}, {"ok power=on\n", true}, {"error no such command\n", false}, {"", false}} {
		answer <- c.answer
		err := d.order("slow 20ms")
		require.Equal(t, "slow 20ms\n", <-heard)
		require.Equal(t, c.ok, err == nil, c.answer)
	}
	require.NoError(t, l.Close())
	require.Error(t, d.order("cut"))
}
