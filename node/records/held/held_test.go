package held

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"almenara/cluster/command"
	"almenara/node/authority"
	"almenara/node/records/recordstest"
	"almenara/node/secret"
	"almenara/node/wire"
	"almenara/storage"
	"almenara/storage/audience"
)

// A device is where its member is: who is limited to places has none of elsewhere under a member of theirs, and none of
// theirs under a member of elsewhere.
func TestAttack_WhoIsLimitedTakesNoDeviceOfOthers(t *testing.T) {
	log := recordstest.New(t, time.Now)
	var members [][]byte
	for id, place := range map[string]string{"mine": "tm/a/lift-1", "theirs": "tm/b/lift-1", "near": "tm/ab/lift-1"} {
		members = append(members, audience.EncodeMember(&audience.Member{ID: id, Kind: audience.KindScreen, Place: audience.Path(place)}))
	}
	_, err := log.Propose(t.Context(), "amy", &command.PutMembers{Members: members})
	require.NoError(t, err)
	_, hash := secret.New()
	for _, id := range []string{"mine", "theirs", "gone"} {
		m := map[string]string{"gone": "theirs"}[id]
		if m == "" {
			m = id
		}
		_, err = log.Propose(t.Context(), "amy", &command.PutDevices{Devices: []storage.Device{{ID: id, Member: m, Kind: "screen", SecretHash: hash}}})
		require.NoError(t, err)
	}
	_, err = log.Propose(t.Context(), "amy", &command.RevokeDevice{ID: "gone"})
	require.NoError(t, err)
	known := func(id string) bool { _, ok := log.State.Index().Ordinal(id); return ok }
	hold := func(by authority.Caller, in []wire.Enrol) error {
		return log.Store.View(func(txn *storage.Txn) error { return Enrols(txn, known, by, in) })
	}
	eve := authority.Caller{Name: "eve", Roles: []string{authority.RoleDeviceManager}, Places: []string{"tm/a"}}
	for name, c := range map[string]struct {
		in   []wire.Enrol
		held bool
	}{
		"a new one of mine":               {[]wire.Enrol{{ID: "new", Place: "tm/a/lift-2"}}, false},
		"a new one at the place itself":   {[]wire.Enrol{{ID: "new", Place: "tm/a"}}, false},
		"a new one elsewhere":             {[]wire.Enrol{{ID: "new", Place: "tm/b"}}, true},
		"a new one of a similar name":     {[]wire.Enrol{{ID: "new", Place: "tm/ab"}}, true},
		"a new one above":                 {[]wire.Enrol{{ID: "new", Place: "tm"}}, true},
		"one of two elsewhere":            {[]wire.Enrol{{ID: "n1", Place: "tm/a"}, {ID: "n2", Place: "tm/b"}}, true},
		"a new secret of mine":            {[]wire.Enrol{{ID: "mine", Rotate: true}}, false},
		"a new secret of theirs":          {[]wire.Enrol{{ID: "theirs", Rotate: true}}, true},
		"theirs, with my member":          {[]wire.Enrol{{ID: "theirs", Member: "mine", Rotate: true}}, true},
		"theirs, said to be here":         {[]wire.Enrol{{ID: "theirs", Place: "tm/a", Rotate: true}}, true},
		"mine, with their member":         {[]wire.Enrol{{ID: "mine", Member: "theirs", Rotate: true}}, true},
		"a new one with their member":     {[]wire.Enrol{{ID: "new", Member: "theirs", Place: "tm/a"}}, true},
		"one that was revoked, here":      {[]wire.Enrol{{ID: "gone", Member: "mine"}}, false},
		"one that was revoked, elsewhere": {[]wire.Enrol{{ID: "gone", Member: "near"}}, true},
	} {
		for _, by := range []authority.Caller{eve, {Name: "amy", Roles: []string{authority.RoleDeviceManager}}} {
			err := hold(by, c.in)
			if c.held && by.Name == "eve" {
				var p *wire.Problem
				require.ErrorAs(t, err, &p, name)
				require.Equal(t, wire.KindForbidden, p.Kind, name)
				continue
			}
			require.NoError(t, err, name)
		}
	}
	in := []wire.Enrol{{ID: "new", Place: "tm/a", Rotate: true}}
	require.NoError(t, hold(eve, in))
	require.False(t, in[0].Rotate, "somebody may enrol it elsewhere meanwhile")
}

// A row changes a member where it is and where it comes to be.
func TestAttack_WhoIsLimitedImportsNobodyOfOthers(t *testing.T) {
	live := func(id string) (*audience.Member, bool) {
		place := map[string]string{"mine": "tm/a/1", "theirs": "tm/b/1"}[id]
		return &audience.Member{ID: id, Place: audience.Path(place)}, place != ""
	}
	eve := authority.Caller{Name: "eve", Roles: []string{authority.RoleAudienceManager}, Places: []string{"tm/a"}}
	for row, refused := range map[[2]string]bool{
		{"mine", "tm/a/2"}: false, {"new", "tm/a"}: false, {"theirs", "tm/b/1"}: true, {"theirs", "tm/a/1"}: true, {"mine", "tm/b/1"}: true, {"new", "tm/ab"}: true, {"new", ""}: true,
	} {
		for _, by := range []authority.Caller{eve, {Name: "amy"}} {
			var held error
			visited := 0
			visit := Rows(by, live, func(int, audience.Member) error { visited++; return nil }, &held, Added{})
			require.NoError(t, visit(1, audience.Member{ID: row[0], Place: audience.Path(row[1])}))
			require.NoError(t, visit(2, audience.Member{ID: "new", Place: "tm/a"}))
			require.Equal(t, 2, visited)
			require.Equal(t, refused && by.Name == "eve", held != nil, row)
		}
	}
}
