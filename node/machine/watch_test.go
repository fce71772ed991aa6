package machine

import (
	"context"
	"errors"
	"log/slog"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

// A node that was away for long tells its devices nothing before most of the others have
// said what time it is, and goes by their time when its own clock is wrong.
func TestWatch_AsksTheOthersBeforeItTellsTheTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		dir := t.TempDir()
		c := OpenClock(dir, func() time.Time { return time.Now().Add(time.Hour).Round(0) }, nothingHolds)
		var silent, changed atomic.Int64
		silent.Store(1)
		w := NewWatch(WatchOptions{
			Clock: c, Peers: func() []string { return []string{"a", "b"} }, Logger: quiet(), Changed: func() { changed.Add(1) },
			Call: func(ctx context.Context, _, path string, _ []byte) ([]byte, error) {
				require.Equal(t, TimePath, path)
				if silent.Load() > 0 {
					<-ctx.Done()
					return nil, errors.New("cut off")
				}
				return []byte(time.Now().UTC().Format(timeFormat)), nil
			},
		})
		begun := make(chan struct{})
		go func() { w.Await(ctx); close(begun) }()
		done := make(chan struct{})
		go func() { defer close(done); w.Run(ctx) }()
		synctest.Wait()
		select {
		case <-begun:
			t.Fatal("nobody has said what time it is")
		default:
		}
		silent.Store(0)
		<-begun
		require.Equal(t, "district", c.Status().Source)
		require.WithinDuration(t, time.Now(), c.Now(), time.Second)
		require.Positive(t, changed.Load(), "the devices hear of it")
		cancel()
		<-done
		w.Keep()
		again := OpenClock(dir, func() time.Time { return time.Now().Round(0) }, nothingHolds)
		short := NewWatch(WatchOptions{Clock: again})
		short.Await(t.Context()) // at once: it was away for a moment only
		<-short.Agreed()
	})
}

// What goes into the log waits for the word of a majority, however long that takes: it needs one anyway.
// What needs none waits for two seconds.
func TestWatch_IsAgreedByAMajorityOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		w := NewWatch(WatchOptions{
			Clock: OpenClock(t.TempDir(), func() time.Time { return time.Now().Add(time.Hour).Round(0) }, nothingHolds),
			Peers: func() []string { return []string{"a", "b"} }, Logger: quiet(), Changed: func() {},
			Call: func(ctx context.Context, _, _ string, _ []byte) ([]byte, error) {
				<-ctx.Done()
				return nil, errors.New("cut off")
			},
		})
		done := make(chan struct{})
		go func() { defer close(done); w.Run(ctx) }()
		w.Await(ctx)
		time.Sleep(time.Hour)
		select {
		case <-w.Agreed():
			t.Fatal("nobody has said what time it is")
		default:
		}
		r := httptest.NewRequest("POST", TimePath, strings.NewReader(time.Now().UTC().Format(timeFormat)))
		w.Handler(func(context.Context) string { return "a" }).ServeHTTP(httptest.NewRecorder(), r)
		<-w.Agreed()
		cancel()
		<-done
	})
}

// Whoever was away, and hears half of the others say another time, goes by theirs, and writes nothing by its
// own: that it has heard a majority is not that a majority agrees.
func TestWatch_GoesByTheOthersWhereItDoesNotKnow(t *testing.T) {
	for name, c := range map[string]struct {
		peers []string
		said  map[string]time.Duration // ahead of the right time
		right bool
	}{
		"one of two others":       {[]string{"a", "b"}, map[string]time.Duration{"a": 0}, true},
		"two of three others":     {[]string{"a", "b", "c"}, map[string]time.Duration{"a": 0, "b": time.Second}, true},
		"the only other":          {[]string{"a"}, map[string]time.Duration{"a": 0}, true},
		"no two say the same":     {[]string{"a", "b"}, map[string]time.Duration{"a": 0, "b": 5 * time.Hour}, false},
		"two that say another":    {[]string{"a", "b"}, map[string]time.Duration{"a": 2 * time.Hour, "b": 2 * time.Hour}, false},
		"one agrees with its own": {[]string{"a", "b"}, map[string]time.Duration{"a": time.Hour}, false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				clock := OpenClock(t.TempDir(), func() time.Time { return time.Now().Add(time.Hour).Round(0) }, nothingHolds)
				w := NewWatch(WatchOptions{
					Clock: clock, Peers: func() []string { return c.peers }, Logger: quiet(), Changed: func() {},
					Call: func(_ context.Context, peer, _ string, _ []byte) ([]byte, error) {
						ahead, answers := c.said[peer]
						if !answers {
							return nil, errors.New("cut off")
						}
						return []byte(time.Now().Add(ahead).UTC().Format(timeFormat)), nil
					},
				})
				done := make(chan struct{})
				go func() { defer close(done); w.Run(ctx) }()
				begun := time.Now()
				<-w.Agreed()
				if off := time.Until(clock.Now()); c.right {
					require.Less(t, off.Abs(), 2*time.Second)
				} else {
					require.Greater(t, off, 30*time.Minute, "its own, or what others say")
				}
				require.Less(t, time.Since(begun), timeDispute+2*timeTick, "a dispute keeps nobody from agreeing on anything")
				cancel()
				<-done
			})
		})
	}
}

func TestWatch_HearsWhoAsks(t *testing.T) {
	c := NewClock(time.Now, time.Time{}, nothingHolds)
	w := NewWatch(WatchOptions{Clock: c, Logger: quiet()})
	for _, peer := range []string{"a", "b"} {
		out := httptest.NewRecorder()
		r := httptest.NewRequest("POST", TimePath, strings.NewReader(time.Now().Add(time.Hour).UTC().Format(timeFormat)))
		w.Handler(func(context.Context) string { return peer }).ServeHTTP(out, r)
		at, err := time.Parse(timeFormat, out.Body.String())
		require.NoError(t, err)
		require.WithinDuration(t, time.Now(), at, time.Minute)
	}
	c.review(3)
	require.Equal(t, "district", c.Status().Source)
}

// A box that is started again and again within a minute, and whose clock is set back meanwhile, goes on
// from the time that it last had: what has run out does not come back.
func TestWatch_WritesDownWhatTimeItIsAtOnceAndWhenSomethingEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		dir := t.TempDir()
		wall := func() time.Time { return time.Now().Round(0) }
		w := NewWatch(WatchOptions{Clock: OpenClock(dir, wall, nothingHolds), Peers: func() []string { return nil }, Logger: quiet(), Changed: func() {}})
		done := make(chan struct{})
		go func() { defer close(done); w.Run(ctx) }()
		begun := time.Now()
		synctest.Wait()
		require.WithinDuration(t, begun, lastTime(dir), 0, "at the start")
		time.Sleep(40*time.Second + time.Millisecond)
		require.WithinDuration(t, begun, lastTime(dir), 0, "flash wears out")
		w.Passed()
		synctest.Wait()
		ended := time.Now()
		require.WithinDuration(t, ended, lastTime(dir), 0)
		cancel()
		<-done
		back := OpenClock(dir, func() time.Time { return wall().Add(-time.Hour) }, nothingHolds)
		require.False(t, back.Now().Before(ended))
	})
}
