package known_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"almenara/node/known"
	"almenara/node/wire"
	"almenara/storage/audience"
	"almenara/storage/audience/lookup"
)

// district has one led wall, and places below tuen-mun.
type district struct{}

func (district) HasKind(k audience.Kind) bool { return k == "led-wall" }
func (district) MayHold(p audience.Path) bool { return strings.HasPrefix(string(p), "tuen-mun") }

func TestSelection_NamesOnlyWhatTheDistrictMayHave(t *testing.T) {
	for expression, says := range map[string]string{
		"all": "", "kind = led-wall and place under tuen-mun/not-yet": "", "kind in (screen, siren)": "", "has care": "",
		"kind = sreen": "the kind sreen is none that the district has; usual are kiosk, person",
		"place under tuen-mun or not (kind = person and place = tuenmun/on-ting)": "",
		"kind = screen and not (place under yuen-long or has care)":               "the place yuen-long is not in the district",
		"place = tuem-mun/on-ting": "the place tuem-mun/on-ting is not in the district: no place of it begins with tuem-mun",
	} {
		s, err := audience.Parse(expression)
		require.NoError(t, err, expression)
		err = known.Selection(district{}, s)
		if says == "" && !strings.Contains(expression, "tuenmun") {
			require.NoError(t, err, expression)
			continue
		}
		var p *wire.Problem
		require.ErrorAs(t, err, &p, expression)
		require.Equal(t, wire.KindRefused, p.Kind)
		require.Contains(t, p.Sentence, says)
	}
	require.NoError(t, known.Places(district{}), "none is everywhere")
}

// A path that is cut short selects nobody, and nothing shows why.
func TestSelectsNobody_SaysWhichPlaceIsNone(t *testing.T) {
	index := lookup.New()
	index.PutPlace(audience.Place{Path: "tuen-mun/on-ting"})
	for expression, says := range map[string]string{
		"kind = screen and place under tuen-mun/on-ting": "nobody",
		"kind = screen and not (place = on-ting)":        "nobody; on-ting is no place of the district: a place is its whole path, district first",
	} {
		s, err := audience.Parse(expression)
		require.NoError(t, err)
		err = known.SelectsNobody(index, s)
		require.EqualError(t, err, "nothing was sent: the selection "+s.String()+" selects "+says)
	}
}
