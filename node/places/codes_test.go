package places

import (
	"testing"

	"github.com/stretchr/testify/require"

	"almenara/cluster/command"
	"almenara/node/alerts"
	"almenara/node/authority"
	"almenara/node/wire"
	"almenara/node/wire/places"
	"almenara/node/wire/why"
	"almenara/storage/alert"
	"almenara/storage/alert/board"
	"almenara/storage/audience"
	"almenara/storage/factbody"
	"almenara/storage/notice"
	"almenara/storage/rights"
)

// code gives a place the codes from now on.
func (r *rig) code(path string, shared bool, codes ...wire.Geocode) error {
	r.t.Helper()
	_, err := r.change(places.ChangePlace{Path: path, Version: r.show(path).Version, SharedCodes: shared, Place: &wire.Place{Path: path, Geocodes: codes}})
	return err
}

func TestChangePlace_ChecksCodes(t *testing.T) {
	r := newRig(t)
	l, k := wire.Geocode{ValueName: "HK-DC", Value: "L"}, wire.Geocode{ValueName: "HK-DC", Value: "K"}
	require.NoError(t, r.code("d/e", false, l, k))
	require.Equal(t, []wire.Geocode{l, k}, r.show("d/e").Place.Geocodes)
	for _, bad := range []wire.Geocode{
		{ValueName: "hk-dc", Value: "M"}, {ValueName: "HK-DC", Value: "M N"}, {ValueName: "HK-DC", Value: "M,N"}, {ValueName: "HK-DC", Value: " M"}, {ValueName: "HK-DC ", Value: "M"},
		{ValueName: "HK-DC", Value: "M\u200b"}, {ValueName: "HK-DC", Value: "M\n"}, {ValueName: alert.ExcludePolygon, Value: "1,2 3,4 5,6 1,2"},
	} {
		require.Equal(t, why.CodeUnfit, refused(t, wire.KindRefused, r.code("d/e/b1", true, bad)).Why.Reason, "%q", bad)
	}
	require.Equal(t, why.CodeUnfit, refused(t, wire.KindRefused, r.code("d/e/b1", false, wire.Geocode{ValueName: "B", Value: "1"}, wire.Geocode{ValueName: "B", Value: "1"})).Why.Reason)
	refused(t, wire.KindRefused, r.code("d/e/b1", false, wire.Geocode{ValueName: "B"}))

	// Two places have one code only where that is meant.
	problem := refused(t, wire.KindConflict, r.code("d/e/b1", false, l))
	require.Equal(t, why.CodeShared, problem.Why.Reason)
	require.Contains(t, problem.Sentence, "HK-DC = L is one of the place d/e already")
	require.NoError(t, r.code("d/e/b1", true, l))
	require.NoError(t, r.code("d/e/b1", false, l, wire.Geocode{ValueName: "B", Value: "1"}), "what was meant once is not asked again")
	require.NoError(t, r.code("d/e", false, l), "nothing cites the other one")
	is := r.show("d/e/b2")
	_, err := r.change(places.ChangePlace{Path: "d/e/b2", Version: is.Version, Place: &wire.Place{Path: "d/x", Geocodes: []wire.Geocode{k}}})
	require.NoError(t, err, "moved and given a code at once")
}

// What cites a code of a place would mean nobody without it: it keeps the place, and the code, but the place may move,
// because it takes the code along.
func TestChangePlace_KeepsWhatIsCited(t *testing.T) {
	area := []byte(`{"info":[{"area":[{"areaDesc":"x","geocode":[{"valueName":"HK-DC","value":"X L"}]}]}]}`)
	citing := map[string]command.Payload{
		places.ByScenario + " flood": &command.PutScenario{Scenario: rights.Scenario{ID: "flood", Title: "x", Alert: area, Lifetime: 1}},
		places.ByNotice + " n1": &command.PutNotice{
			Notice:  notice.Notice{ID: "n1", Author: "amy", State: notice.Waiting, Versions: 1, Levels: []rights.Level{{Role: authority.RoleApprover, Count: 1}}, Acts: []notice.Act{{Do: notice.Wrote, By: "amy", Version: 1}}},
			Version: &notice.Version{Notice: "n1", N: 1, Alert: area},
		},
		places.ByAlert + " a1": nil,
	}
	for what, payload := range citing {
		var live []alerts.Live
		if payload == nil {
			live = []alerts.Live{{Active: board.Active{ID: "a1"}, Message: &alerts.Message{Issue: factbody.Issue{Targets: []audience.Target{{Area: true, Geocodes: []alert.Named{{Name: "HK-DC", Value: "L"}}}, {Area: true, Geocodes: []alert.Named{{Name: "HK-DC", Value: "L"}}}}}}}}
		}
		r := newRig(t, live...)
		if payload != nil {
			r.do(payload)
		}
		l := wire.Geocode{ValueName: "HK-DC", Value: "L"}
		require.NoError(t, r.code("d/e/b2", false, l, wire.Geocode{ValueName: "HK-DC", Value: "M"}))
		is := r.show("d/e/b2")
		require.Len(t, is.NamedBy, 1, what)
		require.Equal(t, "HK-DC = L", is.NamedBy[0].Code)
		require.Equal(t, what, is.NamedBy[0].Kind+" "+is.NamedBy[0].ID)
		require.Equal(t, is.NamedBy[0].Kind == places.ByScenario, is.NamedBy[0].Title == "x")
		require.Len(t, r.show("d/e").NamedBy, 1, "it lies in this one, too")
		require.Empty(t, r.show("d/e/b1").NamedBy)
		_, err := r.change(places.ChangePlace{Path: "d/e/b2", Version: is.Version, Remove: true})
		problem := refused(t, wire.KindConflict, err)
		require.Equal(t, []string{what}, problem.Details)
		require.Equal(t, why.PlaceCited, problem.Why.Reason)
		require.Equal(t, why.PlaceCited, refused(t, wire.KindConflict, r.code("d/e/b2", false)).Why.Reason, "the code stays as well")
		require.NoError(t, r.code("d/e/b2", false, l), "the other one goes")
		_, err = r.change(places.ChangePlace{Path: "d/e/b2", Version: r.show("d/e/b2").Version, Place: &wire.Place{Path: "d/b2", Geocodes: []wire.Geocode{l}}})
		require.NoError(t, err, "it may move")
	}
}

// Places that are put together are held to what a single one is: a code is one place's unless that is meant, spelled
// as in the district, and stays while something cites it. Nothing of what is refused is put.
func TestPutPlaces_ChecksCodes(t *testing.T) {
	r := newRig(t)
	l, k := wire.Geocode{ValueName: "HK-DC", Value: "L"}, wire.Geocode{ValueName: "HK-DC", Value: "K"}
	put := func(by authority.Caller, shared bool, all ...wire.Place) error {
		return r.PutPlaces(t.Context(), by, all, shared)
	}
	place := func(path string, codes ...wire.Geocode) wire.Place { return wire.Place{Path: path, Geocodes: codes} }
	require.NoError(t, put(amy, false, place("d/e", l), place("d/e/b1")))
	before := r.log.Index()
	other := place("d/f")
	for name, all := range map[string][]wire.Place{
		"one of another place":             {other, place("d/e/b1", l)},
		"one of another that is put":       {place("d/e/b1", k), place("d/e/b2", k)},
		"one that another one keeps":       {place("d/e/b1", l), place("d/e", l, k)},
		"one that another one loses later": {place("d/e/b1", l), place("d/e/b2", l), place("d/e")},
	} {
		require.Equal(t, why.CodeShared, refused(t, wire.KindConflict, put(amy, false, all...)).Why.Reason, name)
	}
	require.Equal(t, why.CodeUnfit, refused(t, wire.KindRefused, put(amy, true, other, place("d/e/b1", wire.Geocode{ValueName: "hk-dc", Value: "M"}))).Why.Reason)
	require.Equal(t, why.CodeUnfit, refused(t, wire.KindRefused, put(amy, true, other, place("d/e/b1", k, k))).Why.Reason)
	require.Equal(t, before, r.log.Index(), "nothing was put")

	require.NoError(t, put(amy, true, other, place("d/e/b1", l)))
	require.NoError(t, put(amy, false, place("d/e/b1", l), place("d/e", l)), "what was meant once is not asked again")
	require.NoError(t, put(amy, false, place("d/e"), place("d/e/b1"), place("d/e/b2", l)), "it goes from one to another at once")

	// Who is limited gives no place of theirs a code of one elsewhere, whether by many or by one.
	eve := authority.Caller{Name: "eve", Roles: amy.Roles, Places: []string{"d/e/b1"}}
	require.Equal(t, why.NotAtPlaces, refused(t, wire.KindForbidden, put(eve, true, place("d/e/b1", l))).Why.Reason)
	_, err := r.ChangePlace(t.Context(), eve, places.ChangePlace{Path: "d/e/b1", Version: r.show("d/e/b1").Version, SharedCodes: true, Place: &wire.Place{Path: "d/e/b1", Geocodes: []wire.Geocode{l}}})
	require.Equal(t, why.NotAtPlaces, refused(t, wire.KindForbidden, err).Why.Reason)
	require.NoError(t, put(eve, false, place("d/e/b1", k)))

	area := []byte(`{"info":[{"area":[{"areaDesc":"x","geocode":[{"valueName":"HK-DC","value":"L"}]}]}]}`)
	r.do(&command.PutScenario{Scenario: rights.Scenario{ID: "flood", Title: "x", Alert: area, Lifetime: 1}})
	problem := refused(t, wire.KindConflict, put(amy, false, place("d/e"), place("d/e/b2")))
	require.Equal(t, why.PlaceCited, problem.Why.Reason)
	require.Contains(t, problem.Sentence, "cite the code HK-DC = L of d/e/b2")
}
