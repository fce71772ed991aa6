package geometry_test

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"almenara/storage/audience/geometry"
	"almenara/storage/audience/geometry/geometrytest"
)

// What is simplified contains every point of the original, and no point that is further
// than the excess from it.
func TestOutward_ContainsTheOriginalAndLittleMore(t *testing.T) {
	const seeds = 300
	fewer := 0
	for seed := range uint64(seeds) {
		random := rand.New(rand.NewPCG(seed, 3))
		size := int32(1) << (4 + random.IntN(20))
		p := geometrytest.Outline(random, 3+random.IntN(150), size)
		excess := int64(1) << random.IntN(18)
		shapes := geometry.Outward(p, excess)
		require.Equal(t, shapes, geometry.Outward(p, excess), "it is the same every time")
		if geometry.CountPoints(shapes) < len(p) {
			fewer++
		}
		before, after := geometry.NewRing(p), geometry.NewRings(shapes)
		for _, shape := range shapes {
			require.NoError(t, shape.Check(), "seed %d", seed)
		}
		inAfter := func(v geometry.Vertex) bool {
			for i := range after {
				if after[i].Contains(v) {
					return true
				}
			}
			return false
		}
		probe := func(v geometry.Vertex) {
			was, is := before.Contains(v), inAfter(v)
			require.False(t, was && !is, "seed %d: %v is lost", seed, v)
			if is && !was {
				require.True(t, geometrytest.Near(&before, v, excess+2), "seed %d: %v is further than %d", seed, v, excess)
			}
		}
		for i, at := range p {
			next := p[(i+1)%len(p)]
			probe(at.Vertex())
			probe(geometry.Vertex{X: (int64(at.Lon) + int64(next.Lon)) / 2, Y: (int64(at.Lat) + int64(next.Lat)) / 2})
		}
		for range 300 {
			at := p[random.IntN(len(p))].Vertex()
			reach := int64(size)/4 + 4*excess
			probe(geometry.Vertex{X: at.X + random.Int64N(2*reach) - reach, Y: at.Y + random.Int64N(2*reach) - reach})
		}
	}
	require.Greater(t, fewer, seeds/10, "some become smaller")
}

func TestOutward_StaysExactFarApart(t *testing.T) {
	for _, p := range []geometry.Polygon{
		{{Lat: -900_000_000, Lon: -1_800_000_000}, {Lat: 900_000_000, Lon: -1}, {Lat: -900_000_000, Lon: 1_790_000_000}, {Lat: 0, Lon: 0}},
		{{Lat: 900_000_000, Lon: 1_800_000_000}, {Lat: 899_999_999, Lon: 0}, {Lat: 900_000_000, Lon: -1_800_000_000}, {Lat: -900_000_000, Lon: 0}},
		{{Lat: 900_000_000, Lon: 1_800_000_000}, {Lat: 899_999_999, Lon: 1_799_999_999}, {Lat: 899_999_999, Lon: 1_799_999_000}, {Lat: 899_999_000, Lon: 1_799_999_000}},
	} {
		require.NoError(t, p.Check())
		for _, at := range p {
			held := false
			for _, shape := range geometry.Outward(p, geometry.MaxExcess) {
				held = held || shape.Contains(at)
			}
			require.True(t, held)
		}
	}
}

func BenchmarkOutward(b *testing.B) {
	p, err := geometry.ParsePolygon(geometrytest.Coast(200_000), 250_000)
	require.NoError(b, err)
	for b.Loop() {
		geometry.Outward(p, 4096)
	}
}
