package present

import (
	"time"

	"almenara/cluster/fact"
)

// HybridClock is what the versions of manifests come from: a clock that never goes
// back, across restarts either (fact.Clock).
type HybridClock interface {
	Now() (uint64, error)
	Observe(hlc uint64) bool
}

// NextVersion is a manifest version above last and above every one that the node
// gave before, in milliseconds since 1970. A box without a battery comes up with
// a clock that was set back; with the system's time as the version, devices would
// take its manifests for old ones and begin nothing at all on its word. The error
// says that the version is good for this run only.
func NextVersion(clock HybridClock, last uint64) (uint64, error) {
	hlc, err := clock.Now()
	version := uint64(fact.WallTime(hlc).UnixMilli())
	if last == 0 { // the one before this start may be of this very millisecond
		last = version
	}
	if version > last {
		return version, err
	}
	clock.Observe(fact.HLC(time.UnixMilli(int64(last + 1))))
	_, err = clock.Now() // puts it on disk, when it is ahead of what is there
	return last + 1, err
}
