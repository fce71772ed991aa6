package machine

import (
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// watchmaker is a machine's clock that can be set.
type watchmaker struct{ ahead atomic.Int64 }

func (w *watchmaker) now() time.Time { return time.Now().Add(time.Duration(w.ahead.Load())).Round(0) }

func (w *watchmaker) set(d time.Duration) { w.ahead.Store(int64(d)) }

func somethingHolds(time.Time, time.Time) bool { return false }

func nothingHolds(time.Time, time.Time) bool { return true }

// hears makes peers say the right time, but for wrong.
func hears(k *Clock, wrong time.Duration, peers ...string) {
	for _, p := range peers {
		k.hear(p, time.Now().Add(wrong), 0)
	}
}

// shows requires the node's time to be off from the right one by that much.
func shows(t *testing.T, k *Clock, off time.Duration, source source) {
	t.Helper()
	require.WithinDuration(t, time.Now().Add(off), k.Now(), 2*time.Second)
	got, _ := k.state()
	require.Equal(t, source, got)
	require.Equal(t, source == sourceOwn, k.Sentence().Text == "")
}

func TestClock_JumpOfOneNodeOfThree(t *testing.T) {
	for _, jump := range []time.Duration{-time.Hour, time.Hour, 61 * time.Second} {
		synctest.Test(t, func(t *testing.T) {
			var w watchmaker
			k := NewClock(w.now, time.Time{}, somethingHolds)
			hears(k, 0, "b", "c")
			k.review(3)
			shows(t, k, 0, sourceOwn)
			w.set(jump)
			shows(t, k, 0, sourceDistrict) // at once, not at the next review
			time.Sleep(10 * time.Minute)
			hears(k, 0, "b", "c")
			k.review(3)
			shows(t, k, 0, sourceDistrict)
			_, off := k.state()
			require.InDelta(t, jump.Seconds(), off.Seconds(), 1)
			w.set(0)
			k.review(3)
			shows(t, k, 0, sourceOwn)
		})
	}
}

func TestClock_SmallStepsAreFollowed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var w watchmaker
		k := NewClock(w.now, time.Time{}, somethingHolds)
		for _, step := range []time.Duration{30 * time.Second, 80 * time.Second, 40 * time.Second} {
			w.set(step)
			shows(t, k, step, sourceOwn)
		}
	})
}

func TestClock_WrongSinceBeforeTheStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var w watchmaker
		w.set(time.Hour)
		k := NewClock(w.now, time.Time{}, somethingHolds)
		shows(t, k, time.Hour, sourceOwn)
		hears(k, 0, "b")
		k.review(3)
		shows(t, k, time.Hour, sourceOwn) // one against one is no majority
		hears(k, 0, "b", "c")
		k.review(3)
		shows(t, k, 0, sourceDistrict)
		time.Sleep(time.Minute) // cut off: their word is old, their time goes on
		k.review(3)
		shows(t, k, 0, sourceHeld)
	})
}

func TestClock_AloneHoldsTheTimeWhileAlertsAreInForce(t *testing.T) {
	for _, jump := range []time.Duration{-time.Hour, time.Hour} {
		synctest.Test(t, func(t *testing.T) {
			var w watchmaker
			inForce := true
			k := NewClock(w.now, time.Time{}, func(time.Time, time.Time) bool { return !inForce })
			shows(t, k, 0, sourceOwn)
			w.set(jump)
			shows(t, k, 0, sourceHeld)
			k.review(1)
			time.Sleep(30 * time.Minute)
			k.review(1)
			shows(t, k, 0, sourceHeld)
			inForce = false
			k.review(1)
			shows(t, k, jump, sourceOwn)
		})
	}
}

func TestClock_TheDistrictsClocksAreSetTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var w watchmaker
		k := NewClock(w.now, time.Time{}, somethingHolds)
		hears(k, 0, "b", "c")
		k.review(3)
		w.set(time.Hour)
		hears(k, time.Hour, "b")
		k.review(3)
		shows(t, k, time.Hour, sourceOwn)
	})
}

func TestClock_NeverBeginsBeforeWhatItHasSeen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var w watchmaker
		w.set(-time.Hour)
		seen := time.Now()
		k := NewClock(w.now, seen, somethingHolds)
		shows(t, k, 0, sourceHeld)
		calm := NewClock(w.now, seen, nothingHolds)
		calm.review(1)
		shows(t, calm, -time.Hour, sourceOwn)
	})
}
