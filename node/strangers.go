package node

import (
	"slices"
	"sync"
	"time"

	"almenara/channels"
	"almenara/storage/alert"
	"almenara/storage/receipt"
)

// Bounds on receipts of alerts that this node has never heard of. They are wanted:
// a device may come from a part of the district that was cut off. But each such
// alert costs an entry of the log, and a faulty device must not fill it.
const (
	strangersEach  = 16      // distinct unknown alerts of one device in strangersEvery
	strangersAll   = 1 << 14 // and of all devices
	strangersEvery = time.Hour
)

// strangers counts the unknown alerts of devices. Safe for concurrent use; the zero
// value is ready.
type strangers struct {
	mu     sync.Mutex
	since  time.Time
	alerts map[string][]alert.ID // by device
	count  int
}

// admit reports whether a receipt of an unknown alert may be taken from the device.
func (s *strangers) admit(device string, id alert.ID, now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.alerts == nil || now.Sub(s.since) >= strangersEvery || now.Before(s.since) {
		s.alerts, s.count, s.since = map[string][]alert.ID{}, 0, now
	}
	known := s.alerts[device]
	switch {
	case slices.Contains(known, id):
		return true
	case len(known) >= strangersEach || s.count >= strangersAll:
		return false
	}
	s.alerts[device] = append(known, id)
	s.count++
	return true
}

// receipts is what the gateway hands receipts to.
type receipts struct{ n *Node }

// Take implements channels.Receipts. Receipts of too many unknown alerts are left
// out; the device is told the same as if they had been taken, or it would send them
// for ever.
func (r receipts) Take(from channels.Endpoint, rs []receipt.Receipt, done func(error)) {
	now := r.n.options.Clock()
	kept := rs[:0]
	for _, one := range rs {
		if r.n.desk.knows(one.Alert) || r.n.strangers.admit(from.Device, one.Alert, now) {
			kept = append(kept, one)
		}
	}
	if left := len(rs) - len(kept); left > 0 {
		r.n.log.Warn("a device tells of too many alerts that nobody here knows", "device", from.Device, "left_out", left)
	}
	if len(kept) == 0 {
		done(nil)
		return
	}
	r.n.collector.Take(from, kept, done)
}
