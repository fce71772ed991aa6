package audience_test

import (
	"testing"

	"almenara/storage/audience"
	"almenara/storage/audience/audiencetest"
)

func FuzzNormalKey(f *testing.F) {
	for _, s := range append(audiencetest.HighRisk, "e\u0301", "ﷺ", "\u200d", "가") {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if n := audience.NormalKey(s); audience.NormalKey(n) != n {
			t.Fatalf("%q gives %q, that gives %q", s, n, audience.NormalKey(n))
		}
	})
}
