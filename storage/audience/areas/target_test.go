package areas

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"almenara/storage/alert"
	"almenara/storage/audience"
	"almenara/storage/audience/audiencetest"
	"almenara/storage/audience/geometry"
	"almenara/storage/audience/imports"
	"almenara/storage/audience/lookup"
)

func knowsDistricts(name string) bool { return name == imports.SchemeHKDistrict }

func areas(as ...alert.Area) alert.Info { return alert.Info{Areas: as} }

const triangle = "22.30,114.10 22.30,114.20 22.40,114.10 22.30,114.10"

func TestTargetOf_JoinsTheAreas(t *testing.T) {
	info := areas(
		alert.Area{Description: "a", Polygons: []string{triangle, " 22,114\n22,115 23,115 23,115 22,114 "}},
		alert.Area{Description: "b", Circles: []string{"22.3,114.1 2.5"}},
		alert.Area{Description: "c", Geocodes: []alert.Named{{Name: "HK-DC", Value: "R"}, {Name: "HK-DC", Value: "L"}, {Name: "HK-DC", Value: "R"}}},
		alert.Area{Description: "only words"},
	)
	got, err := TargetOf(info, alert.ScopePublic, []string{"ignored"}, audiencetest.MustParse("kind = screen"), knowsDistricts)
	require.NoError(t, err)
	require.Len(t, got.Shapes, 3)
	require.Equal(t, geometry.Polygon{{Lat: 223_000_000, Lon: 1_141_000_000}, {Lat: 223_000_000, Lon: 1_142_000_000}, {Lat: 224_000_000, Lon: 1_141_000_000}}, got.Shapes[0])
	require.Len(t, got.Shapes[1], 3)
	require.Len(t, got.Shapes[2], geometry.CircleVertices)
	require.Equal(t, []alert.Named{{Name: "HK-DC", Value: "L"}, {Name: "HK-DC", Value: "R"}}, got.Geocodes)
	require.Equal(t, "kind = screen", got.Select)
	require.True(t, got.Area)
	require.False(t, got.Private)
	require.Empty(t, got.Addresses)
}

func TestTargetOf_RefusesAMissingArea(t *testing.T) {
	for name, info := range map[string]alert.Info{
		"no area": {}, "description only": areas(alert.Area{Description: "Tuen Mun"}),
	} {
		got, err := TargetOf(info, alert.ScopePublic, nil, audience.Selection{}, knowsDistricts)
		require.ErrorIs(t, err, audience.ErrNoArea, name)
		require.Zero(t, got)
		got, err = TargetOf(info, alert.ScopePublic, nil, audiencetest.MustParse("all"), knowsDistricts)
		require.NoError(t, err, name)
		require.Equal(t, audience.Target{Select: "all"}, got)
	}
}

func TestTargetOf_RefusesAnUnreadableArea(t *testing.T) {
	polygon := func(s string) alert.Area { return alert.Area{Polygons: []string{triangle, s}} }
	circle := func(s string) alert.Area { return alert.Area{Circles: []string{"22.3,114.1 2", s}} }
	var zigzag []string
	for i := range MaxPoints + 1 {
		zigzag = append(zigzag, fmt.Sprintf("%d.%05d,%d", i%2, i, i%90))
	}
	zigzag = append(zigzag, zigzag[0])
	many := alert.Area{Polygons: make([]string, MaxPoints/4+1)}
	for i := range many.Polygons {
		many.Polygons[i] = fmt.Sprintf("1,1.%[1]d 1,2 2,2 2,1 1,1.%[1]d", i)
	}
	for name, area := range map[string]alert.Area{
		"empty polygon":            polygon(""),
		"three pairs":              polygon("1,2 2,2 1,2"),
		"not closed":               polygon("1,2 2,2 3,3 4,4"),
		"semicolons":               polygon("1;2 2;2 3;3 1;2"),
		"words":                    polygon("a,b c,d e,f a,b"),
		"lat and lon swapped":      polygon("114.1,22.3 114.2,22.3 114.1,22.4 114.1,22.3"),
		"over the 180th":           polygon("1,179 1,-179 2,-179 1,179"),
		"too wild an outline":      polygon(strings.Join(zigzag, " ")),
		"too many points together": many,
		"no radius":                circle("22.3,114.1"),
		"negative radius":          circle("22.3,114.1 -1"),
		"endless radius":           circle("22.3,114.1 Inf"),
		"no number":                circle("22.3,114.1 NaN"),
		"hexadecimal radius":       circle("22.3,114.1 0x1p2"),
		"huge radius":              circle("22.3,114.1 2001"),
		"three parts":              circle("22.3,114.1 2 3"),
		"space in the pair":        circle("22.3, 114.1 2"),
		"at the pole":              circle("89,0 500"),
		"circle over the 180th":    circle("0,179.9 50"),
		"empty circle":             circle(""),
		"unknown geocodes":         {Geocodes: []alert.Named{{Name: "FIPS6", Value: "006109"}}},
		"geocode in other case":    {Geocodes: []alert.Named{{Name: "hk-dc", Value: "L"}}},
		"too many geocodes":        {Geocodes: make([]alert.Named, MaxGeocodes+1)},
	} {
		for _, restrict := range []audience.Selection{{}, audiencetest.MustParse("all")} {
			got, err := TargetOf(areas(alert.Area{Description: "fine", Circles: nil}, area), alert.ScopePublic, nil, restrict, knowsDistricts)
			require.ErrorIs(t, err, ErrUnreadableArea, name)
			require.Zero(t, got, name)
		}
	}
}

func TestTargetOf_AnUnknownSchemeBesideAShapeReachesNobody(t *testing.T) {
	foreign := []alert.Named{{Name: "FIPS6", Value: "006109"}}
	got, err := TargetOf(areas(alert.Area{Polygons: []string{triangle}, Geocodes: foreign}), alert.ScopePublic, nil, audience.Selection{}, knowsDistricts)
	require.NoError(t, err)
	require.Equal(t, foreign, got.Geocodes)
	got, err = TargetOf(areas(alert.Area{Geocodes: append(foreign, alert.Named{Name: "HK-DC", Value: "nowhere"})}), alert.ScopePublic, nil, audience.Selection{}, knowsDistricts)
	require.NoError(t, err)
	x := lookup.New()
	x.Put(1, &audience.Member{ID: "a", Kind: audience.KindScreen, Place: "tuen-mun"})
	r, err := x.Resolve(got)
	require.NoError(t, err)
	require.True(t, r.Members.IsEmpty())
}

func TestTargetOf_HoldsToTheScope(t *testing.T) {
	info := areas(alert.Area{Polygons: []string{triangle}})
	got, err := TargetOf(info, alert.ScopePrivate, []string{"", "a@b", "p1"}, audience.Selection{}, knowsDistricts)
	require.NoError(t, err)
	require.True(t, got.Private)
	require.Equal(t, []string{"a@b", "p1"}, got.Addresses)
	_, err = TargetOf(info, alert.ScopePrivate, []string{""}, audience.Selection{}, knowsDistricts)
	require.ErrorIs(t, err, ErrNotAddressed)
	got, err = TargetOf(info, alert.ScopeRestricted, nil, audiencetest.MustParse("role = staff"), knowsDistricts)
	require.NoError(t, err)
	require.True(t, got.Private)
	_, err = TargetOf(info, alert.ScopeRestricted, nil, audience.Selection{}, knowsDistricts)
	require.ErrorIs(t, err, ErrNotAddressed)
	_, err = TargetOf(info, "public", nil, audiencetest.MustParse("all"), knowsDistricts)
	require.ErrorIs(t, err, ErrNotAddressed)
}

func FuzzTargetOf(f *testing.F) {
	for _, seed := range []string{triangle, "22.3,114.1 2.5", "1,1 1,1 1,1 1,1", "90,180 -90,180 90,-180 90,180", "89.9,0 0.1", "0,0 2000"} {
		f.Add(seed, seed, "HK-DC")
	}
	f.Fuzz(func(t *testing.T, polygon, circle, scheme string) {
		info := areas(alert.Area{Polygons: []string{polygon}}, alert.Area{Circles: []string{circle}, Geocodes: []alert.Named{{Name: scheme, Value: "L"}}})
		for _, drop := range []int{0, 1, 2} {
			in := areas(info.Areas[min(drop, 1):]...)
			if drop == 2 {
				in.Areas[0].Circles = nil
			}
			got, err := TargetOf(in, alert.ScopePublic, nil, audience.Selection{}, knowsDistricts)
			if err != nil {
				require.Zero(t, got)
				continue
			}
			for _, shape := range got.Shapes {
				require.NoError(t, shape.Check())
				require.True(t, shape.Contains(shape[0]))
			}
		}
	})
}
