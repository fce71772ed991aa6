package fsm

import (
	"testing"
	"time"
	"unsafe"

	"github.com/stretchr/testify/require"
)

// stepped is the time of a machine whose time of day was set forward by whole seconds: its
// monotonic clock knows nothing of that. No function of package time makes one, so the
// seconds are added where time.Time keeps them beside a monotonic reading.
func stepped(by time.Duration) time.Time {
	t := time.Now()
	*(*uint64)(unsafe.Pointer(&t)) += uint64(by/time.Second) << 30
	return t
}

// A commit during which the time of day was set was taken for one that ran for an hour, and
// a disk that is stalled for so long ends the process.
func TestStalled_AClockThatIsSetIsNoStall(t *testing.T) {
	before := time.Now()
	after := stepped(time.Hour)
	require.InDelta(t, time.Hour, after.Round(0).Sub(before.Round(0)), float64(time.Minute), "the time of day was set")
	require.Less(t, after.Sub(before), time.Minute, "the monotonic clock was not")

	r := newRig(t)
	require.Zero(t, r.fsm.Stalled())
	for _, step := range []time.Duration{time.Hour, -time.Hour} {
		begun := r.fsm.clock()
		r.fsm.commits.Store(&begun)
		r.fsm.clock = func() time.Time { return stepped(step) }
		require.Less(t, r.fsm.Stalled().Abs(), time.Minute, "the clock was set by %s", step)
		require.Positive(t, r.fsm.Stalled())
		r.fsm.clock = time.Now
		r.fsm.commits.Store(nil)
		require.Zero(t, r.fsm.Stalled())
	}
}
