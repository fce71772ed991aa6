package areas

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"almenara/storage/alert"
	"almenara/storage/audience"
	"almenara/storage/audience/audiencetest"
	"almenara/storage/audience/geometry"
	"almenara/storage/audience/geometry/geometrytest"
)

// targetsOf makes the targets of a Public message of the info blocks.
func targetsOf(t *testing.T, selection string, infos ...alert.Info) ([]audience.Target, []string, error) {
	t.Helper()
	var limit audience.Selection
	if selection != "" {
		limit = audiencetest.MustParse(selection)
	}
	targets, found, err := TargetsOf(&alert.Alert{Scope: alert.ScopePublic, Infos: infos}, limit, knowsDistricts)
	var notes []string
	for _, f := range found {
		notes = append(notes, f.Detail)
	}
	return targets, notes, err
}

func TestTargetsOf_ShapesThatHoldNoPlaceAddNone(t *testing.T) {
	for name, area := range map[string]alert.Area{
		"a circle of radius 0": {Circles: []string{"22.3,114.1 0"}}, "0.0": {Circles: []string{"22.3,114.1 0.0"}},
		"one point": {Polygons: []string{"1,2 1,2 1,2 1,2"}}, "a line": {Polygons: []string{"1,1 22,1 33,1 1,1"}},
	} {
		beside := area
		beside.Polygons = append([]string{triangle}, area.Polygons...)
		targets, _, err := targetsOf(t, "", areas(beside))
		require.NoError(t, err, name)
		require.Len(t, targets[0].Shapes, 1, name)
		_, _, err = targetsOf(t, "", areas(area))
		require.ErrorIs(t, err, audience.ErrNoArea, name)
		require.ErrorIs(t, err, geometry.ErrNothing, name)
		targets, notes, err := targetsOf(t, "all", areas(area))
		require.NoError(t, err, name)
		require.Equal(t, audience.Target{Select: "all"}, targets[0], name)
		require.Contains(t, strings.Join(notes, ""), "the selection alone says who gets it", name)
	}
	_, _, err := targetsOf(t, "", areas(alert.Area{Circles: []string{"22.3,114.1 0"}}))
	require.ErrorContains(t, err, "the radius is 0")
}

func TestTargetsOf_TakesOutlinesOfEverySize(t *testing.T) {
	for _, n := range []int{1001, 2200, 6200, 20_000} {
		targets, notes, err := targetsOf(t, "", areas(alert.Area{Polygons: []string{geometrytest.Coast(n)}}))
		require.NoError(t, err)
		require.Len(t, targets[0].Shapes[0], n, "as it was sent")
		require.Empty(t, notes)
	}
	whole, err := geometry.ParsePolygon(geometrytest.Coast(41_009), alert.MaxPoints)
	require.NoError(t, err)
	english := areas(alert.Area{Polygons: []string{geometrytest.Coast(41_009)}})
	targets, notes, err := targetsOf(t, "", english, english, english)
	require.NoError(t, err)
	require.LessOrEqual(t, geometry.CountPoints(targets[0].Shapes), MaxPoints)
	require.Equal(t, targets[0], targets[2], "languages share an outline")
	require.Len(t, notes, 1)
	require.Contains(t, notes[0], "41009 points together; they are widened by up to")
	for i := 0; i < len(whole); i += 97 {
		at, held := whole[i], false
		for _, shape := range targets[0].Shapes {
			held = held || shape.Contains(at)
		}
		require.True(t, held)
	}
}

func TestTargetsOf_ReadsSeveralCodesInOneValue(t *testing.T) {
	targets, _, err := targetsOf(t, "", areas(alert.Area{Geocodes: []alert.Named{{Name: "HK-DC", Value: "L, R;N  Q"}}}))
	require.NoError(t, err)
	for _, code := range []string{"L", "R", "N", "Q", "L, R;N  Q"} {
		require.Contains(t, targets[0].Geocodes, alert.Named{Name: "HK-DC", Value: code})
	}
	require.Len(t, targets[0].Geocodes, 5)
}

// holed is an area with a square of 22..23 and 114..115 and holes in it.
func holed(holes ...string) alert.Info {
	area := alert.Area{Description: "a", Polygons: []string{"22,114 22,115 23,115 23,114 22,114"}}
	for _, h := range holes {
		area.Geocodes = append(area.Geocodes, alert.Named{Name: alert.ExcludePolygon, Value: h})
	}
	return areas(area)
}

func degrees(lat, lon float64) geometry.Point {
	p, _ := geometry.NewPoint(lat, lon)
	return p
}

func TestTargetsOf_AHoleIsNotWarned(t *testing.T) {
	first, second := "22.2,114.2 22.2,114.4 22.4,114.4 22.4,114.2 22.2,114.2 22.2,114.2", "22.6,114.6 22.8,114.6 22.7,114.8 22.6,114.6"
	targets, notes, err := targetsOf(t, "", holed(first, second))
	require.NoError(t, err)
	require.Empty(t, notes)
	require.Empty(t, targets[0].Geocodes, "a hole is no code")
	shape := targets[0].Shapes[0]
	require.Len(t, targets[0].Shapes, 1)
	for at, in := range map[geometry.Point]bool{
		degrees(22.3, 114.3): false, degrees(22.7, 114.65): false, degrees(22.5, 114.5): true, degrees(22.1, 114.3): true,
		degrees(22.2, 114.3): true, degrees(22.9, 114.9): true, degrees(23.1, 114.5): false, degrees(22.7, 114.9): true,
	} {
		require.Equal(t, in, shape.Contains(at), "%v", at)
	}
	require.False(t, shape.Overlaps(mustPolygon(t, "22.25,114.25 22.25,114.35 22.35,114.35 22.25,114.25")), "a place in the hole is not reached")
	require.True(t, shape.Overlaps(mustPolygon(t, "22.25,114.25 22.25,114.35 22.5,114.35 22.25,114.25")))
	again, _, err := targetsOf(t, "", holed(first, second), holed(first, second), holed())
	require.NoError(t, err)
	require.Equal(t, again[0], again[1])
	require.True(t, again[2].Shapes[0].Contains(degrees(22.3, 114.3)), "another block without the hole is whole")
}

// A hole that cannot be cut out is warned, too, and the sender is told.
func TestTargetsOf_AHoleThatCannotBeCutOutStays(t *testing.T) {
	inner := "22.2,114.2 22.2,114.4 22.4,114.4 22.4,114.2 22.2,114.2"
	for name, hole := range map[string]string{
		"outside": "25,114.2 25,114.4 25.4,114.4 25,114.2", "across the border": "22.5,114.5 22.5,116 22.6,116 22.5,114.5",
		"around it": "20,110 20,120 30,120 30,110 20,110", "unreadable": "one two", "a line": "22.2,114.2 22.3,114.2 22.2,114.2 22.2,114.2",
		"over another hole": "22.3,114.3 22.3,114.5 22.5,114.5 22.3,114.3", "not closed": "22.2,114.2 22.2,114.4 22.4,114.4 22.4,114.2",
	} {
		targets, notes, err := targetsOf(t, "", holed(inner, hole))
		require.NoError(t, err, name)
		require.Len(t, notes, 1, name)
		shape := targets[0].Shapes[0]
		require.False(t, shape.Contains(degrees(22.25, 114.25)), name)
		require.True(t, shape.Contains(degrees(22.45, 114.45)), name)
		require.True(t, shape.Contains(degrees(22.9, 114.9)), name)
	}
}

func mustPolygon(t *testing.T, text string) geometry.Polygon {
	t.Helper()
	p, err := geometry.ParsePolygon(text, audience.MaxShapePoints)
	require.NoError(t, err)
	return p
}

// Whatever hole is cut out of whatever outline: a point is warned exactly when it is in
// the outline and not within a hole that was cut.
func TestWithout_IsTheDifference(t *testing.T) {
	cut := 0
	for seed := range uint64(2_000) {
		random := rand.New(rand.NewPCG(seed, 8))
		p := geometrytest.Outline(random, 4+random.IntN(30), 1<<20)
		h := geometrytest.Outline(random, 3+random.IntN(10), 1<<(12+random.IntN(8)))
		tests := geometry.MostHoleTests
		out, ok := p.Without(h, &tests)
		if !ok {
			require.Equal(t, p, out)
			continue
		}
		cut++
		before, hole, after := geometry.NewRing(p), geometry.NewRing(h), geometry.NewRing(out)
		for range 100 {
			at := h[random.IntN(len(h))].Vertex()
			at.X, at.Y = at.X+random.Int64N(1<<19)-1<<18, at.Y+random.Int64N(1<<19)-1<<18
			if geometrytest.Near(&before, at, 1) || geometrytest.Near(&hole, at, 1) || geometrytest.Near(&after, at, 1) {
				continue
			}
			require.Equal(t, before.Contains(at) && !hole.Contains(at), after.Contains(at), "seed %d %v", seed, at)
		}
	}
	require.Greater(t, cut, 100)
}
