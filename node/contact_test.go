package node

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

// watched runs a contactWatch in a bubble and tells how often it turned.
func watched(t *testing.T, dir string, clock func() time.Time) (s *contactWatch, quorum *atomic.Bool, turns *atomic.Int32, stop func()) {
	t.Helper()
	s = openContact(dir, clock, slog.New(slog.DiscardHandler))
	quorum, turns = new(atomic.Bool), new(atomic.Int32)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.watch(ctx, quorum.Load, func(bool) { turns.Add(1) })
	}()
	return s, quorum, turns, func() { cancel(); <-done }
}

func TestContact_AShortLossIsNotAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, quorum, turns, stop := watched(t, t.TempDir(), time.Now)
		defer stop()
		quorum.Store(true)
		pass(time.Second)
		require.Equal(t, loneliness{age: s.now().age}, s.now())
		quorum.Store(false)
		pass(2900 * time.Millisecond)
		require.False(t, s.now().alone)
		require.False(t, s.now().since.IsZero(), "the loss itself is known")
		quorum.Store(true)
		pass(time.Second)
		quorum.Store(false)
		pass(2 * time.Second)
		require.False(t, s.now().alone, "the time begins anew")
		lost := s.now().since
		pass(1400 * time.Millisecond)
		require.True(t, s.now().alone)
		require.Equal(t, lost, s.now().since)
		require.EqualValues(t, 1, turns.Load())
		pass(time.Hour)
		require.InDelta(t, time.Hour.Seconds()+3.4, s.now().age.Seconds(), 0.5)
		quorum.Store(true)
		pass(time.Second)
		require.False(t, s.now().alone)
		require.True(t, s.now().since.IsZero())
		require.EqualValues(t, 2, turns.Load())
	})
}

func TestContact_PolicyAgeOutlivesARestart(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		s, quorum, _, stop := watched(t, dir, time.Now)
		require.Negative(t, s.now().age, "there never was any")
		require.True(t, s.now().stale())
		quorum.Store(true)
		pass(time.Second)
		quorum.Store(false)
		pass(time.Hour)
		stop() // a bubble takes seconds for a day of looks
		pass(70 * time.Hour)
		require.False(t, s.now().stale())

		s, _, _, stop = watched(t, dir, time.Now)
		defer stop()
		require.InDelta(t, 71, s.now().age.Hours(), 0.1)
		pass(2 * time.Hour)
		require.True(t, s.now().stale())
	})
}

func TestContact_WritesOnceAMinuteAndAtTheEnd(t *testing.T) {
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

func TestContact_AClockSetBackMakesNothingYounger(t *testing.T) {
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
		require.True(t, s.now().stale())
	})
	require.NoError(t, os.WriteFile(filepath.Join(dir, contactFile), []byte("{"), 0o600))
	require.True(t, openContact(dir, clock, slog.New(slog.DiscardHandler)).now().stale(), "what cannot be read is old")
}

// A contact that lies in the future was written under another clock.
func TestContact_OfTheFutureIsNoContact(t *testing.T) {
	dir := t.TempDir()
	ahead := time.Now().Add(time.Hour)
	before := openContact(dir, func() time.Time { return ahead }, slog.New(slog.DiscardHandler))
	before.observe(true)
	require.NoError(t, before.save(0))
	require.False(t, before.now().stale(), "in the run that had it, it was now")
	after := openContact(dir, time.Now, slog.New(slog.DiscardHandler))
	require.True(t, after.now().stale())
	after.observe(true)
	require.False(t, after.now().stale())
}
