package audience

import (
	"math/big"
	"testing"

	"github.com/stretchr/testify/require"
)

// square has its lower left corner at lat, lon.
func square(lat, lon, side int32) Polygon {
	return Polygon{{lat, lon}, {lat, lon + side}, {lat + side, lon + side}, {lat + side, lon}}
}

func TestContains_TheBoundaryIsInside(t *testing.T) {
	p := square(0, 0, 10)
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

func TestContains_AgreesWithTheNaiveWay(t *testing.T) {
	w := newWorld(2)
	for range 3000 {
		p := w.polygon()
		at := w.point()
		require.Equal(t, naiveContains(p, at), p.Contains(at), "%v in %v", at, p)
		require.True(t, p.Contains(p[0]))
	}
}

func TestTurn_DoesNotOverflow(t *testing.T) {
	ends := []Point{{-maxLat, -maxLon}, {maxLat, maxLon}, {maxLat, -maxLon}, {-maxLat, maxLon}, {0, 0}, {1, 1}, {maxLat - 1, maxLon}}
	for _, a := range ends {
		for _, b := range ends {
			for _, c := range ends {
				require.Equal(t, bigTurn(a, b, c), turn(a.vertex(), b.vertex(), c.vertex()))
			}
		}
	}
	world := Polygon{{-maxLat, -maxLon}, {-maxLat, maxLon}, {maxLat, maxLon}, {maxLat, -maxLon}}
	require.True(t, world.Contains(Point{1, 1}))
}

func bigTurn(a, b, c Point) int {
	product := func(x, y, z, v int32) *big.Int {
		return new(big.Int).Mul(big.NewInt(int64(x)-int64(y)), big.NewInt(int64(z)-int64(v)))
	}
	return product(b.Lon, a.Lon, c.Lat, a.Lat).Cmp(product(b.Lat, a.Lat, c.Lon, a.Lon))
}

func TestOverlaps(t *testing.T) {
	big := square(0, 0, 100)
	for name, c := range map[string]struct {
		other Polygon
		want  bool
	}{
		"within":          {square(40, 40, 10), true},
		"around":          {square(-10, -10, 200), true},
		"across an edge":  {square(50, 90, 20), true},
		"touching a side": {square(0, 100, 10), true},
		"touching corner": {square(100, 100, 10), true},
		"beside":          {square(0, 101, 10), false},
		"far":             {square(500, 500, 10), false},
		"a cross":         {Polygon{{40, -10}, {60, -10}, {60, 110}, {40, 110}}, true},
		"box only":        {Polygon{{90, 150}, {150, 90}, {150, 150}}, false},
	} {
		require.Equal(t, c.want, big.Overlaps(c.other), name)
		require.Equal(t, c.want, c.other.Overlaps(big), name)
	}
	require.False(t, big.Overlaps(Polygon{}))
}

func TestOverlaps_HoldsForEveryCommonPoint(t *testing.T) {
	w := newWorld(4)
	for range 2000 {
		p, q := w.polygon(), w.polygon()
		require.Equal(t, p.Overlaps(q), q.Overlaps(p))
		if at := w.point(); p.Contains(at) && q.Contains(at) {
			require.True(t, p.Overlaps(q))
		}
	}
}

func TestPolygonCheck_RefusesWhatEnclosesNothing(t *testing.T) {
	for name, p := range map[string]Polygon{
		"two points":      {{0, 0}, {1, 1}},
		"on a line":       {{0, 0}, {1, 1}, {2, 2}, {5, 5}},
		"there and back":  {{0, 0}, {0, 9}, {9, 9}, {0, 9}},
		"twice round":     {{0, 0}, {0, 9}, {9, 9}, {0, 0}, {0, 9}, {9, 9}},
		"repeated point":  {{0, 0}, {0, 0}, {9, 9}},
		"over the 180th":  {{0, maxLon}, {0, -maxLon}, {9, 9}},
		"off the map":     {{0, 0}, {0, 9}, {maxLat + 1, 9}},
		"off the map too": {{0, 0}, {0, maxLon + 1}, {9, 9}},
	} {
		require.Error(t, p.check(), name)
	}
	require.NoError(t, Polygon{{0, 0}, {10, 10}, {10, 0}, {0, 10}}.check(), "a figure of eight has an area")
}

func TestParseDegrees(t *testing.T) {
	for in, want := range map[string]int32{
		"22.3193": 223_193_000, "-22.3193": -223_193_000, "+1": 10_000_000, "0": 0, ".5": 5_000_000, "5.": 50_000_000,
		"114.16940005": 1_141_694_001, "114.16940004": 1_141_694_000, "-0.00000005": -1, "180": 1_800_000_000, "000180.0": 1_800_000_000,
		"0.00000004999999999999": 0,
	} {
		got, err := parseDegrees(in, maxLon)
		require.NoError(t, err, in)
		require.Equal(t, want, got, in)
	}
	for _, in := range []string{"", "-", ".", "+-1", "1e3", "1,5", "0x1", "NaN", "Inf", "١", "180.0000001", "9999999", "1.2.3", " 1", "--1", "1-"} {
		_, err := parseDegrees(in, maxLon)
		require.Error(t, err, in)
	}
	_, err := parseDegrees("90.1", maxLat)
	require.ErrorContains(t, err, "-90 to 90")
}

func TestFormatDegrees_IsReadBack(t *testing.T) {
	for _, units := range []int32{0, 1, -1, 223_193_000, -1_800_000_000, 10_000_000} {
		got, err := parseDegrees(formatDegrees(units), maxLon)
		require.NoError(t, err)
		require.Equal(t, units, got)
	}
	require.Equal(t, "22.3193", formatDegrees(223_193_000))
	require.Equal(t, "-10", formatDegrees(-100_000_000))
}

// Points all over the world and at its ends take part in the grid as in the
// plain test.
func TestGrid_WorksToTheEndsOfTheWorld(t *testing.T) {
	w := newWorld(9)
	g, points := newGrid(), []Point{{-maxLat, -maxLon}, {maxLat, maxLon}, {-1, -1}, {0, 0}, {maxLat, 0}, {-400_000, -400_001}}
	for range 500 {
		points = append(points, Point{int32(w.IntN(2*maxLat+1) - maxLat), int32(int64(w.Uint64N(2*maxLon+1)) - maxLon)})
	}
	for ord, at := range points {
		g.add(uint32(ord), at)
	}
	for _, p := range []Polygon{
		{{-maxLat, -maxLon}, {-maxLat, 0}, {-maxLat, maxLon}, {maxLat, maxLon}, {maxLat, 0}, {maxLat, -maxLon}},
		{{-800_000_000, -1_700_000_000}, {10, 0}, {899_999_999, 1_700_000_000}, {0, 1}},
		square(-500_000, -500_000, 1_000_000),
	} {
		u, r := &union{}, newRing(p)
		g.within(&r, u)
		found := u.bitmap()
		for ord, at := range points {
			require.Equal(t, p.Contains(at), found.Contains(uint32(ord)), "%v", at)
		}
	}
}
