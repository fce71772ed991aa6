package correction_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"almenara/node/correction"
	"almenara/storage/alert"
)

func TestMake_MovesTheAreasOfEveryLanguage(t *testing.T) {
	u := update()
	u.Areas = []correction.Areas{{Language: "zh-HK", Areas: []alert.Area{{Description: "二座"}}}, {Areas: []alert.Area{{Description: "Block 2", Circles: []string{"22.4,113.9 0.1"}}}}}
	got, warnings, err := correction.Make(bilingual(), nil, time.Time{}, u)
	require.NoError(t, err)
	require.Empty(t, warnings)
	require.Equal(t, "二座", got.Infos[0].Areas[0].Description)
	require.Equal(t, []string{"22.4,113.9 0.1"}, got.Infos[1].Areas[0].Circles)
}

// A language that kept its areas would go on warning people for whom it is over.
func TestMake_RefusesAreasOfSomeLanguagesOnly(t *testing.T) {
	for _, areas := range [][]correction.Areas{{{Language: "en", Areas: []alert.Area{{Description: "x"}}}}, {{Language: "fr"}}, {{}}} {
		u := update()
		u.Areas = areas
		_, _, err := correction.Make(bilingual(), nil, time.Time{}, u)
		require.ErrorAs(t, err, new(*correction.Refused))
		require.ErrorContains(t, err, "no areas are given for the text in")
	}
}
