package lookup

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"almenara/storage/audience"
	"almenara/storage/audience/audiencetest"
)

// What members of before the forms are called is found under what it looks like, and what
// looks otherwise is not.
func TestWithSpellings_FindsMembersOfBeforeTheForms(t *testing.T) {
	x := New()
	put := func(ord uint32, kind audience.Kind, tags ...audience.Tag) {
		m := &audience.Member{ID: fmt.Sprint("r-", ord), Kind: kind, Place: "tm", Tags: tags}
		m.Normalize()
		x.Put(ord, m)
	}
	put(1, "screen", audience.Tag{Name: "risk", Value: "high"})
	put(2, "screen", audience.Tag{Name: "risk", Value: "ｈｉｇｈ"})
	put(3, "screen", audience.Tag{Name: "risk", Value: "high\u200b"})
	put(4, "screen", audience.Tag{Name: "ｒｉｓｋ", Value: "high"})
	put(5, "screen", audience.Tag{Name: "risk", Value: "low"})
	put(6, "screen")
	ask := func(expr string) []uint32 {
		s := x.WithSpellings(audiencetest.MustParse(expr))
		got, err := x.Select(s)
		require.NoError(t, err)
		again, err := audience.ParseCanonical(s.String())
		require.NoError(t, err)
		same, err := x.Select(again)
		require.NoError(t, err)
		require.Equal(t, got.ToArray(), same.ToArray(), "the other nodes read the same")
		return got.ToArray()
	}
	require.Equal(t, []uint32{1, 2, 3, 4}, ask("risk = high"))
	require.Equal(t, []uint32{1, 2, 3, 4}, ask("risk = ｈｉｇｈ"))
	require.Equal(t, []uint32{5, 6}, ask("risk != high"))
	require.Equal(t, []uint32{1, 2, 3, 4, 5}, ask("has risk"))
	require.Equal(t, []uint32{1, 2, 3, 4, 5, 6}, ask("kind = screen"))
	require.Equal(t, []uint32{5, 6}, ask("kind = screen and not (risk in (high, medium))"))
	plain := audiencetest.MustParse("risk = low")
	require.Equal(t, plain.String(), x.WithSpellings(plain).String())
	for ord := range uint32(7) {
		x.Remove(ord)
	}
	require.Empty(t, x.profiles.odd, "what is gone is forgotten")
}

// A place that was made under another form before stays selectable by it.
func TestParse_APlaceIsSelectedAsItWasTypedToo(t *testing.T) {
	x := New()
	x.Put(0, &audience.Member{ID: "old", Kind: "screen", Place: "a/３座"})
	x.Put(1, &audience.Member{ID: "new", Kind: "screen", Place: "a/3座"})
	selected := func(expr string) []uint32 {
		s := audiencetest.MustParse(expr)
		require.Equal(t, s.String(), audiencetest.MustParse(s.String()).String())
		members, err := x.Select(s)
		require.NoError(t, err)
		return ordinals(members)
	}
	require.Equal(t, []uint32{0, 1}, selected("place under a/３座"))
	require.Equal(t, []uint32{0, 1}, selected("kind = screen and place = a/３座"))
	require.Equal(t, []uint32{1}, selected("place under a/3座"))
	require.Empty(t, selected("not place under a/３座"))
}

// What a target carries is read byte by byte: nodes of older software must agree.
func TestResolve_TakesTheSelectionOfATargetAsItIs(t *testing.T) {
	x := New()
	x.Put(0, &audience.Member{ID: "a", Kind: "screen", Place: "a", Tags: []audience.Tag{{Name: "risk", Value: "ｈｉｇｈ"}}})
	x.Put(1, &audience.Member{ID: "b", Kind: "screen", Place: "a", Tags: []audience.Tag{{Name: "risk", Value: "high"}}})
	r, err := x.Resolve(audience.Target{Select: "risk = ｈｉｇｈ"})
	require.NoError(t, err)
	require.Equal(t, []uint32{0}, r.Members.ToArray())
}
