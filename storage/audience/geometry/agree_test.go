package geometry_test

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"almenara/storage/audience/geometry"
	"almenara/storage/audience/geometry/geometrytest"
)

func TestContains_AgreesWithTheNaiveWay(t *testing.T) {
	w := rand.New(rand.NewPCG(2, 1))
	for range 3000 {
		p := geometrytest.AnyPolygon(w)
		at := geometrytest.AnyPoint(w)
		require.Equal(t, geometrytest.NaiveContains(p, at), p.Contains(at), "%v in %v", at, p)
		require.True(t, p.Contains(p[0]))
	}
}

func TestOverlaps_HoldsForEveryCommonPoint(t *testing.T) {
	w := rand.New(rand.NewPCG(4, 1))
	for range 2000 {
		p, q := geometrytest.AnyPolygon(w), geometrytest.AnyPolygon(w)
		require.Equal(t, p.Overlaps(q), q.Overlaps(p))
		if at := geometrytest.AnyPoint(w); p.Contains(at) && q.Contains(at) {
			require.True(t, p.Overlaps(q))
		}
	}
}

func TestPolygon_IsWrittenAsItIsRead(t *testing.T) {
	w := rand.New(rand.NewPCG(12, 1))
	for range 100 {
		p := geometrytest.AnyPolygon(w)
		again, err := geometry.ParsePolygon(p.CAP(), 100)
		require.NoError(t, err)
		require.Equal(t, p, again)
	}
	require.Empty(t, geometry.Polygon{}.CAP())
}
