package geometry_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"almenara/storage/audience/geometry"
	"almenara/storage/audience/geometry/geometrytest"
)

// naiveOverlaps compares each edge with each.
func naiveOverlaps(p, q geometry.Polygon) bool {
	r, s := geometry.NewRing(p), geometry.NewRing(q)
	for _, e := range r.Edges {
		for _, f := range s.Edges {
			if e.Meets(f) {
				return true
			}
		}
	}
	return p.Contains(q[0]) || q.Contains(p[0])
}

func TestOverlaps_OfLongBordersAgreesWithTheNaiveWay(t *testing.T) {
	w := rand.New(rand.NewPCG(7, 1))
	seen := map[bool]int{}
	for range 300 {
		p := geometrytest.Outline(w, 3+w.IntN(400), 1_000_000)
		q := geometrytest.Outline(w, 3+w.IntN(400), 1_000_000)
		dx, dy := int32(w.IntN(4_000_000)-2_000_000), int32(w.IntN(4_000_000)-2_000_000)
		for i := range q {
			q[i].Lon, q[i].Lat = q[i].Lon+dx, q[i].Lat+dy
		}
		got := p.Overlaps(q)
		require.Equal(t, naiveOverlaps(p, q), got, "%v and %v", p, q)
		seen[got]++
	}
	require.Greater(t, min(seen[true], seen[false]), 50)
}

// comb is a band with teeth that are slanted; hang is another one, whose teeth hang between them.
func comb(teeth int, slant int32) (stand, hang geometry.Polygon) {
	const x, y, high = 1_139_000_000, 223_000_000, 1_000_000
	for i := range int32(teeth) {
		at := x + 200*i
		stand = append(stand, geometry.Point{Lon: at, Lat: y}, geometry.Point{Lon: at + slant, Lat: y + high}, geometry.Point{Lon: at + 50 + slant, Lat: y + high}, geometry.Point{Lon: at + 50, Lat: y})
		low, top := geometry.Point{Lon: at + 100, Lat: y + 500}, geometry.Point{Lon: at + 100 + slant, Lat: y + high + 500}
		hang = append(hang, top, low, geometry.Point{Lon: low.Lon + 20, Lat: low.Lat}, geometry.Point{Lon: top.Lon + 20, Lat: top.Lat})
	}
	last := x + 200*int32(teeth)
	stand = append(stand, geometry.Point{Lon: last, Lat: y - 1000}, geometry.Point{Lon: x, Lat: y - 1000})
	hang = append(hang, geometry.Point{Lon: last + slant, Lat: y + high + 9000}, geometry.Point{Lon: x + slant, Lat: y + high + 9000})
	return stand, hang
}

func TestTangled_IsWhatNoBorderIs(t *testing.T) {
	w := rand.New(rand.NewPCG(8, 1))
	var coast geometry.Polygon
	for i := range 8000 {
		angle, r := 2*math.Pi*float64(i)/8000, 1_000_000+w.Float64()*5000
		coast = append(coast, geometry.Point{Lon: 1_140_000_000 + int32(r*math.Cos(angle)), Lat: 223_000_000 + int32(r*math.Sin(angle))})
	}
	require.False(t, geometry.Tangled([]geometry.Polygon{coast}))
	stand, hang := comb(2000, 0)
	require.False(t, stand.Overlaps(hang))
	require.False(t, geometry.Tangled([]geometry.Polygon{stand}), "upright teeth are held against those beside them alone")
	stand, hang = comb(300, 700_000)
	require.False(t, stand.Overlaps(hang))
	require.True(t, geometry.Tangled([]geometry.Polygon{stand}))
	require.True(t, geometry.Tangled([]geometry.Polygon{hang}))
	few, _ := comb(20, 700_000)
	require.False(t, geometry.Tangled([]geometry.Polygon{few}))
	require.True(t, geometry.Tangled(slices.Repeat([]geometry.Polygon{few}, 20)), "many that lie upon each other are one")
	require.False(t, geometry.Tangled(nil))
}

// Combs of eight thousand edges, the teeth of one between those of the other.
func BenchmarkOverlaps_Combs(b *testing.B) {
	for name, slant := range map[string]int32{"upright": 0, "slanted": 700_000} {
		stand, hang := comb(2000, slant)
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if stand.Overlaps(hang) {
					b.Fatal("they overlap")
				}
			}
		})
	}
}
