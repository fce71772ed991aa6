package audience_test

import (
	"cmp"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"almenara/storage/audience"
	"almenara/storage/audience/audiencetest"
)

func TestNormalizeKeys_DoesNothingTwice(t *testing.T) {
	m := audience.Member{ID: "a", Kind: "ｓcreen", Place: "a", Tags: []audience.Tag{{"risk", "ｈｉｇｈ"}, {"risk", "high\u200b"}}, Languages: []string{"zh\u200b-HK"}}
	shared := m.Tags
	require.Equal(t, 4, m.NormalizeKeys())
	require.Equal(t, audience.Member{ID: "a", Kind: "screen", Place: "a", Tags: []audience.Tag{{"risk", "high"}}, Languages: []string{"zh-HK"}}, m)
	require.Equal(t, "ｈｉｇｈ", shared[0].Value, "what was shared is as it was")
	require.Zero(t, m.NormalizeKeys())
	require.True(t, slices.IsSortedFunc(m.Tags, func(a, b audience.Tag) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Value, b.Value))
	}))
}

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
