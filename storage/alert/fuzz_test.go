package alert

import (
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// FuzzParse asserts that no bytes make Parse panic, that it rejects exactly with an
// error, and that what it accepts survives being written.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{small, whole, prefixed(small), "", "\xff\xfe<\x00a\x00/\x00>\x00",
		"<?xml version='1.0' encoding='Big5'?><alert/>", "<!DOCTYPE a []><a>&b;</a>"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		a, found, err := Parse(raw)
		require.Equal(t, found.Rejected(), errors.Is(err, ErrRejected))
		require.Equal(t, err != nil, a == nil)
		if err == nil {
			requireStable(t, a)
		}
	})
}

// FuzzFromJSON asserts the same of the JSON form.
func FuzzFromJSON(f *testing.F) {
	for _, seed := range []string{short, `{"info":[{}]}`, `{"addresses":"\"a b\" c","note":null}`, "[[", `{"sent":"2026-07-20T17:40:00+08:00"}`} {
		f.Add([]byte(seed))
	}
	for _, text := range []string{small, whole} {
		raw, err := json.Marshal(parsed(f, text))
		require.NoError(f, err)
		f.Add(raw)
	}
	now := time.Date(2026, 7, 20, 9, 40, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, raw []byte) {
		a, found, err := FromJSON(raw, "sender", "identifier", now)
		require.Equal(t, found.Rejected(), errors.Is(err, ErrRejected))
		require.Equal(t, err != nil, a == nil)
		if err == nil {
			requireStable(t, a)
		}
	})
}

// requireStable asserts that an accepted alert is still the same after XML and that
// nothing on it panics.
func requireStable(t *testing.T, a *Alert) {
	t.Helper()
	raw, err := a.XML()
	if errors.Is(err, ErrTooLarge) {
		return
	}
	require.NoError(t, err)
	again, found, err := Parse(raw)
	require.NoError(t, err, found)
	a.Signed = false
	require.Equal(t, a, again)
	require.Equal(t, a.Digest(), again.Digest())
	shifted := Shift(a, a.Sent.Time().Add(time.Hour))
	require.False(t, shifted.Check().Rejected())
	require.False(t, Ack(a, "s", "i", "n", a.Sent.Time()).Check().Rejected())
	require.NotEmpty(t, a.Key().ID())
	_, _, _ = a.Expires(), a.Headline("en"), a.Revision()
}

func BenchmarkParse(b *testing.B) {
	for name, text := range map[string]string{"small": small, "whole": whole} {
		b.Run(name, func(b *testing.B) {
			raw := []byte(text)
			b.SetBytes(int64(len(raw)))
			b.ReportAllocs()
			for b.Loop() {
				if _, _, err := Parse(raw); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkParseHostile shows what one MiB made to hurt costs.
func BenchmarkParseHostile(b *testing.B) {
	for name, text := range hostile(b) {
		b.Run(name, func(b *testing.B) {
			raw := []byte(text)
			b.ReportAllocs()
			for b.Loop() {
				_, _, _ = Parse(raw)
			}
		})
	}
}
