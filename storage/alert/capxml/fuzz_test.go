package capxml_test

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"almenara/storage/alert"
	"almenara/storage/alert/alerttest"
	"almenara/storage/alert/capxml"
)

// FuzzParse asserts that no bytes make Parse panic, that it rejects exactly with an
// error, and that what it accepts survives being written.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{alerttest.Small, alerttest.Whole, alerttest.Prefixed(alerttest.Small), "", "\xff\xfe<\x00a\x00/\x00>\x00",
		"<?xml version='1.0' encoding='Big5'?><alert/>", "<!DOCTYPE a []><a>&b;</a>"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		a, found, err := capxml.Parse(raw)
		require.Equal(t, found.Rejected(), errors.Is(err, alert.ErrRejected))
		require.Equal(t, err != nil, a == nil)
		if err == nil {
			alerttest.RequireStable(t, a)
		}
	})
}

func BenchmarkParse(b *testing.B) {
	for name, text := range map[string]string{"small": alerttest.Small, "whole": alerttest.Whole} {
		b.Run(name, func(b *testing.B) {
			raw := []byte(text)
			b.SetBytes(int64(len(raw)))
			b.ReportAllocs()
			for b.Loop() {
				if _, _, err := capxml.Parse(raw); err != nil {
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
				_, _, _ = capxml.Parse(raw)
			}
		})
	}
}
