package node

import (
	"slices"
	"sync"
	"time"

	"almenara/channels"
	"almenara/storage/alert"
	"almenara/storage/receipt"
)

// Bounds on receipts of revisions of alerts that this node has never heard of. They
// are wanted: a device may come from a part of the district that was cut off. But
// each such alert costs an entry of the log, each revision memory, and a faulty
// device must not fill either.
const (
	strangersEach  = 16      // distinct unknown revisions of one device in strangersEvery
	strangersAll   = 1 << 14 // and of all devices
	strangersEvery = time.Hour
)

// telling is what a receipt is of.
type telling struct {
	alert    alert.ID
	revision alert.Revision
}

// strangers counts the unknown revisions of devices. Safe for concurrent use; the zero
// value is ready.
type strangers struct {
	mu     sync.Mutex
	since  time.Time
	alerts map[string][]telling // by device
	count  int
	told   map[string]bool // devices of which was said that they tell too much
}

// admit reports whether a receipt of an unknown revision may be taken from the device.
func (s *strangers) admit(device string, told telling, now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.alerts == nil || now.Sub(s.since) >= strangersEvery || now.Before(s.since) {
		s.alerts, s.count, s.since = map[string][]telling{}, 0, now
		s.told = map[string]bool{}
	}
	known := s.alerts[device]
	switch {
	case slices.Contains(known, told):
		return true
	case len(known) >= strangersEach || s.count >= strangersAll:
		return false
	}
	s.alerts[device] = append(known, told)
	s.count++
	return true
}

// first reports once in strangersEvery that a device tells too much, so that it
// cannot fill the log of this process either.
func (s *strangers) first(device string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.told[device] {
		return false
	}
	s.told[device] = true
	return true
}

// receipts is what the gateway hands receipts to.
type receipts struct{ n *Node }

// Take implements channels.Receipts. Receipts of too many unknown revisions are left
// out; the device is told the same as if they had been taken, or it would send them
// for ever.
func (r receipts) Take(from channels.Endpoint, rs []receipt.Receipt, done func(error)) {
	now := r.n.options.Clock()
	kept := rs[:0]
	var last telling // most are of one revision
	for _, one := range rs {
		told := telling{one.Alert, one.Revision}
		if told == last || r.n.desk.knows(told) || r.n.strangers.admit(from.Device, told, now) {
			kept, last = append(kept, one), told
		}
	}
	if left := len(rs) - len(kept); left > 0 && r.n.strangers.first(from.Device) {
		r.n.log.Warn("a device tells of too many revisions that nobody here knows", "device", from.Device, "left_out", left)
	}
	kept, keys := r.n.toldBefore.news(kept)
	r.n.collector.Take(from, kept, func(err error) { // also when none is left: answers keep their order
		if err == nil {
			r.n.toldBefore.remember(keys)
		}
		done(err)
	})
}
