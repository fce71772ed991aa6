package raftlog

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/hashicorp/raft"
	wal "github.com/hashicorp/raft-wal"
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

// ErrUnusable is given to Halt when the raft log has refused a write that it will
// refuse for ever, or of which nobody knows what is on the disk: raft-wal takes nothing
// more once it could not begin its next segment ("segment is sealed"), and a flush after
// one that failed proves nothing. Opening the log anew mends the first and shows the other.
var ErrUnusable = errors.New("the raft log takes nothing more until it is opened again")

// ErrDiskFull: the leader's disk has no room for more. Nothing happened; it goes on by
// itself when there is room again, or another node leads.
var ErrDiskFull = errors.New("leader's disk is full")

// fullBudget is what the raft log may still take after setFull: the entries of other leaders
// and of this one until it has handed over. Beyond it appends are refused before anything
// is written, so that raft simply sends them again.
const fullBudget = 16 << 20

// lasting reports whether a write of the log failed for good. What was refused before
// anything was written, for want of space or of descriptors, is sent again by raft.
func lasting(err error) bool {
	for _, passing := range []error{ErrDiskFull, wal.ErrClosed, io.ErrClosedPipe, syscall.ENOSPC, syscall.EMFILE, syscall.ENFILE} {
		if err == nil || errors.Is(err, passing) {
			return false
		}
	}
	return true
}

// watched measures the writes of a LogStore and changes nothing else.
type watched struct {
	Store
	dog *Watchdog
}

// IsMonotonic tells raft about gaps, as the store itself would.
func (s watched) IsMonotonic() bool {
	m, ok := s.Store.(raft.MonotonicLogStore)
	return ok && m.IsMonotonic()
}

// StoreLog implements raft.LogStore.
func (s watched) StoreLog(l *raft.Log) error { return s.StoreLogs([]*raft.Log{l}) }

// StoreLogs implements raft.LogStore.
func (s watched) StoreLogs(logs []*raft.Log) error {
	if err := s.dog.append(logs); err != nil {
		return err
	}
	defer s.dog.begin()()
	err := s.Store.StoreLogs(logs)
	s.dog.wrote(err)
	return err
}

// DeleteRange implements raft.LogStore.
func (s watched) DeleteRange(from, to uint64) error {
	defer s.dog.begin()()
	return s.Store.DeleteRange(from, to)
}

// Set implements raft.StableStore.
func (s watched) Set(key, value []byte) error {
	defer s.dog.begin()()
	return s.Store.Set(key, value)
}

// SetUint64 implements raft.StableStore.
func (s watched) SetUint64(key []byte, value uint64) error {
	defer s.dog.begin()()
	return s.Store.SetUint64(key, value)
}

// Watchdog knows since when each write has been running.
type Watchdog struct {
	mu      sync.Mutex
	next    uint64
	running map[uint64]time.Time // at most a few: raft writes from one goroutine
	also    func() time.Duration // the state machine's own stall; nil is none

	failed atomic.Pointer[error] // of the first write to the log that failed for good

	full   atomic.Bool  // the disk has no room
	budget atomic.Int64 // bytes that the log may still take then
}

// NewWatchdog makes a watchdog. also is how long other writes of this process take, nil for
// none: they count like those of the log.
func NewWatchdog(also func() time.Duration) *Watchdog {
	return &Watchdog{running: map[uint64]time.Time{}, also: also}
}

// Watch has the writes of a log measured.
func (d *Watchdog) Watch(log Store) Store { return watched{log, d} }

func (d *Watchdog) begin() (end func()) {
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

// wrote takes the outcome of a write to the log.
func (d *Watchdog) wrote(err error) {
	if lasting(err) {
		d.failed.CompareAndSwap(nil, &err)
	}
}

// unusable is why the log takes nothing more; nil while it does. On a full disk that
// waits: devices are warned there, and a new start might not have room.
func (d *Watchdog) unusable() error {
	err := d.failed.Load()
	if err == nil || d.full.Load() {
		return nil
	}
	return fmt.Errorf("%w: %w", ErrUnusable, *err)
}

// Stalled is how long the oldest running write has been running; zero when none is.
func (d *Watchdog) Stalled() time.Duration {
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

// Run warns once per stall and calls halt at most once, until ctx ends.
func (d *Watchdog) Run(ctx context.Context, logger *slog.Logger, halt func(error)) {
	tick := time.NewTicker(stallTick)
	defer tick.Stop()
	var warned, halted bool
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		stall, broken := d.Stalled(), d.unusable()
		switch {
		case broken != nil && !halted:
			halted = true
			halt(broken)
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

// append takes bytes of the budget that is left while the disk is full.
func (d *Watchdog) append(logs []*raft.Log) error {
	if !d.full.Load() {
		return nil
	}
	for _, l := range logs {
		if d.budget.Add(-int64(len(l.Data)+64)) < 0 {
			return fmt.Errorf("appending to the raft log: %w", ErrDiskFull)
		}
	}
	return nil
}

// SetFull says whether the disk has no room, and reports whether that is news. The log may
// take fullBudget more then.
func (d *Watchdog) SetFull(full bool) (news bool) {
	d.budget.Store(fullBudget)
	return d.full.Swap(full) != full
}

// Full reports whether the disk has no room.
func (d *Watchdog) Full() bool { return d.full.Load() }

// Slow reports whether a write has been running for so long that no more should be asked.
func (d *Watchdog) Slow() bool { return d.Stalled() > stallWarning }
