package alone

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// watched runs a Watch in a bubble and tells how often it turned.
func watched(t *testing.T, dir string, clock func() time.Time) (s *Watch, quorum *atomic.Bool, turns *atomic.Int32, stop func()) {
	t.Helper()
	s = open(dir, clock, slog.New(slog.DiscardHandler))
	quorum, turns = new(atomic.Bool), new(atomic.Int32)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.watch(ctx, quorum.Load, func(bool) { turns.Add(1) })
	}()
	return s, quorum, turns, func() { cancel(); <-done }
}

func TestWatch_AShortLossIsNotAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, quorum, turns, stop := watched(t, t.TempDir(), time.Now)
		defer stop()
		quorum.Store(true)
		pass(time.Second)
		require.Equal(t, State{Age: s.Now().Age}, s.Now())
		quorum.Store(false)
		pass(2900 * time.Millisecond)
		require.False(t, s.Now().Alone)
		require.False(t, s.Now().Since.IsZero(), "the loss itself is known")
		quorum.Store(true)
		pass(time.Second)
		quorum.Store(false)
		pass(2 * time.Second)
		require.False(t, s.Now().Alone, "the time begins anew")
		lost := s.Now().Since
		pass(1400 * time.Millisecond)
		require.True(t, s.Now().Alone)
		require.Equal(t, lost, s.Now().Since)
		require.EqualValues(t, 1, turns.Load())
		pass(time.Hour)
		require.InDelta(t, time.Hour.Seconds()+3.4, s.Now().Age.Seconds(), 0.5)
		quorum.Store(true)
		pass(time.Second)
		require.False(t, s.Now().Alone)
		require.True(t, s.Now().Since.IsZero())
		require.EqualValues(t, 2, turns.Load())
	})
}

func TestWatch_PolicyAgeOutlivesARestart(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		s, quorum, _, stop := watched(t, dir, time.Now)
		require.Negative(t, s.Now().Age, "there never was any")
		require.True(t, s.Now().Stale())
		quorum.Store(true)
		pass(time.Second)
		quorum.Store(false)
		pass(time.Hour)
		stop() // a bubble takes seconds for a day of looks
		pass(70 * time.Hour)
		require.False(t, s.Now().Stale())

		s, _, _, stop = watched(t, dir, time.Now)
		defer stop()
		require.InDelta(t, 71, s.Now().Age.Hours(), 0.1)
		pass(2 * time.Hour)
		require.True(t, s.Now().Stale())
	})
}

func TestWatch_WritesOnceAMinuteAndAtTheEnd(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, contactFile)
	synctest.Test(t, func(t *testing.T) {
		_, quorum, _, stop := watched(t, dir, time.Now)
		quorum.Store(true)
		pass(time.Second)
		first, err := os.ReadFile(file)
		require.NoError(t, err, "the first contact at once")
		pass(58 * time.Second)
		again, err := os.ReadFile(file)
		require.NoError(t, err)
		require.Equal(t, first, again)
		pass(3 * time.Second)
		later, err := os.ReadFile(file)
		require.NoError(t, err)
		require.NotEqual(t, first, later)
		pass(10 * time.Second)
		stop()
		last, err := os.ReadFile(file)
		require.NoError(t, err)
		require.NotEqual(t, later, last)
	})
}

func TestWatch_AClockSetBackMakesNothingYounger(t *testing.T) {
	dir := t.TempDir()
	var skew atomic.Int64
	clock := func() time.Time { return time.Now().Add(time.Duration(skew.Load())) }
	synctest.Test(t, func(t *testing.T) {
		s, quorum, _, stop := watched(t, dir, clock)
		quorum.Store(true)
		pass(time.Second)
		quorum.Store(false)
		pass(time.Hour)
		stop()
		pass(72 * time.Hour)
		skew.Store(int64(-72 * time.Hour))
		require.True(t, s.Now().Stale())
	})
	require.NoError(t, os.WriteFile(filepath.Join(dir, contactFile), []byte("{"), 0o600))
	require.True(t, open(dir, clock, slog.New(slog.DiscardHandler)).Now().Stale(), "what cannot be read is old")
}

// A contact that lies in the future was written under another clock.
func TestWatch_OfTheFutureIsNoContact(t *testing.T) {
	dir := t.TempDir()
	ahead := time.Now().Add(time.Hour)
	before := open(dir, func() time.Time { return ahead }, slog.New(slog.DiscardHandler))
	before.observe(true)
	require.NoError(t, before.save(0))
	require.False(t, before.Now().Stale(), "in the run that had it, it was now")
	after := open(dir, time.Now, slog.New(slog.DiscardHandler))
	require.True(t, after.Now().Stale())
	after.observe(true)
	require.False(t, after.Now().Stale())
}

// pass lets the time pass and everything happen that happens by then.
func pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}
