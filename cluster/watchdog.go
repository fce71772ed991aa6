package cluster

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/raft"
)

// Limits of one write to the raft log or the state machine. A leader whose disk stalls goes on sending
// heartbeats, so nobody elects another (hashicorp/raft #503): the process must end.
// An error after a deadline would not do: the abandoned write lands later, and
// raft-wal refuses the repeat for ever.
const (
	stallWarning = 2 * time.Second  // then proposals are refused as busy
	stallHalt    = 10 * time.Second // then Halt, and main exits with 75
	stallTick    = 250 * time.Millisecond
)

// ErrDiskStalled is given to Halt when a write to the raft log or a commit of the
// state machine has not returned for 10 seconds.
var ErrDiskStalled = errors.New("disk is stalled")

// watchedStore measures the writes of a LogStore and changes nothing else.
type watchedStore struct {
	LogStore
	dog     *watchdog
	damaged func(reason string) // told of an entry that cannot be read, while running; nil is nobody
	running func() bool
}

// IsMonotonic tells raft about gaps, as the store itself would.
func (s watchedStore) IsMonotonic() bool {
	m, ok := s.LogStore.(raft.MonotonicLogStore)
	return ok && m.IsMonotonic()
}

// StoreLog implements raft.LogStore.
func (s watchedStore) StoreLog(l *raft.Log) error { return s.StoreLogs([]*raft.Log{l}) }

// StoreLogs implements raft.LogStore.
func (s watchedStore) StoreLogs(logs []*raft.Log) error {
	if err := s.dog.append(logs); err != nil {
		return err
	}
	defer s.dog.begin()()
	return s.LogStore.StoreLogs(logs)
}

// DeleteRange implements raft.LogStore.
func (s watchedStore) DeleteRange(from, to uint64) error {
	defer s.dog.begin()()
	return s.LogStore.DeleteRange(from, to)
}

// Set implements raft.StableStore.
func (s watchedStore) Set(key, value []byte) error {
	defer s.dog.begin()()
	return s.LogStore.Set(key, value)
}

// SetUint64 implements raft.StableStore.
func (s watchedStore) SetUint64(key []byte, value uint64) error {
	defer s.dog.begin()()
	return s.LogStore.SetUint64(key, value)
}

// watchdog knows since when each write has been running.
type watchdog struct {
	mu      sync.Mutex
	next    uint64
	running map[uint64]time.Time // at most a few: raft writes from one goroutine
	also    func() time.Duration // the state machine's own stall; nil is none

	full   atomic.Bool  // the disk has no room
	budget atomic.Int64 // bytes that the log may still take then
}

func newWatchdog(also func() time.Duration) *watchdog {
	return &watchdog{running: map[uint64]time.Time{}, also: also}
}

func (d *watchdog) begin() (end func()) {
	d.mu.Lock()
	defer d.mu.Unlock()
	n := d.next
	d.next++
	d.running[n] = time.Now()
	return func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		delete(d.running, n)
	}
}

// stalled is how long the oldest running write has been running; zero when none is.
func (d *watchdog) stalled() time.Duration {
	var longest time.Duration
	if d.also != nil {
		longest = d.also()
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, since := range d.running {
		longest = max(longest, time.Since(since))
	}
	return longest
}

// run warns once per stall and calls halt at most once, until ctx ends.
func (d *watchdog) run(ctx context.Context, logger *slog.Logger, halt func(error)) {
	tick := time.NewTicker(stallTick)
	defer tick.Stop()
	var warned, halted bool
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		stall := d.stalled()
		switch {
		case stall > stallHalt && !halted:
			halted = true
			halt(fmt.Errorf("writing for %s: %w", stall.Round(time.Second), ErrDiskStalled))
		case stall > stallWarning && !warned:
			warned = true
			logger.Warn("disk is slow: refusing proposals", "stalled", stall)
		case stall <= stallWarning && warned:
			warned = false
			logger.Warn("disk has recovered")
		}
	}
}
