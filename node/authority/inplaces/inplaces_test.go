package inplaces_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"almenara/node/authority"
	"almenara/node/authority/inplaces"
)

// Each action of the table is held to places where the table says so, for every caller and every place.
func TestHold_IsWhatTheTableSays(t *testing.T) {
	everywhere := authority.Caller{Name: "amy", Roles: authority.Roles()}
	limited := authority.Caller{Name: "eve", Roles: authority.Roles(), Places: []string{"tm/a", "tm/b/c"}}
	held := 0
	for _, line := range authority.Table() {
		for place, inside := range map[string]bool{
			"tm/a": true, "tm/a/x": true, "tm/b/c": true, "tm/b/c/x/y": true, "": false, "tm": false, "tm/b": false, "tm/ab": false, "tm/b/cd": false, "x/tm/a": false,
		} {
			require.NoError(t, inplaces.Hold(everywhere, line.Action, "d", place))
			require.Equal(t, inside || !line.There, inplaces.Hold(limited, line.Action, "d", place) == nil, "%s at %q", line.Action, place)
		}
		require.NoError(t, inplaces.Whole(everywhere, line.Action))
		require.Equal(t, !line.There, inplaces.Whole(limited, line.Action) == nil)
		if line.There {
			held++
		}
	}
	require.Equal(t, 3, held, "testing and changing devices, and the audience")
}
