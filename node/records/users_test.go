package records

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
)

func TestCheckUser(t *testing.T) {
	for why, u := range map[string]storage.User{
		"needs the CAP senders":     {Name: "x", Roles: []string{authority.RoleComposer}, Kind: storage.UserSystem},
		"cannot be administrator":   {Name: "x", Roles: []string{authority.RoleAdministrator}, Senders: []string{"s"}, Kind: storage.UserSystem},
		"cannot be approver":        {Name: "x", Roles: []string{authority.RoleApprover}, Senders: []string{"s"}, Kind: storage.UserSystem},
		"the district's own":        {Name: "x", Roles: []string{authority.RoleComposer}, Senders: []string{"Almenara.D"}},
		"is no CAP sender":          {Name: "x", Roles: []string{authority.RoleComposer}, Senders: []string{"a b"}},
		"is no role":                {Name: "x", Roles: []string{"king"}},
		"needs a name and at least": {Name: "x"},
	} {
		require.ErrorContains(t, checkUser(u, "almenara.d"), why)
	}
	require.NoError(t, checkUser(storage.User{Name: "x", Roles: []string{authority.RoleComposer}, Senders: []string{"s"}, Kind: storage.UserSystem}, "almenara.d"))
}

func TestIdentify_KnowsTokensUntilTheyAreRevoked(t *testing.T) {
	log := recordstest.New(t, time.Now)
	users := NewUsers(nil, log.Store, nil, nil)
	token, hash := secret.New()
	_, err := users.Identify(t.Context(), token)
	require.ErrorContains(t, err, "this node knows nobody yet", "no token is wrong before the first user is there")
	_, err = log.Propose(t.Context(), "chief", &command.PutUser{User: storage.User{
		Name: "feed", Roles: []string{authority.RoleComposer}, Senders: []string{"hko"}, Places: []string{"d"}, Kind: storage.UserSystem, TokenHash: hash,
	}})
	require.NoError(t, err)
	by, err := users.Identify(t.Context(), token)
	require.NoError(t, err)
	require.Equal(t, authority.Caller{Name: "feed", Roles: []string{authority.RoleComposer}, Senders: []string{"hko"}, Places: []string{"d"}, System: true}, by)
	other, _ := secret.New()
	var p *wire.Problem
	_, err = users.Identify(t.Context(), other)
	require.ErrorAs(t, err, &p)
	require.Equal(t, wire.KindUnauthenticated, p.Kind)
	_, err = log.Propose(t.Context(), "chief", &command.RevokeUser{Name: "feed"})
	require.NoError(t, err)
	_, err = users.Identify(t.Context(), token)
	require.ErrorAs(t, err, &p)
}

func TestChanged_LeavesWhatIsLeftOut(t *testing.T) {
	before := storage.User{Name: "x", Roles: []string{"viewer"}, Senders: []string{"hko"}, Places: []string{"d"}, Kind: storage.UserSystem, TokenHash: []byte("t")}
	for name, c := range map[string]struct {
		in   wire.SetUser
		want func(*storage.User)
	}{
		"nothing":      {wire.SetUser{}, func(*storage.User) {}},
		"roles":        {wire.SetUser{Roles: []string{"composer"}}, func(u *storage.User) { u.Roles = []string{"composer"} }},
		"everywhere":   {wire.SetUser{Places: &[]string{}}, func(u *storage.User) { u.Places = []string{} }},
		"any sender":   {wire.SetUser{Senders: &[]string{}}, func(u *storage.User) { u.Senders = []string{} }},
		"a person now": {wire.SetUser{System: new(false)}, func(u *storage.User) { u.Kind = storage.UserPerson }},
	} {
		is, want := before, before
		require.NoError(t, changed(&is, c.in))
		c.want(&want)
		require.Equal(t, want, is, name)
	}
	plain := storage.User{Name: "y", Roles: []string{"composer"}}
	require.NoError(t, changed(&plain, wire.SetUser{Senders: &[]string{"hko"}}))
	require.Equal(t, storage.UserPerson, plain.Kind, "a grant of senders frees nobody from approvals")
}

// Of two who change what both have read, the second is told, and nothing of the first's is put back.
func TestChanged_RefusesWhatWasSaidOfWhatTheUserIsNoMore(t *testing.T) {
	u := storage.User{Name: "x", Roles: []string{"viewer"}, Places: []string{"d"}, TokenHash: []byte("t")}
	read := versionOf(u)
	require.NoError(t, changed(&u, wire.SetUser{Version: read, Roles: []string{"composer"}}))
	var p *wire.Problem
	require.ErrorAs(t, changed(&u, wire.SetUser{Version: read, Places: &[]string{}}), &p)
	require.Equal(t, wire.KindConflict, p.Kind)
	require.Equal(t, []string{"d"}, u.Places)
	require.NoError(t, changed(&u, wire.SetUser{Version: versionOf(u), Places: &[]string{}}))
	require.NoError(t, changed(&u, wire.SetUser{Roles: []string{"viewer"}}), "who says no version means whatever it is")
	sets := map[string]bool{}
	for _, other := range []storage.User{u, {Roles: []string{"a b"}}, {Roles: []string{"a", "b"}}, {Senders: []string{"a"}}, {Places: []string{"a"}}, {Kind: storage.UserSystem}, {Revoked: true}} {
		sets[versionOf(other)] = true
	}
	require.Len(t, sets, 7)
	u.TokenHash = nil
	require.Equal(t, userOut(u).Version, versionOf(u))
}
