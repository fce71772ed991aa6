package members_test

import (
	"fmt"
	"log/slog"
	"testing"

	"github.com/stretchr/testify/require"

	"almenara/node/members"
	"almenara/node/wire"
	"almenara/storage"
	"almenara/storage/audience"
	"almenara/storage/audience/lookup"
	"almenara/storage/member"
)

// newMembers has seven screens in one block and a speaker in another; the third was removed.
func newMembers(t *testing.T) (*members.Members, *storage.Store) {
	t.Helper()
	store, err := storage.Open(t.TempDir(), storage.Options{MemTableSize: storage.MinMemTableSize, MinFree: 1, Logger: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, store.Close()) })
	index := lookup.New()
	put := func(m audience.Member) {
		require.NoError(t, store.Update(func(txn *storage.Txn) error {
			ordinal, err := member.Replace(txn, member.Record{Member: m}, false, audience.EncodeMember(&m), 1)
			index.Put(ordinal, &m)
			return err
		}))
	}
	for i := range 7 {
		put(audience.Member{ID: fmt.Sprint("s", i), Kind: audience.KindScreen, Place: "d/estate/one",
			Tags: []audience.Tag{{Name: "lift", Value: "a"}, {Name: "lift", Value: "b"}}})
	}
	put(audience.Member{ID: "loud", Kind: audience.KindSpeaker, Place: "d/estate/two/hall"})
	return members.New(func() *lookup.Index { return index }, store), store
}

func TestSelect_CountsAndPages(t *testing.T) {
	m, _ := newMembers(t)
	all, err := m.Select(t.Context(), "place under d", "", 0)
	require.NoError(t, err)
	require.EqualValues(t, 8, all.Counts.Total)
	require.Equal(t, []wire.Count{{Name: "screen", Count: 7}, {Name: "speaker", Count: 1}}, all.Counts.ByKind)
	require.Equal(t, []wire.Count{{Name: "d/estate/one", Count: 7}, {Name: "d/estate/two", Count: 1}}, all.Counts.ByPlace, "as deep as a block")
	require.Empty(t, all.Members)

	var seen []string
	for after := ""; ; {
		page, err := m.Select(t.Context(), "kind = screen", after, 3)
		require.NoError(t, err)
		require.LessOrEqual(t, len(page.Members), 3)
		for _, one := range page.Members {
			seen = append(seen, one.ID)
			require.Equal(t, map[string]string{"lift": "a, b"}, one.Tags)
		}
		if after = page.Next; after == "" {
			break
		}
	}
	require.Equal(t, []string{"s0", "s1", "s2", "s3", "s4", "s5", "s6"}, seen)
}

func TestSelect_SaysWhatIsWrong(t *testing.T) {
	m, _ := newMembers(t)
	for expression, kind := range map[string]string{"kind =": wire.KindMalformed, "place under": wire.KindMalformed} {
		_, err := m.Select(t.Context(), expression, "", 0)
		var p *wire.Problem
		require.ErrorAs(t, err, &p, expression)
		require.Equal(t, kind, p.Kind)
	}
	_, err := m.Select(t.Context(), "kind = screen", "unheard", 3)
	var p *wire.Problem
	require.ErrorAs(t, err, &p)
	require.Equal(t, wire.KindNotFound, p.Kind)
}

func TestAt_ReadsWhoIsThere(t *testing.T) {
	_, store := newMembers(t)
	require.NoError(t, store.View(func(txn *storage.Txn) error {
		first, ok, err := members.At(txn, 1)
		require.NoError(t, err)
		require.True(t, ok)
		require.NotEmpty(t, first.ID)
		_, ok, err = members.At(txn, 4711)
		require.False(t, ok)
		return err
	}))
}

func TestPageSize_IsBounded(t *testing.T) {
	for asked, want := range map[int]int{-1: 20, 0: 20, 7: 7, 1000: 1000, 1001: 1000} {
		require.Equal(t, want, members.PageSize(asked))
	}
}

// A path that is cut short, or a word mistyped, counts nobody, and nothing shows why.
func TestSelect_SaysWhatNobodyFits(t *testing.T) {
	d, _ := newMembers(t)
	for expression, says := range map[string][]string{
		"place under nowhere": {"nowhere is no place of the district: a place is its whole path, district first"},
		"kind = screen and place under d/estate/one and x = y": {`no member fits x = y`},
		"kind in (screen, sreen) and id = nobody":              {"no member fits kind = sreen", "no member fits id = nobody"},
		"has care and kind = screen":                           {"no member fits has care"},
		"kind = screen and not all":                            nil,
		"kind = screen":                                        nil,
		"kind = screen or place under nowhere":                 nil, // somebody is selected
	} {
		out, err := d.Select(t.Context(), expression, "", 0)
		require.NoError(t, err)
		require.ElementsMatch(t, says, out.Warnings.Texts(), expression)
	}
	out, err := d.Select(t.Context(), "id in (a1, a2, a3, a4, a5, a6, a7)", "", 0)
	require.NoError(t, err)
	require.Len(t, out.Warnings, 5, "a list of mistakes is cut")
}
