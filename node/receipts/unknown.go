package receipts

import (
	"slices"
	"sync"
	"time"

	"almenara/storage/alert"
)

// Bounds on receipts of revisions of alerts that this node has never heard of. They
// are wanted: a device may come from a part of the district that was cut off. But
// each such alert costs an entry of the log, each revision memory, and a faulty
// device must not fill either.
const (
	unknownEach  = 16      // distinct unknown revisions of one device in unknownEvery
	unknownAll   = 1 << 14 // and of all devices
	unknownEvery = time.Hour
)

// about is what a receipt is of.
type about struct {
	alert    alert.ID
	revision alert.Revision
}

// unknownLimiter counts the unknown revisions of devices. Safe for concurrent use; the zero
// value is ready.
type unknownLimiter struct {
	mu     sync.Mutex
	since  time.Time
	alerts map[string][]about // by device
	count  int
	told   map[string]bool // devices of which was said that they tell too much
}

// admit reports whether a receipt of an unknown revision may be taken from the device.
func (l *unknownLimiter) admit(device string, told about, now time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.alerts == nil || now.Sub(l.since) >= unknownEvery || now.Before(l.since) {
		l.alerts, l.count, l.since = map[string][]about{}, 0, now
		l.told = map[string]bool{}
	}
	known := l.alerts[device]
	switch {
	case slices.Contains(known, told):
		return true
	case len(known) >= unknownEach || l.count >= unknownAll:
		return false
	}
	l.alerts[device] = append(known, told)
	l.count++
	return true
}

// first reports once in unknownEvery that a device tells too much, so that it
// cannot fill the log of this process either.
func (l *unknownLimiter) first(device string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.told[device] {
		return false
	}
	l.told[device] = true
	return true
}
