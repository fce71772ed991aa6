package machine

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"
)

// scrubEvery is how often everything on this node's disk is read and checked.
const scrubEvery = 24 * time.Hour

// Part is a part of what is on the disk.
type Part struct {
	Name    string
	Verify  func(context.Context) error
	Rotten  error        // what Verify's error wraps when the part is damaged
	Damaged func(string) // told what is damaged; the node must not trust it any more
}

// ScrubOptions say what a Scrubber reads, and when.
type ScrubOptions struct {
	Every  time.Duration // 0 is once a day
	Parts  func() []Part // asked before each check
	Skip   func() bool   // true while a check would tell nothing new; nil is never
	Clock  func() time.Time
	Logger *slog.Logger
}

// Scrubber reads everything that is on the disk from time to time, with idle priority. Its
// methods may be called from any goroutine.
type Scrubber struct {
	o       ScrubOptions
	last    atomic.Int64 // seconds since 1970; 0 is not yet
	stopped chan struct{}
	once    sync.Once
}

// NewScrubber makes one; nothing is read before Run.
func NewScrubber(o ScrubOptions) *Scrubber {
	if o.Every == 0 {
		o.Every = scrubEvery
	}
	if o.Skip == nil {
		o.Skip = func() bool { return false }
	}
	return &Scrubber{o: o, stopped: make(chan struct{})}
}

// Last is when everything was last read, in seconds since 1970; 0 is not yet.
func (s *Scrubber) Last() int64 { return s.last.Load() }

// Stop ends Run and the check that is under way. It may be called again.
func (s *Scrubber) Stop() { s.once.Do(func() { close(s.stopped) }) }

// Run checks again and again until ctx or Stop ends it.
func (s *Scrubber) Run(ctx context.Context) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		select {
		case <-s.stopped:
			cancel()
		case <-ctx.Done():
		}
	}()
	tick := time.NewTicker(s.o.Every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if s.o.Skip() {
			continue
		}
		done := make(chan struct{})
		go func() { defer close(done); idly(func() { s.check(ctx) }) }() // a thread of its own, with a priority of its own
		select {
		case <-done:
		case <-ctx.Done(): // whatever cannot be interrupted ends by itself
			return
		}
	}
}

// check reads every part once.
func (s *Scrubber) check(ctx context.Context) {
	begun := time.Now()
	for _, part := range s.o.Parts() {
		err := part.Verify(ctx)
		switch {
		case ctx.Err() != nil:
			return
		case err == nil:
		case errors.Is(err, part.Rotten):
			part.Damaged(part.Name + ": " + err.Error())
		default:
			s.o.Logger.Warn("a part of the disk could not be checked", "part", part.Name, "error", err)
		}
	}
	s.last.Store(s.o.Clock().Unix())
	s.o.Logger.Info("the disk was checked", "took", time.Since(begun).Round(time.Millisecond))
}
