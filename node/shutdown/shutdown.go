// Package shutdown takes a node's parts down in the opposite order of their start, each
// step bounded in time: a disk that is gone must not keep the process.
package shutdown

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"
)

// Bounds of a step: what is waited for at most, and once the caller's time is over.
const (
	stepTime  = 15 * time.Second
	graceTime = 10 * time.Second
)

// ErrStuck is returned for a part that had not stopped in time. Something of it still
// runs; only the end of the process ends that.
var ErrStuck = errors.New("it did not stop in time")

// Steps is the stack of what must be undone. One goroutine at a time; the zero value
// with a Log is empty.
type Steps struct {
	Log  *slog.Logger
	list []step
}

type step struct {
	name  string
	store bool
	stop  func(context.Context) error
}

// Add registers how to stop a thing, on the line after the thing exists.
func (s *Steps) Add(name string, stop func(context.Context) error) {
	s.list = append(s.list, step{name: name, stop: stop})
}

// AddStore is Add for what others read and write: it stays open while one of those that
// were added after it is stuck.
func (s *Steps) AddStore(name string, stop func(context.Context) error) {
	s.list = append(s.list, step{name: name, stop: stop, store: true})
}

// Stop runs the steps backwards, all of them, and joins their errors. A step gets 15 s,
// and 10 s at most once ctx has ended. It may be called again; what has been stopped is
// not stopped twice.
func (s *Steps) Stop(ctx context.Context) error {
	var errs []error
	var stuck []string
	for len(s.list) > 0 {
		last := s.list[len(s.list)-1]
		s.list = s.list[:len(s.list)-1]
		if last.store && len(stuck) > 0 {
			errs = append(errs, fmt.Errorf("stopping %s: left open, because of %s", last.name, strings.Join(stuck, ", ")))
			continue
		}
		begun := time.Now()
		err := within(ctx, last.stop)
		if errors.Is(err, ErrStuck) {
			stuck = append(stuck, last.name)
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("stopping %s: %w", last.name, err))
		}
		if took := time.Since(begun); took > time.Second {
			s.Log.Warn("a part was slow to stop", "part", last.name, "took", took.Round(time.Millisecond))
		}
	}
	return errors.Join(errs...)
}

// within waits for one step as long as it may take.
func within(ctx context.Context, stop func(context.Context) error) error {
	done := make(chan error, 1)
	go func() { done <- stop(ctx) }()
	longest := time.NewTimer(stepTime)
	defer longest.Stop()
	select {
	case err := <-done:
		return err
	case <-longest.C:
		return ErrStuck
	case <-ctx.Done():
	}
	grace := time.NewTimer(graceTime)
	defer grace.Stop()
	select {
	case err := <-done:
		return err
	case <-longest.C:
	case <-grace.C:
	}
	return ErrStuck
}
