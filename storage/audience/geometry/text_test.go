package geometry

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

// Official outlines of districts have 2,200 and 6,200 points.
func TestParsePolygon_TakesOfficialOutlines(t *testing.T) {
	var ring []string
	const most = 10_000
	for i := range most {
		ring = append(ring, fmt.Sprintf("22.%04d,113.%d", i, 1+i%2))
	}
	outline := strings.Join(append(ring, ring[0]), " ")
	p, err := ParsePolygon(outline, most)
	require.NoError(t, err)
	require.Len(t, p, most)
	_, err = ParsePolygon(strings.Join(append(ring, "23.0,113.1", ring[0]), " "), most)
	require.ErrorContains(t, err, "at most 10000 are allowed")
}

func TestParseDegrees(t *testing.T) {
	for in, want := range map[string]int32{
		"22.3193": 223_193_000, "-22.3193": -223_193_000, "+1": 10_000_000, "0": 0, ".5": 5_000_000, "5.": 50_000_000,
		"114.16940005": 1_141_694_001, "114.16940004": 1_141_694_000, "-0.00000005": -1, "180": 1_800_000_000, "000180.0": 1_800_000_000,
		"0.00000004999999999999": 0,
	} {
		got, err := parseDegrees(in, MaxLon)
		require.NoError(t, err, in)
		require.Equal(t, want, got, in)
	}
	for _, in := range []string{"", "-", ".", "+-1", "1e3", "1,5", "0x1", "NaN", "Inf", "١", "180.0000001", "9999999", "1.2.3", " 1", "--1", "1-"} {
		_, err := parseDegrees(in, MaxLon)
		require.Error(t, err, in)
	}
	_, err := parseDegrees("90.1", MaxLat)
	require.ErrorContains(t, err, "-90 to 90")
}

func TestFormatDegrees_IsReadBack(t *testing.T) {
	for _, units := range []int32{0, 1, -1, 223_193_000, -1_800_000_000, 10_000_000} {
		got, err := parseDegrees(formatDegrees(units), MaxLon)
		require.NoError(t, err)
		require.Equal(t, units, got)
	}
	require.Equal(t, "22.3193", formatDegrees(223_193_000))
	require.Equal(t, "-10", formatDegrees(-100_000_000))
}
