package fsm

import (
	"testing"

	"github.com/stretchr/testify/require"

	"almenara/cluster/command"
	"almenara/storage"
)

// user is what PutUser commits for a new user; the token follows from the name.
func user(name, token string, roles ...string) *command.PutUser {
	return &command.PutUser{User: storage.User{Name: name, Roles: roles, TokenHash: hash32(token)}}
}

func TestPeople_AddingDoesNotReplaceSomebody(t *testing.T) {
	r, s := newRig(t), newScript(t)
	require.NoError(t, r.one(s.add(user("amy", "one", "administrator"))).Error())
	require.NoError(t, r.one(s.add(user("amy", "one", "administrator"))).Error(), "a repeat does no harm")
	require.ErrorIs(t, r.one(s.add(user("amy", "two", "viewer"))).Error(), command.ErrConflict)
	u, ok, err := r.userByToken(hash32("one"))
	require.NoError(t, err)
	require.True(t, ok)
	require.Equal(t, []string{"administrator"}, u.Roles)

	require.NoError(t, r.one(s.add(user("ben", "three", "administrator"))).Error())
	require.NoError(t, r.one(s.add(&command.RevokeUser{Name: "amy"})).Error())
	require.NoError(t, r.one(s.add(user("amy", "four", "viewer"))).Error(), "who was revoked may come again")
}

func TestPeople_TheLastAdministratorStays(t *testing.T) {
	r, s := newRig(t), newScript(t)
	require.NoError(t, r.one(s.add(user("amy", "one", "administrator"))).Error())
	require.NoError(t, r.one(s.add(user("ben", "two", "viewer"))).Error())
	require.ErrorIs(t, r.one(s.add(&command.RevokeUser{Name: "amy"})).Error(), command.ErrConflict)
	require.NoError(t, r.one(s.add(&command.RevokeUser{Name: "ben"})).Error())

	require.NoError(t, r.one(s.add(user("cat", "three", "auditor", "administrator"))).Error())
	require.NoError(t, r.one(s.add(&command.RevokeUser{Name: "amy"})).Error())
	require.NoError(t, r.one(s.add(&command.RevokeUser{Name: "amy"})).Error(), "a repeat does no harm")
	require.ErrorIs(t, r.one(s.add(&command.RevokeUser{Name: "cat"})).Error(), command.ErrConflict)
}
