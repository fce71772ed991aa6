package authority_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"almenara/node/authority"
)

func TestTable_HasEveryActionOnce(t *testing.T) {
	seen := map[authority.Action]bool{}
	for _, l := range authority.Table() {
		require.False(t, seen[l.Action], l.Action)
		seen[l.Action] = true
		require.NotEmpty(t, l.Does)
		require.NotEmpty(t, l.Alone)
		for _, role := range l.Roles {
			require.Contains(t, authority.Roles(), role)
		}
		admin := authority.Caller{Name: "root", Roles: []string{authority.RoleAdministrator}}
		require.True(t, authority.May(admin, l.Action))
		require.False(t, authority.May(authority.Caller{Name: "nobody"}, l.Action))
	}
	require.False(t, authority.May(authority.Caller{Roles: []string{authority.RoleComposer}}, "something else"), "what is not in the table is nobody's")
}
