package residents

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"almenara/cluster/fact"
	"almenara/storage/factbody"
	"almenara/storage/personal"
)

// What is old loses its words and counts on; what lost a name is shown as it is agreed; what is old stays so.
func TestForget_WordsGoAndAnswersStay(t *testing.T) {
	b := NewBook(nil, &station{}, func() time.Time { return night })
	help := answerOf(blockOne, factbody.ResidentHelp, "1", "Chan Tai Man, 12/F", night.Add(-time.Hour))
	photo := answerOf(blockOne, factbody.ResidentPhoto, "2", "roof", night)
	photo.Photo = &factbody.Photo{SHA256: make([]byte, 32), Size: 5, Width: 1, Height: 1}
	body, err := factbody.Residents{Answers: []factbody.ResidentAnswer{help, photo, answerOf(blockOne, factbody.ResidentSeen, "3", "", night)}}.Encode()
	require.NoError(t, err)
	_, ok := b.Learn(fact.Fact{Kind: fact.KindResidents, Body: body})
	require.True(t, ok)
	counts := b.Counts([]string{string(fire)})
	require.Len(t, b.Photos(), 1)
	where := func(id string) string { one, _ := b.one(id); return one.Where }

	left := help
	left.Where = "erased-x, 12/F"
	body, err = factbody.Residents{Answers: []factbody.ResidentAnswer{left}}.Encode()
	require.NoError(t, err)
	b.Relearn(fact.Fact{Kind: fact.KindResidents, Body: body})
	require.Equal(t, "erased-x, 12/F", where(help.ID))

	before := func(at time.Time) func(personal.What) int64 {
		return func(what personal.What) int64 {
			require.Equal(t, personal.OldResidents, what)
			return at.UnixMilli()
		}
	}
	require.Equal(t, 1, b.Forget(nil, before(night)))
	require.Empty(t, where(help.ID))
	require.Equal(t, "roof", where(photo.ID))
	b.Relearn(fact.Fact{Kind: fact.KindResidents, Body: body})
	require.Empty(t, where(help.ID))
	require.Equal(t, 1, b.Forget(nil, before(night.Add(time.Hour))))
	require.Zero(t, b.Forget(nil, before(night.Add(time.Hour))))
	require.Empty(t, b.Photos())
	require.Equal(t, counts, b.Counts([]string{string(fire)}), "the answers count on")
}
