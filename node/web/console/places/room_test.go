package places

import (
	"testing"

	"github.com/stretchr/testify/require"

	"almenara/node/web/console/pagetest"
	"almenara/node/wire"
)

func TestTemplates(t *testing.T) {
	pagetest.Templates(t, Room(nil, nil, nil), func() map[string]any {
		return map[string]any{"place": &placePage{}, "place-check": &checkPage{}}
	})
}

func TestFields_MakeAPath(t *testing.T) {
	names := []nameField{{Tag: "en", Value: "On Lai House (Block 3)"}, {Tag: "zh-Hant", Value: "安麗樓"}}
	require.Equal(t, "tuen-mun/on-lai-house-block-3", fields{Parent: "tuen-mun"}.path(names))
	require.Equal(t, "tuen-mun/安麗樓", fields{Parent: "tuen-mun"}.path(names[1:]))
	require.Equal(t, "b3", fields{Segment: "b3"}.path(names))
	require.Equal(t, fields{Parent: "a/b", Segment: "c", Outline: "1,2 3,4 5,6", At: "22.5,114"}, fieldsOf(wire.Place{Path: "a/b/c", Shape: []string{"1,2 3,4 5,6 1,2"}, Lat: new(22.5), Lon: new(114.0)}))
	require.Equal(t, fields{Segment: "a"}, fieldsOf(wire.Place{Path: "a"}))
}

func TestCodes_AreOneALine(t *testing.T) {
	all := []wire.Geocode{{ValueName: "HK-DC", Value: "L"}, {ValueName: "http://example/codes", Value: "a=b"}}
	got, err := codes("\r\n HK-DC=L \r\n\nhttp://example/codes = a=b\n")
	require.NoError(t, err)
	require.Equal(t, all, got)
	got, err = codes(openCodes(all))
	require.NoError(t, err)
	require.Equal(t, all, got)
	for _, bad := range []string{"HK-DC", "=L", "HK-DC ="} {
		var p *wire.Problem
		_, err = codes(bad)
		require.ErrorAs(t, err, &p, bad)
		require.Equal(t, wire.KindRefused, p.Kind)
	}
}

// A place lies neither in itself nor in what lies in it.
func TestAbove_IsNothingThatLiesInThePlace(t *testing.T) {
	all := []wire.Place{{Path: "a"}, {Path: "a/b"}, {Path: "a/b/c"}, {Path: "a/bc"}}
	require.Equal(t, []choice{{"a", "a", true}, {"a/bc", "a/bc", false}}, aboveOf(all, "a/b", "a", "en"))
	require.Len(t, aboveOf(all, "", "", "en"), 4)
	require.Equal(t, []choice{{"x/y", "x/y", true}}, aboveOf(nil, "x/y/z", "x/y", "en"), "a place above that nobody has described")
}

func TestOutline_IsGeoJSONOrCorners(t *testing.T) {
	want := []string{"22.1,114 22.2,114 22.2,114.1 22.1,114"}
	got, err := outline(`{"type":"Polygon","coordinates":[[[114,22.1],[114,22.2],[114.1,22.2],[114,22.1]]]}`)
	require.NoError(t, err)
	require.Equal(t, want, got)
	got, err = outline("22.1,114 22.2,114 22.2,114.1")
	require.NoError(t, err)
	require.Equal(t, want, got)
	var p *wire.Problem
	_, err = outline("{}")
	require.ErrorAs(t, err, &p)
	require.Equal(t, wire.KindRefused, p.Kind)
}
