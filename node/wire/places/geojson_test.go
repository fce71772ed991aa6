package places

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const ring = `[[114,22.1],[114,22.2],[114.1,22.2],[114,22.1]]`

func TestOutlines_ReadsWhatMapsGive(t *testing.T) {
	want := []string{"22.1,114 22.2,114 22.2,114.1 22.1,114"}
	polygon := `{"type":"Polygon","coordinates":[` + ring + `]}`
	for _, text := range []string{
		polygon,
		`{"type":"MultiPolygon","coordinates":[[` + ring + `]]}`,
		`{"type":"Feature","properties":{"name":"x"},"geometry":` + polygon + `}`,
		`{"type":"FeatureCollection","features":[{"type":"Feature","geometry":null},{"type":"Feature","geometry":{"type":"Point","coordinates":[1,2]}},{"type":"Feature","geometry":` + polygon + `}]}`,
		`{"type":"GeometryCollection","geometries":[` + polygon + `]}`,
	} {
		got, err := Outlines([]byte(text))
		require.NoError(t, err, text)
		require.Equal(t, want, got, text)
	}
}

func TestOutlines_RefusesWhatIsNone(t *testing.T) {
	for text, says := range map[string]string{
		``: "no GeoJSON", `[]`: "no GeoJSON", `{}`: "no type", `{"type":"Circle"}`: "no type", `{"type":"Point","coordinates":[1,2]}`: "no polygon",
		`{"type":"Polygon","coordinates":[` + ring + `,` + ring + `]}`: "without holes", `{"type":"Polygon","coordinates":[]}`: "0 rings",
		`{"type":"Polygon","coordinates":[[[1]]]}`: "no longitude", `{"type":"Polygon","coordinates":[[["a","b"]]]}`: "coordinates",
		`{"type":"Polygon","coordinates":[[` + strings.Repeat(`[1,2],`, mostCorners) + `[1,2]]]}`: "more than",
		strings.Repeat(`{"type":"Feature","geometry":`, 20) + `null` + strings.Repeat(`}`, 20):    "too deep",
	} {
		_, err := Outlines([]byte(text))
		require.ErrorContains(t, err, says, text[:min(len(text), 80)])
	}
}

func FuzzOutlines(f *testing.F) {
	f.Add(`{"type":"Polygon","coordinates":[` + ring + `]}`)
	f.Fuzz(func(t *testing.T, text string) {
		if out, err := Outlines([]byte(text)); err == nil {
			require.NotEmpty(t, out)
		}
	})
}
