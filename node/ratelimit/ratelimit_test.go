package ratelimit

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestTake_GivesEachNameItsOwn(t *testing.T) {
	now := time.Now()
	l := New(Options{PerSecond: 2, Burst: 3})
	for range 3 {
		require.Zero(t, l.Take("a", now))
	}
	require.Equal(t, 500*time.Millisecond, l.Take("a", now))
	require.Zero(t, l.Take("b", now), "another's bucket is untouched")
	require.Zero(t, l.Take("a", now.Add(500*time.Millisecond)))
	require.NotZero(t, l.Take("a", now.Add(500*time.Millisecond)))
	require.NotZero(t, l.Take("a", now), "a time that goes back gives nothing")
	for range 3 {
		require.Zero(t, l.Take("a", now.Add(time.Hour)))
	}
	require.NotZero(t, l.Take("a", now.Add(time.Hour)), "a pause fills it to the burst and no further")
}

func TestTake_KeepsItsMemory(t *testing.T) {
	now := time.Now()
	l := New(Options{PerSecond: 1, Burst: 2, Names: 100})
	require.Zero(t, l.Take("known", now))
	refused := 0
	for i := range 10_000 {
		if l.Take(fmt.Sprint(i), now) > 0 {
			refused++
		}
	}
	require.Len(t, l.buckets, 100)
	require.Equal(t, 10_000-99-2, refused, "those without a bucket share one")
	require.Zero(t, l.Take("known", now), "who had a bucket keeps it")
	require.Zero(t, l.Take("new", now.Add(3*time.Second)), "buckets that are full again make room")
	require.Len(t, l.buckets, 1)
}

func TestLimiter_LetsWhatItCostBeOwed(t *testing.T) {
	l, now := New(Options{PerSecond: 0.5, Burst: 4}), time.Date(2026, 7, 20, 12, 0, 0, 0, time.UTC)
	require.Zero(t, l.Wait("a", now))
	l.Charge("a", 3, now)
	require.Zero(t, l.Wait("a", now), "one is left")
	l.Charge("a", 3, now)
	wait := l.Wait("a", now)
	require.InDelta(t, 4, wait.Seconds(), 0.1, "two are owed, and half of one comes each second")
	require.Equal(t, wait, l.Wait("a", now), "asking costs nothing")
	require.Zero(t, l.Wait("b", now))
	require.NotZero(t, l.Wait("a", now.Add(3*time.Second)))
	require.Zero(t, l.Wait("a", now.Add(wait)))
}
