package signin

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"almenara/node/wire"
)

// RFC 6238, appendix B, of the last six digits.
func TestCodeAt_IsThatOfTheStandard(t *testing.T) {
	key := []byte("12345678901234567890")
	for unix, want := range map[int64]string{59: "287082", 1111111109: "081804", 1111111111: "050471", 1234567890: "005924", 2000000000: "279037", 20000000000: "353130"} {
		require.Equal(t, want, codeAt(key, uint64(unix)/stepSeconds))
		require.Equal(t, uint64(unix)/stepSeconds, stepOf(key, want, time.Unix(unix, 0), 0))
		require.Zero(t, stepOf(key, want, time.Unix(unix, 0), uint64(unix)/stepSeconds+1))
	}
}

func retry(err error) time.Duration {
	var p *wire.Problem
	if !errors.As(err, &p) || p.Kind != wire.KindOverBudget {
		return 0
	}
	return time.Duration(p.RetryAfter) * time.Second
}

// An address that guesses waits longer and longer, and is free again after a while.
func TestAttempts_AnAddressIsRefusedForLongerAndLonger(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAttempts(time.Now)
		var waits []time.Duration
		for i := range 16 {
			_, err := a.begin(t.Context(), "10.0.0.1:4711", fmt.Sprint("name ", i))
			if wait := retry(err); wait > 0 {
				waits = append(waits, wait)
				time.Sleep(wait)
				_, err = a.begin(t.Context(), "10.0.0.1:9999", fmt.Sprint("name ", i))
			}
			require.NoError(t, err)
		}
		require.Equal(t, []time.Duration{1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300}, seconds(waits))
		_, err := a.begin(t.Context(), "10.0.0.2:1", "name")
		require.NoError(t, err)
		time.Sleep(forgivenIn + time.Second)
		_, err = a.begin(t.Context(), "10.0.0.1:4711", "name")
		require.NoError(t, err)
	})
}

// Who signs in behind an address that somebody guesses from makes nobody else wait there: an operations room has one address.
func TestAttempts_ARightPasswordBeginsNoWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAttempts(time.Now)
		for range 13 {
			if _, err := a.begin(t.Context(), "10.0.0.1:4711", "guessed"); err != nil {
				time.Sleep(retry(err))
				_, err = a.begin(t.Context(), "10.0.0.1:4711", "guessed")
				require.NoError(t, err)
			}
		}
		time.Sleep(mostRefused)
		for _, name := range []string{"duty", "boss", "amy"} {
			succeeded, err := a.begin(t.Context(), "10.0.0.1:4711", name)
			require.NoError(t, err, name)
			succeeded()
		}
		_, err := a.begin(t.Context(), "10.0.0.1:4711", "guessed")
		require.NoError(t, err)
		_, err = a.begin(t.Context(), "10.0.0.1:4711", "duty")
		require.Equal(t, mostRefused-mostWaited, retry(err), "one more failure counts on from those before")
	})
}

func seconds(in []time.Duration) (out []time.Duration) {
	for _, d := range in {
		out = append(out, d/time.Second)
	}
	return out
}

// Guessing at somebody's name from everywhere never keeps that person out.
func TestAttempts_ANameIsNeverLocked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAttempts(time.Now)
		for i := range 500 {
			began := time.Now()
			_, err := a.begin(t.Context(), fmt.Sprintf("10.1.%d.%d:1", i/250, i%250), "amy")
			require.NoError(t, err)
			if i > freeFailures {
				require.GreaterOrEqual(t, time.Since(began), firstDelay)
			}
		}
		began := time.Now()
		succeeded, err := a.begin(t.Context(), "10.0.0.7:1", "amy")
		require.NoError(t, err)
		require.LessOrEqual(t, time.Since(began), mostWaited)
		succeeded()
		began = time.Now()
		_, err = a.begin(t.Context(), "10.0.0.7:1", "amy")
		require.NoError(t, err)
		require.Zero(t, time.Since(began), "who was in just now does not wait")
	})
}

// Many attempts at once from one address do not slip through before the first has failed.
func TestAttempts_ManyAtOnceAreCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAttempts(time.Now)
		var let atomic.Int32
		var all sync.WaitGroup
		for i := range 100 {
			all.Go(func() {
				if _, err := a.begin(t.Context(), "10.0.0.1:1", fmt.Sprint(i)); err == nil {
					let.Add(1)
				}
			})
		}
		all.Wait()
		require.EqualValues(t, freeFailures+1, let.Load())
	})
}

func TestAttempts_KeepBoundedMemory(t *testing.T) {
	now := time.Now()
	a := newAttempts(func() time.Time { return now })
	for i := range mostKept + 100 {
		now = now.Add(time.Millisecond)
		_, err := a.begin(t.Context(), fmt.Sprintf("10.%d.%d.%d:1", i>>16, i>>8&255, i&255), fmt.Sprint(i))
		require.NoError(t, err)
	}
	require.Len(t, a.addresses, mostKept)
	require.Len(t, a.names, mostKept)
}

func TestNetwork_IsOneHouse(t *testing.T) {
	require.Equal(t, "10.0.0.1", network("10.0.0.1:4711"))
	require.Equal(t, "10.0.0.1", network("[::ffff:10.0.0.1]:4711"))
	require.Equal(t, network("[2001:db8::1]:1"), network("[2001:db8::2:3]:1"))
	require.NotEqual(t, network("[2001:db8::1]:1"), network("[2001:db8:0:1::1]:1"))
}

// Hashes cost memory and time that the warning path needs: few are computed, and few wait.
func TestHasher_IsBounded(t *testing.T) {
	h := newHasher(0)
	var ends []func()
	for range hashesAtOnce {
		end, err := h.turn(t.Context())
		require.NoError(t, err)
		ends = append(ends, end)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var waiting sync.WaitGroup
	for range hashesWaiting {
		waiting.Go(func() {
			_, err := h.turn(ctx)
			require.ErrorIs(t, err, context.Canceled)
		})
	}
	require.Eventually(t, func() bool { return len(h.waiting) == cap(h.waiting) }, 10*time.Second, time.Millisecond)
	_, err := h.make(t.Context(), "correct horse battery")
	require.NotZero(t, retry(err))
	cancel()
	waiting.Wait()
	for _, end := range ends {
		end()
	}
	phc, err := h.make(t.Context(), "correct horse battery")
	require.NoError(t, err)
	require.Contains(t, phc, "$m=32768,t=2,p=1$", "what a person's password costs who guesses at it")
	require.Contains(t, h.nobodys(), "$m=32768,t=2,p=1$", "and a name that nobody has")
	good, err := h.is(t.Context(), "correct horse battery", phc)
	require.NoError(t, err)
	require.True(t, good)
	for _, damaged := range []string{"", "$argon2id$v=19$m=99999999,t=2,p=1$AAAA$AAAA", "$argon2i$v=19$m=1,t=1,p=1$AA$AA", phc + "A"} {
		_, err = h.is(t.Context(), "correct horse battery", damaged)
		require.Error(t, err, damaged)
	}
}

func BenchmarkHash(b *testing.B) {
	h := newHasher(0)
	for b.Loop() {
		_, _ = h.make(b.Context(), "correct horse battery")
	}
}

// Whoever has found out a password tries codes from as many addresses as they like.
func TestAttack_CodesOfASecondFactorAreNotGuessed(t *testing.T) {
	now := time.Date(2026, 11, 30, 3, 0, 0, 0, time.UTC)
	g := newCodeGuesses(func() time.Time { return now })
	looked := 0
	for until := now.Add(24 * time.Hour); now.Before(until); now = now.Add(2 * time.Second) {
		if _, err := g.begin("amy", 7); err == nil {
			looked++
		} else {
			require.LessOrEqual(t, retry(err), codesEvery+time.Second)
		}
	}
	require.InDelta(t, mostCodes+24*12, looked, 1)
	_, _ = g.begin("amy", 7) // the last one that is due
	_, err := g.begin("amy", 7)
	require.NotZero(t, retry(err))
	_, err = g.begin("ben", 7)
	require.NoError(t, err, "somebody else")
	_, err = g.begin("amy", 8)
	require.NoError(t, err, "with another password")
	for range 10 * mostCodes {
		right, err := g.begin("eve", 1)
		require.NoError(t, err, "who is right has not guessed")
		right()
	}
}
