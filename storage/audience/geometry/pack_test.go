package geometry_test

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"almenara/storage/audience/geometry"
	"almenara/storage/audience/geometry/geometrytest"
)

func TestPack_LosesNothingAndUnpackRefusesWhatIsNoOutline(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		p := geometrytest.AnyPolygon(random)
		packed := geometry.Pack(p)
		again, err := geometry.Unpack(packed)
		require.NoError(t, err)
		require.Equal(t, p, again)
		_, err = geometry.Unpack(packed[:len(packed)-1])
		require.ErrorContains(t, err, "cut off")
	}
	far := geometry.Pack(geometry.Polygon{{Lat: 1 << 30}, {Lat: -1 << 30}})
	_, err := geometry.Unpack(append(far, far...))
	require.NoError(t, err)
	_, err = geometry.Unpack([]byte{0x80, 0x80, 0x80, 0x80, 0x10, 0})
	require.ErrorContains(t, err, "leaves the globe")
}
