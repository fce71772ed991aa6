package grid

import (
	"testing"

	"github.com/stretchr/testify/require"

	"almenara/storage/audience/audiencetest"
	"almenara/storage/audience/geometry"
	"almenara/storage/audience/geometry/geometrytest"
	"almenara/storage/audience/lookup/sets"
)

// Points all over the world and at its ends take part in the grid as in the
// plain test.
func TestGrid_WorksToTheEndsOfTheWorld(t *testing.T) {
	w := audiencetest.New(9)
	g, points := New(), []geometry.Point{{Lat: -geometry.MaxLat, Lon: -geometry.MaxLon}, {Lat: geometry.MaxLat, Lon: geometry.MaxLon}, {Lat: -1, Lon: -1}, {Lat: 0, Lon: 0}, {Lat: geometry.MaxLat, Lon: 0}, {Lat: -400_000, Lon: -400_001}}
	for range 500 {
		points = append(points, geometry.Point{Lat: int32(w.IntN(2*geometry.MaxLat+1) - geometry.MaxLat), Lon: int32(int64(w.Uint64N(2*geometry.MaxLon+1)) - geometry.MaxLon)})
	}
	for ord, at := range points {
		g.Add(uint32(ord), at)
	}
	for _, p := range []geometry.Polygon{
		{{Lat: -geometry.MaxLat, Lon: -geometry.MaxLon}, {Lat: -geometry.MaxLat, Lon: 0}, {Lat: -geometry.MaxLat, Lon: geometry.MaxLon}, {Lat: geometry.MaxLat, Lon: geometry.MaxLon}, {Lat: geometry.MaxLat, Lon: 0}, {Lat: geometry.MaxLat, Lon: -geometry.MaxLon}},
		{{Lat: -800_000_000, Lon: -1_700_000_000}, {Lat: 10, Lon: 0}, {Lat: 899_999_999, Lon: 1_700_000_000}, {Lat: 0, Lon: 1}},
		geometrytest.Square(-500_000, -500_000, 1_000_000),
	} {
		u, r := &sets.Union{}, geometry.NewRing(p)
		g.Within(&r, u)
		found := u.Bitmap()
		for ord, at := range points {
			require.Equal(t, p.Contains(at), found.Contains(uint32(ord)), "%v", at)
		}
	}
}
