package demo

import (
	"sync"
	"time"

	"almenara/channels/device"
)

// starts remembers when devices began to show something, by this process's clock:
// the devices' own clocks follow the manifests. Safe for concurrent use; the zero
// value is ready.
type starts struct {
	mu    sync.Mutex
	spans map[device.Revision]span
}

type span struct{ first, last time.Time }

func (s *starts) note(e device.Event) {
	if e.What != device.Started {
		return
	}
	now := time.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.spans == nil {
		s.spans = map[device.Revision]span{}
	}
	key := device.Revision{Alert: e.Alert, Revision: e.Revision}
	found, ok := s.spans[key]
	if !ok {
		found.first = now
	}
	found.last = now
	s.spans[key] = found
}

// span is when the first and the last device began; false when none did.
func (s *starts) span(key device.Revision) (first, last time.Time, any bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	found, ok := s.spans[key]
	return found.first, found.last, ok
}
