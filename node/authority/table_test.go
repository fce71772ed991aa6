package authority_test

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"almenara/node/authority"
)

// The pages in the repository say what the code does. With ALMENARA_WRITE=1 they are written
// anew.
func TestPages_HoldTheTable(t *testing.T) {
	for page, table := range map[string]string{"DESIGN.md": authority.Markdown(), "../../README.md": authority.Matrix()} {
		raw, err := os.ReadFile(page)
		require.NoError(t, err)
		const from, to = "says when it is old -->\n", "<!-- end of table -->"
		head, rest, ok := strings.Cut(string(raw), from)
		require.True(t, ok, page)
		old, tail, ok := strings.Cut(rest, to)
		require.True(t, ok, page)
		if os.Getenv("ALMENARA_WRITE") != "" {
			require.NoError(t, os.WriteFile(page, []byte(head+from+"\n"+table+"\n"+to+tail), 0o644))
			continue
		}
		require.Equal(t, "\n"+table+"\n", old, "%s: run the test with ALMENARA_WRITE=1", page)
	}
}

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
