package audience

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestNewPoint(t *testing.T) {
	p, err := NewPoint(22.3193, -114.16940004)
	require.NoError(t, err)
	require.Equal(t, Point{223_193_000, -1_141_694_000}, p)
	require.Equal(t, "22.3193,-114.1694", p.String())
	for _, at := range [][2]float64{{90.1, 0}, {0, -180.1}, {math.NaN(), 0}, {0, math.Inf(1)}} {
		_, err := NewPoint(at[0], at[1])
		require.Error(t, err)
	}
}

func TestPolygon_IsWrittenAsItIsRead(t *testing.T) {
	w := newWorld(12)
	for range 100 {
		p := w.polygon()
		again, err := ParsePolygon(p.CAP())
		require.NoError(t, err)
		require.Equal(t, p, again)
	}
	require.Empty(t, Polygon{}.CAP())
}
