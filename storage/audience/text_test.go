package audience

import (
	"fmt"
	"math"
	"strings"
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

// An official outline of a district has 2,200 points; what an alert cites is smaller.
func TestParsePolygon_TakesOfficialOutlines(t *testing.T) {
	var ring []string
	for i := range MaxShapePoints {
		ring = append(ring, fmt.Sprintf("22.%04d,113.%d", i, 1+i%2))
	}
	outline := strings.Join(append(ring, ring[0]), " ")
	p, err := ParsePolygon(outline)
	require.NoError(t, err)
	require.Len(t, p, MaxShapePoints)
	_, err = ParsePolygon(strings.Join(append(ring, "23.0,113.1", ring[0]), " "))
	require.ErrorContains(t, err, "at most 10000 are allowed")
	_, err = parsePolygon(outline, MaxPolygonPoints)
	require.ErrorContains(t, err, "at most 1000 are allowed")
}
