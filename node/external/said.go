package external

import (
	"maps"
	"sync"
	"time"

	"almenara/channels/contract"
	"almenara/node/health"
	"almenara/node/wire/devicehealth"
)

// said is what the devices at the broker said last of themselves. There are no more entries than devices
// that are enrolled: the broker's messages of others are not passed on. Safe for concurrent use.
type said struct {
	clock func() time.Time

	mu sync.Mutex
	of map[string]*devicehealth.DeviceHealth // not modified once set
}

// hear keeps what a device says of itself; a will says nothing of it.
func (s *said) hear(device string, state contract.State) {
	if h := health.Of(state, s.clock()); h != nil {
		s.mu.Lock()
		s.of[device] = h
		s.mu.Unlock()
	}
}

// last is what a device said last; nil where it said nothing.
func (s *said) last(device string) *devicehealth.DeviceHealth {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.of[device]
}

// forget drops devices that are not enrolled any more.
func (s *said) forget(enrolled func(device string) bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	maps.DeleteFunc(s.of, func(device string, _ *devicehealth.DeviceHealth) bool { return !enrolled(device) })
}
