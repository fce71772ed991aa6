package raftlog

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/raft"
	wal "github.com/hashicorp/raft-wal"
	"github.com/hashicorp/raft-wal/types"
	"github.com/stretchr/testify/require"
)

// poorFiler cannot make another segment while it is out of descriptors.
type poorFiler struct {
	types.SegmentFiler
	out *atomic.Bool
}

func (f poorFiler) Create(info types.SegmentInfo) (types.SegmentWriter, error) {
	if f.out.Load() {
		return nil, fmt.Errorf("opening a segment: %w", syscall.EMFILE)
	}
	return f.SegmentFiler.Create(info)
}

// A log that ran out of descriptors while it began a segment answered "segment is
// sealed" for ever, and the node went on without one.
func TestLog_ThatTakesNothingMoreEndsTheProcess(t *testing.T) {
	t.Parallel()
	var out atomic.Bool
	dir := t.TempDir()
	w, err := wal.Open(dir, wal.WithSegmentSize(64<<10), wal.WithLogger(hclog.NewNullLogger()), wal.WithSegmentFiler(poorFiler{logFiles(dir), &out}))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, w.Close()) })
	dog := NewWatchdog(nil)
	store := watched{Store: sealedStore{w}, dog: dog}
	halted := make(chan error, 1)
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	go dog.Run(ctx, slog.New(slog.DiscardHandler), func(err error) { halted <- err })

	out.Store(true)
	var failed error
	next := uint64(0)
	for failed == nil && next < 100 {
		next++
		failed = store.StoreLog(&raft.Log{Index: next, Term: 1, Data: make([]byte, 8<<10)})
	}
	require.ErrorIs(t, failed, types.ErrSealed)
	out.Store(false)
	require.ErrorIs(t, store.StoreLog(&raft.Log{Index: next, Term: 1}), types.ErrSealed, "descriptors are back, and it stays so")
	select {
	case err := <-halted:
		require.ErrorIs(t, err, ErrUnusable)
		require.ErrorContains(t, err, "segment is sealed")
	case <-time.After(10 * time.Second):
		require.Fail(t, "the process goes on")
	}
}

func TestLog_FailuresThatPassDoNotEndTheProcess(t *testing.T) {
	t.Parallel()
	dog := NewWatchdog(nil)
	for _, err := range []error{nil, ErrDiskFull, wal.ErrClosed, &errPath, fmt.Errorf("writing: %w", syscall.EMFILE)} {
		dog.wrote(err)
		require.NoError(t, dog.unusable())
	}
	dog.full.Store(true)
	dog.wrote(types.ErrSealed)
	dog.wrote(errors.New("another"))
	require.NoError(t, dog.unusable(), "a new start might not have room")
	dog.full.Store(false)
	require.ErrorIs(t, dog.unusable(), types.ErrSealed)
	require.ErrorIs(t, dog.unusable(), ErrUnusable)
}

var errPath = wrapped{syscall.ENOSPC}

type wrapped struct{ error }

func (w *wrapped) Unwrap() error { return w.error }
