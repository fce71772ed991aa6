package records

import (
	"testing"

	"github.com/stretchr/testify/require"

	"almenara/node/authority"
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
