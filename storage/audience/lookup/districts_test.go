package lookup

import (
	"encoding/json"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"almenara/storage/audience"
	"almenara/storage/audience/audiencetest"
	"almenara/storage/audience/geometry"
)

// districtShapes reads the outer rings of the districts' outlines by their code.
func districtShapes(t *testing.T, name string) map[string][]geometry.Polygon {
	t.Helper()
	var file struct {
		Features []struct {
			Properties struct{ Code string }
			Geometry   struct{ Coordinates [][][2]json.Number }
		}
	}
	require.NoError(t, json.NewDecoder(audiencetest.OpenTestdata(t, name)).Decode(&file))
	shapes := map[string][]geometry.Polygon{}
	for _, f := range file.Features {
		for _, ring := range f.Geometry.Coordinates {
			var text []string
			for _, at := range ring {
				text = append(text, at[1].String()+","+at[0].String())
			}
			shapes[f.Properties.Code] = append(shapes[f.Properties.Code], ringOf(t, text))
		}
	}
	return shapes
}

func ringOf(t *testing.T, pairs []string) geometry.Polygon {
	t.Helper()
	var p geometry.Polygon
	for _, pair := range pairs[1:] {
		at, err := geometry.ParsePair(pair)
		require.NoError(t, err)
		if len(p) == 0 || p[len(p)-1] != at { // rounding made neighbours equal
			p = append(p, at)
		}
	}
	require.NoError(t, p.Check())
	return p
}

func TestTestdata_PlacesLieInTheirDistricts(t *testing.T) {
	for _, name := range []string{"hk/districts.geojson", "hk/districts.simplified.geojson"} {
		shapes := districtShapes(t, name)
		require.Len(t, shapes, 18)
		var all []geometry.Polygon
		for code, some := range shapes {
			require.False(t, geometry.Tangled(some), code)
			all = append(all, some...)
		}
		require.False(t, geometry.Tangled(all))
		x := New()
		rows := audiencetest.Rows(t, "hk/points.tsv")
		for i, row := range rows {
			at, err := geometry.ParsePair(row[1] + "," + row[2])
			require.NoError(t, err)
			x.Put(uint32(i), &audience.Member{ID: strconv.Itoa(i), Kind: audience.KindScreen, Place: "hk", Location: &at})
		}
		for code, shape := range shapes {
			r, err := x.Resolve(audience.Target{Area: true, Shapes: shape})
			require.NoError(t, err)
			for i, row := range rows {
				if row[5] == "yes" {
					require.Equal(t, row[3] == code, r.Members.Contains(uint32(i)), "%s: %v in %s", name, row, code)
				}
			}
		}
	}
}
