package node

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"
)

// steps is the stack of what must be undone, run backwards by stop.
type steps struct {
	log  *slog.Logger
	list []step
}

type step struct {
	name string
	stop func(context.Context) error
}

// add registers how to stop a thing, on the line after the thing exists.
func (s *steps) add(name string, stop func(context.Context) error) {
	s.list = append(s.list, step{name, stop})
}

// stop runs the steps backwards, all of them, and joins their errors. It may be
// called again; what has been stopped is not stopped twice.
func (s *steps) stop(ctx context.Context) error {
	var errs []error
	for len(s.list) > 0 {
		last := s.list[len(s.list)-1]
		s.list = s.list[:len(s.list)-1]
		begun := time.Now()
		if err := last.stop(ctx); err != nil {
			errs = append(errs, fmt.Errorf("stopping %s: %w", last.name, err))
		}
		if took := time.Since(begun); took > time.Second {
			s.log.Warn("a part was slow to stop", "part", last.name, "took", took.Round(time.Millisecond))
		}
	}
	return errors.Join(errs...)
}
