package fleet

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"almenara/node/web/console/pagetest"
	"almenara/node/wire"
)

func TestTemplates(t *testing.T) {
	pagetest.Templates(t, Room(Services{}), func() map[string]any {
		return map[string]any{"devices": &devicesPage{}, "device": &devicePage{}, "add-devices": &addPage{}, "sheet": &sheetPage{}}
	})
}

// A list is taken as people have it: from a spreadsheet, with or without the names of the columns.
func TestListed(t *testing.T) {
	usual := wire.Enrol{Kind: "screen", Place: "tm", NewKind: true}
	in, err := listed("ID,Kind,Place\r\n lift-1 \r\n\r\nlift-2\tspeaker\ttm/on-ting\tm-2\nlift-3,,tm/b，\n", usual)
	require.NoError(t, err)
	require.Equal(t, []wire.Enrol{
		{ID: "lift-1", Kind: "screen", Place: "tm", NewKind: true},
		{ID: "lift-2", Kind: "speaker", Place: "tm/on-ting", Member: "m-2", NewKind: true},
		{ID: "lift-3", Kind: "screen", Place: "tm/b", NewKind: true},
	}, in)
	for text, says := range map[string]string{
		"": "not 0", " \n\t\n": "not 0", "id": "not 0", "a,b,c,d,e": "5 columns", strings.Repeat("x\n", wire.MaxEnrol+1): "not 501",
	} {
		_, err := listed(text, usual)
		require.ErrorContains(t, err, says, "%.20q", text)
	}
}

func TestBlockOf(t *testing.T) {
	for place, want := range map[string]string{"": "", "a": "a", "a/b": "a/b", "a/b/c": "a/b/c", "a/b/c/d": "a/b/c", "a/b/c/d/e": "a/b/c"} {
		require.Equal(t, want, blockOf(place))
	}
}

// A place is met whole: block-1 is no part of block-10, nor the other way round.
func TestFilter_MeetsPlacesWhole(t *testing.T) {
	f := filter{place: "tm/on-ting/block-1"}
	for place, in := range map[string]bool{
		"tm/on-ting/block-1": true, "tm/on-ting/block-1/12f": true, "tm/on-ting/block-10": false, "tm/on-ting/block-10/12f": false, "tm/on-ting": false, "": false,
	} {
		require.Equal(t, in, f.lets(&wire.Device{ID: "x", Place: place}), place)
	}
	require.True(t, filter{}.lets(&wire.Device{Place: "anywhere"}))
}
