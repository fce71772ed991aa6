package lookup

import (
	"testing"

	"github.com/stretchr/testify/require"

	"almenara/storage/audience"
	"almenara/storage/audience/geometry"
	"almenara/storage/audience/geometry/geometrytest"
	"almenara/storage/audience/imports"
)

func TestResolve_RefusesTargetsThatSayNothing(t *testing.T) {
	x := New()
	x.Put(1, &audience.Member{ID: "a", Kind: audience.KindScreen, Place: "tuen-mun"})
	for _, target := range []audience.Target{{}, {Area: true}, {Area: true, Select: "all"}, {Private: true, Addresses: []string{"a"}}} {
		_, err := x.Resolve(target)
		require.ErrorIs(t, err, audience.ErrNoArea)
		require.False(t, x.Matches(target, 1))
	}
	_, err := x.Resolve(audience.Target{Select: "all or"})
	var syntax *audience.SyntaxError
	require.ErrorAs(t, err, &syntax)
	require.False(t, x.Matches(audience.Target{Select: "all or"}, 1))
}

// The district's own outline or position must not stand in for members that have
// none: an alert for one street would reach the whole district.
func TestResolve_NeverTakesTheDistrictForAPosition(t *testing.T) {
	x := New()
	x.PutPlace(audience.Place{Path: "tuen-mun", Shape: []geometry.Polygon{geometrytest.Square(0, 0, 1000)}, Location: &geometry.Point{Lat: 5, Lon: 5}})
	x.Put(1, &audience.Member{ID: "a", Kind: audience.KindScreen, Place: "tuen-mun"})
	x.Put(2, &audience.Member{ID: "b", Kind: audience.KindScreen, Place: "tuen-mun/on-ting/1"})
	target := audience.Target{Area: true, Shapes: []geometry.Polygon{geometrytest.Square(0, 0, 1000)}}
	r, err := x.Resolve(target)
	require.NoError(t, err)
	require.True(t, r.Members.IsEmpty())
	require.EqualValues(t, 2, r.Unlocated)
	x.PutPlace(audience.Place{Path: "tuen-mun/on-ting", Location: &geometry.Point{Lat: 5, Lon: 5}})
	r, err = x.Resolve(target)
	require.NoError(t, err)
	require.Equal(t, []uint32{2}, ordinals(r.Members))
	require.EqualValues(t, 1, r.Unlocated)
}

func TestKnowsScheme_FollowsThePlaces(t *testing.T) {
	x := New()
	for _, p := range imports.HongKongPlaces() {
		require.NoError(t, p.Validate())
		x.PutPlace(p)
		x.PutPlace(p)
	}
	require.Len(t, x.Places(), 18)
	require.True(t, x.KnowsScheme(imports.SchemeHKDistrict))
	require.False(t, x.KnowsScheme("HK"))
	for _, p := range imports.HongKongPlaces() {
		x.RemovePlace(p.Path)
	}
	require.False(t, x.KnowsScheme(imports.SchemeHKDistrict))
}
