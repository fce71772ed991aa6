package audience_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"almenara/storage/alert"
	"almenara/storage/audience"
	"almenara/storage/audience/geometry"
	"almenara/storage/audience/geometry/geometrytest"
)

func validMember() audience.Member {
	return audience.Member{
		ID: "lift-0042", Name: "Lobby\n大堂", Kind: audience.KindScreen, Place: "tuen-mun/on-ting/示範邨3座/lift-a",
		Tags: []audience.Tag{{"risk", "high"}, {"role", ""}, {"role", "frontline"}}, Languages: []string{"zh-HK", "en"},
		Location: &geometry.Point{Lat: 223_193_000, Lon: 1_141_694_000}, Endpoints: []audience.Endpoint{{"mqtt", "lift-0042"}, {"sms", "+852 9123 4567"}},
	}
}

func TestMemberValidate(t *testing.T) {
	m := validMember()
	require.NoError(t, m.Validate())
	for name, spoil := range map[string]func(*audience.Member){
		"no id":                func(m *audience.Member) { m.ID = "" },
		"id with a slash":      func(m *audience.Member) { m.ID = "a/b" },
		"id not ASCII":         func(m *audience.Member) { m.ID = "屯門" },
		"long id":              func(m *audience.Member) { m.ID = strings.Repeat("a", 65) },
		"name not UTF-8":       func(m *audience.Member) { m.Name = "\xff" },
		"name with a bell":     func(m *audience.Member) { m.Name = "a\a" },
		"long name":            func(m *audience.Member) { m.Name = strings.Repeat("a", 257) },
		"no kind":              func(m *audience.Member) { m.Kind = "" },
		"kind in capitals":     func(m *audience.Member) { m.Kind = "Screen" },
		"no place":             func(m *audience.Member) { m.Place = "" },
		"place in capitals":    func(m *audience.Member) { m.Place = "Tuen-Mun" },
		"empty segment":        func(m *audience.Member) { m.Place = "a//b" },
		"slash at the end":     func(m *audience.Member) { m.Place = "a/" },
		"space in the place":   func(m *audience.Member) { m.Place = "tuen mun" },
		"nine levels":          func(m *audience.Member) { m.Place = "a/b/c/d/e/f/g/h/i" },
		"tags not sorted":      func(m *audience.Member) { m.Tags = []audience.Tag{{"b", ""}, {"a", ""}} },
		"tag repeated":         func(m *audience.Member) { m.Tags = []audience.Tag{{"b", "x"}, {"b", "x"}} },
		"tag named all":        func(m *audience.Member) { m.Tags = []audience.Tag{{"all", ""}} },
		"tag named place":      func(m *audience.Member) { m.Tags = []audience.Tag{{"place", ""}} },
		"tag with a space":     func(m *audience.Member) { m.Tags = []audience.Tag{{"a b", ""}} },
		"tag value not text":   func(m *audience.Member) { m.Tags = []audience.Tag{{"a", "\x00"}} },
		"33 tags":              func(m *audience.Member) { m.Tags = make([]audience.Tag, 33) },
		"underscore":           func(m *audience.Member) { m.Languages = []string{"zh_HK"} },
		"language repeated":    func(m *audience.Member) { m.Languages = []string{"en", "EN"} },
		"off the map":          func(m *audience.Member) { m.Location = &geometry.Point{Lat: geometry.MaxLat + 1, Lon: 0} },
		"off the map too":      func(m *audience.Member) { m.Location = &geometry.Point{Lat: 0, Lon: -geometry.MaxLon - 1} },
		"no channel":           func(m *audience.Member) { m.Endpoints = []audience.Endpoint{{"", "a"}} },
		"no address":           func(m *audience.Member) { m.Endpoints = []audience.Endpoint{{"sms", ""}} },
		"address of two lines": func(m *audience.Member) { m.Endpoints = []audience.Endpoint{{"sms", "a\nb"}} },
		"endpoint repeated":    func(m *audience.Member) { m.Endpoints = []audience.Endpoint{{"sms", "a"}, {"sms", "a"}} },
		"nine endpoints":       func(m *audience.Member) { m.Endpoints = make([]audience.Endpoint, 9) },
	} {
		m := validMember()
		spoil(&m)
		err := m.Validate()
		require.Error(t, err, name)
		require.NotContains(t, err.Error(), "\n", name)
	}
}

func TestMemberNormalize_MakesTagsValid(t *testing.T) {
	m := validMember()
	m.Tags = []audience.Tag{{"b", "2"}, {"a", "1"}, {"b", "2"}, {"b", "1"}}
	m.Normalize()
	require.Equal(t, []audience.Tag{{"a", "1"}, {"b", "1"}, {"b", "2"}}, m.Tags)
	require.NoError(t, m.Validate())
}

func TestPlaceValidate(t *testing.T) {
	valid := func() audience.Place {
		return audience.Place{Path: "tuen-mun", Names: []audience.Text{{"en", "Tuen Mun"}}, Geocodes: []alert.Named{{Name: "HK-DC", Value: "L"}}, Location: &geometry.Point{}, Shape: []geometry.Polygon{geometrytest.Square(0, 0, 5)}}
	}
	p := valid()
	require.NoError(t, p.Validate())
	for name, spoil := range map[string]func(*audience.Place){
		"no path":       func(p *audience.Place) { p.Path = "" },
		"bad language":  func(p *audience.Place) { p.Names[0].Language = "e" },
		"bad name":      func(p *audience.Place) { p.Names[0].Text = "\x01" },
		"names":         func(p *audience.Place) { p.Names = make([]audience.Text, 17) },
		"empty geocode": func(p *audience.Place) { p.Geocodes[0].Value = "" },
		"geocodes":      func(p *audience.Place) { p.Geocodes = make([]alert.Named, 65) },
		"off the map":   func(p *audience.Place) { p.Location.Lat = geometry.MaxLat + 1 },
		"flat outline": func(p *audience.Place) {
			p.Shape[0] = geometry.Polygon{{Lat: 0, Lon: 0}, {Lat: 1, Lon: 1}, {Lat: 2, Lon: 2}}
		},
		"huge outline": func(p *audience.Place) { p.Shape = slicesOf(geometrytest.Square(0, 0, 5), audience.MaxShapePoints/4+1) },
	} {
		p := valid()
		spoil(&p)
		require.Error(t, p.Validate(), name)
	}
}

func slicesOf(p geometry.Polygon, n int) []geometry.Polygon {
	many := make([]geometry.Polygon, n)
	for i := range many {
		many[i] = p
	}
	return many
}

func TestPath(t *testing.T) {
	p := audience.Path("a/b/c")
	require.Equal(t, 3, p.Depth())
	require.Equal(t, 0, audience.Path("").Depth())
	require.Equal(t, audience.Path("a/b"), p.Parent())
	require.Equal(t, audience.Path(""), audience.Path("a").Parent())
	require.Equal(t, []audience.Path{"", "a", "a/b", p, p}, []audience.Path{p.Cut(0), p.Cut(1), p.Cut(2), p.Cut(3), p.Cut(9)})
	require.True(t, p.Under("a") && p.Under("a/b") && p.Under(p))
	require.False(t, p.Under("a/") || p.Under("b") || audience.Path("ab").Under("a"))
	for _, s := range []string{"a", "屯門/安定邨", "क्षेत्र", "a_b/1-2", "a/b/c/d/e/f/g/h"} {
		_, err := audience.ParsePath(s)
		require.NoError(t, err, s)
	}
	for _, s := range []string{"", "/", "a b", "A", "a.b", "İ", "a/\xff", strings.Repeat("a", audience.MaxSegmentBytes+1)} {
		_, err := audience.ParsePath(s)
		require.Error(t, err, s)
	}
}
