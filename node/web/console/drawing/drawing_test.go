package drawing

import (
	"testing"

	"github.com/stretchr/testify/require"

	"almenara/node/web/console/words"
	"almenara/node/wire"
)

func TestShapes_AreReadOrRefused(t *testing.T) {
	got, err := Polygons("22.1,114 22.2,114 22.2,114.1\n\n1,2 3,4 5,6 1,2\n")
	require.NoError(t, err)
	require.Equal(t, []string{"22.1,114 22.2,114 22.2,114.1 22.1,114", "1,2 3,4 5,6 1,2"}, got)
	got, err = Circles("22.3951,113.9754 150\n1,2 1")
	require.NoError(t, err)
	require.Equal(t, []string{"22.3951,113.9754 0.15", "1,2 0.001"}, got)
	for _, text := range []string{"1,2 3,4", "1,2 3,4 x", "91,0 1,1 2,2", "0,181 1,1 2,2", "NaN,0 1,1 2,2", "Inf,0 1,1 2,2", "1 2 3", "1,2,3 1,1 2,2"} {
		_, err := Polygons(text)
		require.Error(t, err, text)
	}
	for _, text := range []string{"1,2", "1,2 0", "1,2 -5", "1,2 NaN", "1,2 Inf", "1,2 100001", "1,2 3 4", "x 3"} {
		_, err := Circles(text)
		require.Error(t, err, text)
	}
}

func FuzzShapes(f *testing.F) {
	f.Add("22.1,114 22.2,114 22.2,114.1", "1,2 150")
	f.Fuzz(func(t *testing.T, polygons, circles string) {
		lat, lon := 22.4, 114.0
		_, _ = Polygons(polygons)
		_, _ = Circles(circles)
		require.NotNil(t, Of([]wire.Place{{Path: "a", Lat: &lat, Lon: &lon}}, Shown{Polygons: polygons, Circles: circles}, words.All()[0]))
	})
}

func TestWithin(t *testing.T) {
	at := func(path string, lat, lon float64) wire.Place { return wire.Place{Path: path, Lat: &lat, Lon: &lon} }
	all := []wire.Place{at("e", 22.4, 114), at("e/b", 22.4001, 114), at("f", 22.5, 114), {Path: "nowhere"}}
	require.Equal(t, []string{"e"}, Within(all, []string{"22.3,113.9 22.45,113.9 22.45,114.1 22.3,114.1 22.3,113.9"}, nil))
	require.Equal(t, []string{"f"}, Within(all, nil, []string{"22.5005,114 0.1"}))
	require.Empty(t, Within(all, []string{"22.3,113.9 22.45,113.9 22.3,113.95 22.3,113.9"}, []string{"22.6,114 1", "x", "1,2"}))
}

// An outline names its first corner again as its last: that corner draws the middle to itself no more than the others do.
func TestWithin_TakesTheMiddleOfAnOutline(t *testing.T) {
	square := []wire.Place{{Path: "sq", Shape: []string{"22.40,114 22.42,114 22.42,114.02 22.40,114.02 22.40,114"}}}
	require.Equal(t, []string{"sq"}, Within(square, nil, []string{"22.41,114.01 0.05"}))
	lat, lon := 22.41, 114.01
	on := Of(append(square, wire.Place{Path: "at", Lat: &lat, Lon: &lon}), Shown{}, words.All()[0]).Places
	require.Equal(t, []string{on[1].X, on[1].Y}, []string{on[0].X, on[0].Y}, "its name is written in its middle")
}

// What the page reads of a press on the map is where it was pressed: the two ways of the projection are one.
func TestOf_PutsNorthUp(t *testing.T) {
	lat, lon, north := 22.4, 114.0, 22.41
	m := Of([]wire.Place{{Path: "a", Lat: &lat, Lon: &lon}, {Path: "b", Lat: &north, Lon: &lon, Shape: []string{"22.41,114 22.42,114 22.42,114.01 22.41,114"}}, {Path: "nowhere"}}, Shown{Places: []string{"a"}}, words.All()[0])
	require.Len(t, m.Places, 2)
	require.True(t, m.Places[0].Chosen)
	require.False(t, m.Places[1].Chosen)
	require.Empty(t, m.Places[0].Points)
	require.Greater(t, m.Places[0].Y, m.Places[1].Y)
	require.Nil(t, Of([]wire.Place{{Path: "nowhere"}}, Shown{}, words.All()[0]), "without a position there is no map")
}
