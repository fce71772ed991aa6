package raftlog

import (
	"context"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hashicorp/raft"
	"github.com/stretchr/testify/require"
)

// stuckLog is a log store whose writes wait.
type stuckLog struct {
	Store
	wait chan struct{}
}

func (s stuckLog) StoreLogs([]*raft.Log) error { <-s.wait; return nil }

func TestWatchdog_HaltsOnceWhenTheDiskStalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dog := NewWatchdog(nil)
		store := watched{Store: stuckLog{wait: make(chan struct{})}, dog: dog}
		ctx, cancel := context.WithCancel(t.Context())
		var halts []error
		var running sync.WaitGroup
		running.Go(func() {
			dog.Run(ctx, slog.New(slog.DiscardHandler), func(err error) { halts = append(halts, err) })
		})
		time.Sleep(time.Minute)
		synctest.Wait()
		require.Empty(t, halts)

		writing := make(chan error, 1)
		go func() { writing <- store.StoreLog(&raft.Log{Index: 1}) }()
		time.Sleep(stallHalt - time.Second)
		require.Empty(t, halts)
		require.Greater(t, dog.Stalled(), stallWarning, "proposals are refused as busy")
		time.Sleep(time.Minute)
		synctest.Wait()
		require.Len(t, halts, 1)
		require.ErrorIs(t, halts[0], ErrDiskStalled)

		close(store.Store.(stuckLog).wait)
		require.NoError(t, <-writing, "the write itself is left alone")
		require.Zero(t, dog.Stalled())
		cancel()
		running.Wait()
	})
}

func TestWatchdog_HaltsWhenTheStateMachineStalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begun := time.Now()
		dog := NewWatchdog(func() time.Duration { return time.Since(begun) })
		halted := make(chan error, 1)
		ctx, cancel := context.WithCancel(t.Context())
		var running sync.WaitGroup
		running.Go(func() { dog.Run(ctx, slog.New(slog.DiscardHandler), func(err error) { halted <- err }) })
		require.ErrorIs(t, <-halted, ErrDiskStalled)
		require.Greater(t, time.Since(begun), stallHalt)
		cancel()
		running.Wait()
	})
}
