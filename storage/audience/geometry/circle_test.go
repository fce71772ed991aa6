package geometry

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// Nobody within the radius is lost, even where the Earth is curved most, and nobody
// more than 1.5 % (and a little rounding) further away is found.
func TestCircle_LosesNobodyInside(t *testing.T) {
	w := rand.New(rand.NewPCG(6, 1))
	for range 400 {
		centre := Point{int32(w.IntN(1200_000_000) - 600_000_000), int32(w.IntN(2_400_000_000) - 1_200_000_000)}
		radius := math.Pow(10, w.Float64()*6-3)
		p, err := drawCircle(centre, radius)
		require.NoError(t, err, "%v %v", centre, radius)
		require.NoError(t, p.Check())
		for range 40 {
			const sphereKm = 6371.0088
			bearing := w.Float64() * 2 * math.Pi
			inside, err := destination(radians(centre.Lat), radians(centre.Lon), radius*0.9999999/smallestRadiusKm, bearing)
			require.NoError(t, err)
			require.True(t, p.Contains(inside), "%v km around %v at %v", radius, centre, bearing)
			outside, err := destination(radians(centre.Lat), radians(centre.Lon), (radius*1.015+0.0002)/sphereKm, bearing)
			require.NoError(t, err)
			require.False(t, p.Contains(outside), "%v km around %v at %v", radius, centre, bearing)
		}
	}
}

func TestCircle_ReachesAlongTheMeridianOfTheEllipsoid(t *testing.T) {
	// One degree of latitude at Hong Kong has 110.75 km on WGS 84.
	p, err := drawCircle(Point{223_000_000, 1_141_000_000}, 110.75)
	require.NoError(t, err)
	require.True(t, p.Contains(Point{233_000_000, 1_141_000_000}))
	require.False(t, p.Contains(Point{233_200_000, 1_141_000_000}))
}

func TestCircle_MayBeTiny(t *testing.T) {
	for _, text := range []string{"22.3,114.1 0.0000001", "0,0 .001", "84,10 0.001"} {
		p, err := ParseCircle(text)
		require.NoError(t, err, text)
		require.GreaterOrEqual(t, len(p), 3)
	}
}
