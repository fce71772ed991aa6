package geometry

import (
	"math/big"
	"testing"

	"github.com/stretchr/testify/require"
)

// rect has its lower left corner at lat, lon.
func rect(lat, lon, side int32) Polygon {
	return Polygon{{lat, lon}, {lat, lon + side}, {lat + side, lon + side}, {lat + side, lon}}
}

func TestContains_TheBoundaryIsInside(t *testing.T) {
	p := rect(0, 0, 10)
	for _, at := range []Point{{0, 0}, {0, 5}, {10, 10}, {5, 10}, {10, 0}, {5, 5}, {1, 9}} {
		require.True(t, p.Contains(at), at)
	}
	for _, at := range []Point{{-1, 5}, {11, 5}, {5, -1}, {5, 11}, {0, 11}, {10, -1}, {10, 11}} {
		require.False(t, p.Contains(at), at)
	}
	require.False(t, Polygon{}.Contains(Point{}))
}

func TestContains_CountsCrossingsEvenOdd(t *testing.T) {
	star := Polygon{{30, 0}, {-20, 15}, {10, -20}, {10, 20}, {-20, -15}}
	require.False(t, star.Contains(Point{0, 0}), "the middle of a five-pointed star")
	require.True(t, star.Contains(Point{20, 0}))
	require.True(t, star.Contains(Point{10, 0}), "on an edge that crosses")
}

func TestTurn_DoesNotOverflow(t *testing.T) {
	ends := []Point{{-MaxLat, -MaxLon}, {MaxLat, MaxLon}, {MaxLat, -MaxLon}, {-MaxLat, MaxLon}, {0, 0}, {1, 1}, {MaxLat - 1, MaxLon}}
	for _, a := range ends {
		for _, b := range ends {
			for _, c := range ends {
				require.Equal(t, bigTurn(a, b, c), turn(a.Vertex(), b.Vertex(), c.Vertex()))
			}
		}
	}
	world := Polygon{{-MaxLat, -MaxLon}, {-MaxLat, MaxLon}, {MaxLat, MaxLon}, {MaxLat, -MaxLon}}
	require.True(t, world.Contains(Point{1, 1}))
}

func bigTurn(a, b, c Point) int {
	product := func(x, y, z, v int32) *big.Int {
		return new(big.Int).Mul(big.NewInt(int64(x)-int64(y)), big.NewInt(int64(z)-int64(v)))
	}
	return product(b.Lon, a.Lon, c.Lat, a.Lat).Cmp(product(b.Lat, a.Lat, c.Lon, a.Lon))
}

func TestOverlaps(t *testing.T) {
	big := rect(0, 0, 100)
	for name, c := range map[string]struct {
		other Polygon
		want  bool
	}{
		"within":          {rect(40, 40, 10), true},
		"around":          {rect(-10, -10, 200), true},
		"across an edge":  {rect(50, 90, 20), true},
		"touching a side": {rect(0, 100, 10), true},
		"touching corner": {rect(100, 100, 10), true},
		"beside":          {rect(0, 101, 10), false},
		"far":             {rect(500, 500, 10), false},
		"a cross":         {Polygon{{40, -10}, {60, -10}, {60, 110}, {40, 110}}, true},
		"box only":        {Polygon{{90, 150}, {150, 90}, {150, 150}}, false},
	} {
		require.Equal(t, c.want, big.Overlaps(c.other), name)
		require.Equal(t, c.want, c.other.Overlaps(big), name)
	}
	require.False(t, big.Overlaps(Polygon{}))
}

func TestPolygonCheck_RefusesWhatEnclosesNothing(t *testing.T) {
	for name, p := range map[string]Polygon{
		"two points":      {{0, 0}, {1, 1}},
		"on a line":       {{0, 0}, {1, 1}, {2, 2}, {5, 5}},
		"there and back":  {{0, 0}, {0, 9}, {9, 9}, {0, 9}},
		"twice round":     {{0, 0}, {0, 9}, {9, 9}, {0, 0}, {0, 9}, {9, 9}},
		"repeated point":  {{0, 0}, {0, 0}, {9, 9}},
		"over the 180th":  {{0, MaxLon}, {0, -MaxLon}, {9, 9}},
		"off the map":     {{0, 0}, {0, 9}, {MaxLat + 1, 9}},
		"off the map too": {{0, 0}, {0, MaxLon + 1}, {9, 9}},
	} {
		require.Error(t, p.Check(), name)
	}
	require.NoError(t, Polygon{{0, 0}, {10, 10}, {10, 0}, {0, 10}}.Check(), "a figure of eight has an area")
}
