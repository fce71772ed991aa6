package places

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"almenara/cluster/command"
	"almenara/node/alerts"
	"almenara/node/authority"
	"almenara/node/records"
	"almenara/node/records/recordstest"
	"almenara/node/wire"
	"almenara/node/wire/places"
	"almenara/storage"
	"almenara/storage/alert/board"
	"almenara/storage/audience"
	"almenara/storage/factbody"
	"almenara/storage/notice"
	"almenara/storage/rights"
)

var (
	night = time.Date(2026, 11, 29, 3, 4, 5, 0, time.UTC)
	amy   = authority.Caller{Name: "amy", Roles: []string{authority.RoleAudienceManager}}
)

// inForce is what is in force.
type inForce []alerts.Live

func (f inForce) At(time.Time) alerts.Picture { return alerts.Picture{InForce: f} }

// rig is a district with an estate of two blocks, and members in one of them.
type rig struct {
	*Places
	log *recordstest.Log
	t   *testing.T
}

func newRig(t *testing.T, live ...alerts.Live) *rig {
	t.Helper()
	log := recordstest.New(t, func() time.Time { return night })
	r := &rig{New(Options{
		State: log.State, Store: log.Store, Proposer: log, Book: inForce(live), Clock: func() time.Time { return night },
	}), log, t}
	r.do(&command.PutPlaces{Places: []audience.Place{{Path: "d"}, {Path: "d/e", Names: []audience.Text{{Language: "en", Text: "Estate"}}}, {Path: "d/e/b1"}, {Path: "d/e/b2"}}})
	lift := audience.Member{ID: "lift", Kind: audience.KindScreen, Place: "d/e/b1/lift"}
	r.do(&command.PutMembers{Members: [][]byte{audience.EncodeMember(&lift)}})
	r.do(&command.PutDevices{Devices: []storage.Device{{ID: "screen-1", Member: "lift", Kind: "screen", SecretHash: make([]byte, 32)}}})
	return r
}

func (r *rig) do(p command.Payload) {
	r.t.Helper()
	_, err := r.log.Propose(r.t.Context(), "chief", p)
	require.NoError(r.t, err)
}

func (r *rig) show(path string) places.ShownPlace {
	r.t.Helper()
	out, err := r.ShowPlace(r.t.Context(), path)
	require.NoError(r.t, err)
	return out
}

func (r *rig) change(in places.ChangePlace) (places.ChangedPlace, error) {
	return r.ChangePlace(r.t.Context(), amy, in)
}

func refused(t *testing.T, kind string, err error) *wire.Problem {
	t.Helper()
	var p *wire.Problem
	require.ErrorAs(t, err, &p)
	require.Equal(t, kind, p.Kind, p.Sentence)
	return p
}

func TestChangePlace_SaysFirstWhatItDoes(t *testing.T) {
	r := newRig(t)
	is := r.show("d/e")
	require.Equal(t, uint64(1), is.Members)
	require.Equal(t, uint64(1), is.Devices)
	require.Equal(t, 2, is.Below)
	lat, lon := 22.39, 113.97
	in := places.ChangePlace{Path: "d/e", Version: is.Version, DryRun: true, Place: &wire.Place{
		Path: "d/e", Names: map[string]string{"en": "On Ting", "zh-Hant": "安定"}, Lat: &lat, Lon: &lon, Shape: []string{"22,114 22,114.1 22.1,114.1 22,114"},
	}}
	before := r.log.Index()
	out, err := r.change(in)
	require.NoError(t, err)
	want := []places.Difference{
		{What: places.ChangesName, Language: "en", Before: "Estate", After: "On Ting"}, {What: places.ChangesName, Language: "zh-Hant", After: "安定"},
		{What: places.ChangesPosition, After: "22.39,113.97"}, {What: places.ChangesOutline, After: "3"},
	}
	require.Equal(t, want, out.Changes)
	require.Equal(t, is, r.show("d/e"), "a dry run changes nothing")
	require.Equal(t, before, r.log.Index())
	in.DryRun = false
	out, err = r.change(in)
	require.NoError(t, err)
	require.Equal(t, want, out.Changes)
	now := r.show("d/e")
	require.Equal(t, out.Version, now.Version)
	require.Equal(t, "安定", now.Place.Names["zh-Hant"])
	in.Version = now.Version
	before = r.log.Index()
	out, err = r.change(in)
	require.NoError(t, err)
	require.Empty(t, out.Changes)
	require.Equal(t, before, r.log.Index(), "what changes nothing is not proposed")
}

// Who is limited to places changes none of others, moves none of theirs away, and takes none of others in.
func TestAttack_WhoIsLimitedChangesNoPlaceOfOthers(t *testing.T) {
	r := newRig(t)
	eve := authority.Caller{Name: "eve", Roles: []string{authority.RoleAudienceManager}, Places: []string{"d/e/b1"}}
	for _, in := range []places.ChangePlace{
		{Path: "d/e/b2", Remove: true}, {Path: "d/e/b2", Place: &wire.Place{Path: "d/e/b2", Names: map[string]string{"en": "x"}}}, {Path: "d/e", Place: &wire.Place{Path: "d/e", Names: map[string]string{"en": "x"}}},
		{Path: "d/e/b1", Place: &wire.Place{Path: "d/e/b3"}}, {Path: "d/e/b2", Place: &wire.Place{Path: "d/e/b1/x"}}, {Path: "d/e/b3", Place: &wire.Place{Path: "d/e/b3"}},
	} {
		for _, in.DryRun = range []bool{true, false} {
			_, err := r.ChangePlace(t.Context(), eve, in)
			refused(t, wire.KindForbidden, err)
		}
	}
	_, err := r.ChangePlace(t.Context(), eve, places.ChangePlace{Path: "d/e/b1", Place: &wire.Place{Path: "d/e/b1", Names: map[string]string{"en": "Mine"}}})
	require.NoError(t, err)
}

func TestChangePlace_TellsTheSecondOfTwo(t *testing.T) {
	r := newRig(t)
	read := r.show("d/e").Version
	named := func(name string) places.ChangePlace {
		return places.ChangePlace{Path: "d/e", Version: read, Place: &wire.Place{Path: "d/e", Names: map[string]string{"en": name}}}
	}
	_, err := r.change(named("Ann's"))
	require.NoError(t, err)
	for _, dry := range []bool{true, false} {
		second := named("Bob's")
		second.DryRun = dry
		_, err = r.change(second)
		refused(t, wire.KindConflict, err)
	}
	_, err = r.change(places.ChangePlace{Path: "d/e/b2", Version: read, Remove: true})
	refused(t, wire.KindConflict, err)
	require.Equal(t, "Ann's", r.show("d/e").Place.Names["en"])
}

func TestChangePlace_AddsWhereNothingIs(t *testing.T) {
	r := newRig(t)
	add := func(path, version string) error {
		_, err := r.change(places.ChangePlace{Path: path, Version: version, Place: &wire.Place{Path: path}})
		return err
	}
	require.NoError(t, add("d/e/b3", places.VersionNone))
	refused(t, wire.KindConflict, add("d/e/b3", places.VersionNone))
	refused(t, wire.KindRefused, add("elsewhere/e", places.VersionNone))
	refused(t, wire.KindRefused, add("d/UPPER", places.VersionNone))
	refused(t, wire.KindRefused, add("d/e/", places.VersionNone))
	refused(t, wire.KindRefused, add("", places.VersionNone))
	require.NoError(t, add("d/e/b1/lift", places.VersionNone), "members are there, and no details yet")
	_, err := r.change(places.ChangePlace{Path: "d/x", Version: places.VersionNone, Place: &wire.Place{Path: "d/y"}})
	refused(t, wire.KindNotFound, err)
	_, err = r.change(places.ChangePlace{Path: "d/e", Place: &wire.Place{Path: "d/e"}, Remove: true})
	refused(t, wire.KindMalformed, err)
	_, err = r.change(places.ChangePlace{Path: "d/e"})
	refused(t, wire.KindMalformed, err)
}

func TestChangePlace_MovesWithWhatIsInIt(t *testing.T) {
	r := newRig(t)
	move := func(from, to string, dry bool) (places.ChangedPlace, error) {
		return r.change(places.ChangePlace{Path: from, Version: r.show(from).Version, DryRun: dry, Place: &wire.Place{Path: to}})
	}
	out, err := move("d/e/b1", "d/b1", true)
	require.NoError(t, err)
	require.Equal(t, uint64(1), out.Members)
	require.Equal(t, uint64(1), out.Devices)
	require.Equal(t, []places.Difference{{What: places.ChangesPath, Before: "d/e/b1", After: "d/b1"}}, out.Changes)
	for _, to := range []string{"d/e/b2", "d/e/b1/lift", "d/e/b1/inner", "d"} {
		_, err := move("d/e/b1", to, true)
		refused(t, wire.KindConflict, err)
	}
	_, err = move("d/e/b1", "d/b1", false)
	require.NoError(t, err)
	_, err = r.ShowPlace(t.Context(), "d/e/b1")
	refused(t, wire.KindNotFound, err)
	require.Equal(t, uint64(1), r.show("d/b1").Members)
}

func TestChangePlace_RemovesOnlyWhatNobodyNeeds(t *testing.T) {
	r := newRig(t)
	remove := func(path string, dry bool) error {
		_, err := r.change(places.ChangePlace{Path: path, Version: r.show(path).Version, Remove: true, DryRun: dry})
		return err
	}
	require.Contains(t, refused(t, wire.KindConflict, remove("d/e/b1", true)).Sentence, "1 members are in d/e/b1, with 1 devices")
	r.do(&command.PutPlaces{Places: []audience.Place{{Path: "d/f"}, {Path: "d/f/g"}}})
	require.Contains(t, refused(t, wire.KindConflict, remove("d/f", true)).Sentence, "1 places below")
	require.NoError(t, remove("d/e/b2", true))
	require.NoError(t, remove("d/e/b2", false))
	_, err := r.ShowPlace(t.Context(), "d/e/b2")
	refused(t, wire.KindNotFound, err)
	_, err = r.change(places.ChangePlace{Path: "d/e/b2", Remove: true})
	refused(t, wire.KindNotFound, err)
}

// What names a place would mean nobody without it: each is found, and keeps it where it is.
func TestChangePlace_KeepsWhatIsNamed(t *testing.T) {
	naming := map[string]command.Payload{
		places.ByScenario + " flood": &command.PutScenario{Scenario: rights.Scenario{ID: "flood", Title: "x", Alert: []byte("{}"), Lifetime: 1, Select: "place under d/e/b2/lobby and kind = screen"}},
		places.ByScenario + " call":  &command.PutScenario{Scenario: rights.Scenario{ID: "call", Title: "x", Alert: []byte("{}"), Lifetime: 1, Select: "all", Details: rights.Details{Groups: []string{"not place = d/e/b2"}, Answers: 1, Minutes: 1}}},
		places.ByUser + " warden":    &command.PutUser{User: storage.User{Name: "warden", Roles: []string{authority.RoleComposer}, Places: []string{"d/e/b2"}, TokenHash: make([]byte, 32)}},
		places.ByLicence + " l1":     &command.PutLicence{Licence: rights.Licence{ID: "l1", Operator: "chief", Scenarios: []string{"*"}, Place: "d/e/b2", Until: night.Add(time.Hour).UnixMilli()}},
		places.ByNotice + " n1": &command.PutNotice{
			Notice:  notice.Notice{ID: "n1", Author: "amy", State: notice.Waiting, Versions: 1, Levels: []rights.Level{{Role: authority.RoleApprover, Count: 1}}, Acts: []notice.Act{{Do: notice.Wrote, By: "amy", Version: 1}}},
			Version: &notice.Version{Notice: "n1", N: 1, Alert: []byte("{}"), Select: "place under d/e/b2"},
		},
	}
	for what, payload := range naming {
		r := newRig(t)
		r.do(&command.PutUser{User: storage.User{Name: "chief", Roles: []string{authority.RoleAdministrator}, TokenHash: append(make([]byte, 31), 1)}})
		r.do(payload)
		r.keeps(what)
	}
	live := alerts.Live{Active: board.Active{ID: "a1"}, Message: &alerts.Message{Issue: factbody.Issue{Targets: []audience.Target{{Select: "place under d/e/b2"}}}}}
	newRig(t, live).keeps(places.ByAlert + " a1")
}

func (r *rig) keeps(what string) {
	r.t.Helper()
	is := r.show("d/e/b2")
	require.Len(r.t, is.NamedBy, 1, what)
	require.Equal(r.t, what, is.NamedBy[0].Kind+" "+is.NamedBy[0].ID)
	require.Equal(r.t, is.NamedBy[0].Kind == places.ByScenario, is.NamedBy[0].Title == "x", "a scenario has its title beside the id")
	require.Empty(r.t, r.show("d/e/b1").NamedBy, what)
	for _, in := range []places.ChangePlace{{Remove: true}, {Place: &wire.Place{Path: "d/b2"}}} {
		in.Path, in.Version = "d/e/b2", is.Version
		_, err := r.change(in)
		require.Equal(r.t, []string{what}, refused(r.t, wire.KindConflict, err).Details)
	}
	_, err := r.change(places.ChangePlace{Path: "d/e/b2", Version: is.Version, Place: &wire.Place{Path: "d/e/b2", Names: map[string]string{"en": "Two"}}})
	require.NoError(r.t, err, "its names may change")
}

// Whoever imports members and names no place must find their blocks where a place is chosen: else a fire in one
// block could be told to the whole district alone.
func TestPlaces_AreListedWhereMembersAre(t *testing.T) {
	r := newRig(t)
	for id, at := range map[string]audience.Path{"a": "d/f/b7/3a", "b": "d/f/b7/4a", "c": "d/g"} {
		m := audience.Member{ID: id, Kind: audience.KindPerson, Place: at}
		r.do(&command.PutMembers{Members: [][]byte{audience.EncodeMember(&m)}})
	}
	listed, err := records.NewPlaces(r.log.State).ListPlaces(t.Context())
	require.NoError(t, err)
	var paths []string
	for _, p := range listed {
		paths = append(paths, p.Path)
	}
	require.Equal(t, []string{"d", "d/e", "d/e/b1", "d/e/b2", "d/f", "d/f/b7", "d/g"}, paths, "down to blocks, and once")

	is := r.show("d/f/b7")
	require.Equal(t, places.ShownPlace{Place: wire.Place{Path: "d/f/b7"}, Version: places.VersionNone, Members: 2}, is)
	_, err = r.change(places.ChangePlace{Path: "d/f/b7", Version: is.Version, Place: &wire.Place{Path: "d/f/b7", Names: map[string]string{"en": "Block 7"}}})
	require.NoError(t, err, "what was read is given a name")
	require.NotEqual(t, places.VersionNone, r.show("d/f/b7").Version)
	_, err = r.ShowPlace(t.Context(), "d/h")
	refused(t, wire.KindNotFound, err)
}
