package spokencode

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"almenara/node/wire"
)

var (
	night = time.Date(2026, 11, 29, 3, 1, 0, 0, time.UTC)
	bobs  = []byte("12345678901234567890")
	carol = []byte("abcdefghijabcdefghij")
)

// A code is good for one person, one message and some minutes.
func TestCode_FitsWhatItWasMadeFor(t *testing.T) {
	for what, code := range map[string]Code{"shown": OfDigest(bobs, "bob", "d1", night), "read out": OfNumber(bobs, "bob", Number("d1"), night)} {
		require.Len(t, code.Digits, 6, what)
		require.True(t, Fits(code.Digits, bobs, "bob", "d1", night), what)
		require.True(t, Fits(" "+code.Digits[:3]+"-"+code.Digits[3:], bobs, "bob", "d1", night), what)
		require.True(t, Fits(code.Digits, bobs, "bob", "d1", code.Until.Add(-time.Second)), "until the end that is said")
		require.True(t, Fits(code.Digits, bobs, "bob", "d1", night.Add(-period)), "at a node whose clock is behind")
		require.False(t, Fits(code.Digits, bobs, "bob", "d1", code.Until), "%s: it is over", what)
		require.False(t, Fits(code.Digits, bobs, "bob", "d1", night.Add(-2*period)), "%s: long before", what)
		require.False(t, Fits(code.Digits, bobs, "bob", "d2", night), "%s: of another message", what)
		require.False(t, Fits(code.Digits, bobs, "rob", "d1", night), "%s: of another person", what)
		require.False(t, Fits(code.Digits, carol, "bob", "d1", night), "%s: without the secret", what)
		require.False(t, Fits(code.Digits, nil, "bob", "d1", night), "%s: of a person without a secret", what)
		require.False(t, Fits(code.Digits[:5], bobs, "bob", "d1", night), what)
	}
	require.False(t, Fits(OfDigest(nil, "bob", "d1", night).Digits, nil, "bob", "d1", night), "no secret is not an empty one")
	require.False(t, Fits("", bobs, "bob", "d1", night))
	require.NotEqual(t, OfDigest(bobs, "bob", "d1", night).Digits, OfNumber(bobs, "bob", Number("d1"), night).Digits, "who saw all of it said more")
	require.NotEqual(t, OfDigest(bobs, "bo", "bdigest", night), OfDigest(bobs, "bob", "digest", night))
}

// Another program must come to the same numbers.
func TestCode_IsThis(t *testing.T) {
	require.Equal(t, Number("d1"), Number("d1"))
	require.Regexp(t, `^\d{8}$`, Number("d1"))
	require.NotEqual(t, Number("d1"), Number("d2"))
	require.Equal(t, "123456", Digits("１２３ 456"))
	require.Equal(t, "12?", Digits("12x"))
}

func refused(t *testing.T, err error) int {
	t.Helper()
	var p *wire.Problem
	require.True(t, errors.As(err, &p), "%v", err)
	require.Equal(t, wire.KindOverBudget, p.Kind)
	return p.RetryAfter
}

func TestGuesses_AreBounded(t *testing.T) {
	now := night
	g := NewGuesses(func() time.Time { return now })
	for range mostOfOne {
		_, err := g.Begin("amy", "bob", "f1")
		require.NoError(t, err)
	}
	_, err := g.Begin("amy", "carol", "f2")
	require.InDelta(t, guessTime.Seconds(), refused(t, err), 2, "one person types no more")
	_, err = g.Begin("ben", "bob", "f1")
	refused(t, err)
	_, err = g.Begin("ben", "bob", "f2")
	require.NoError(t, err, "another one for another message")
	now = now.Add(guessTime)
	_, err = g.Begin("amy", "bob", "f1")
	require.NoError(t, err, "later again")
}

func TestGuesses_OfManyPeopleAreBounded(t *testing.T) {
	g := NewGuesses(func() time.Time { return night })
	for i := range 30 {
		_, err := g.Begin(fmt.Sprint("typist ", i), fmt.Sprint("person ", i), "f")
		require.NoError(t, err)
	}
	_, err := g.Begin("amy", "bob", "f")
	refused(t, err)
}

func TestGuesses_WhoIsRightHasNotGuessed(t *testing.T) {
	g := NewGuesses(func() time.Time { return night })
	for range 10 * mostOfAll {
		right, err := g.Begin("amy", "bob", "f")
		require.NoError(t, err)
		right()
	}
	require.Empty(t, g.tries)
}

func TestGuesses_KeepBoundedMemory(t *testing.T) {
	now := night
	g := NewGuesses(func() time.Time { return now })
	for i := range 3 * mostKept {
		now = now.Add(guessTime / mostOfAll)
		_, err := g.Begin(fmt.Sprint("typist ", i), "bob", fmt.Sprint(i))
		require.NoError(t, err)
	}
	require.LessOrEqual(t, len(g.tries), mostKept)
}
