package authority_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"almenara/node/authority"
	"almenara/node/wire"
	"almenara/storage/audience"
)

// Over every number of members and every way to ask, whoever may not read persons learns nothing
// of fewer than five by tags or languages.
func TestMinimal_TellsNothingOfFew(t *testing.T) {
	viewer := authority.Caller{Name: "v", Roles: []string{authority.RoleViewer}}
	for _, expr := range []string{
		"risk = high", "has risk", "place under tm/x/b and risk in (high, low)", "language = zh", "kind = phone and risk = high",
		"risk = high or Risk = high", "(place under tm or place under tm/x/b) and (risk = high or has care)",
	} {
		s, err := audience.Parse(expr)
		require.NoError(t, err)
		for n := range uint64(40) {
			out := wire.Selected{
				Counts:  wire.Counts{Total: n, ByKind: []wire.Count{{Name: "phone", Count: n / 3}, {Name: "screen", Count: n - n/3}}},
				Members: []wire.Member{{ID: "r-1", Name: "Chan"}}, Next: "r-1",
			}
			if err := authority.Minimal(viewer, s, &out); n < authority.FewestMembers {
				require.Error(t, err)
				continue
			} else {
				require.NoError(t, err)
			}
			require.Empty(t, out.Members)
			require.Empty(t, out.Next)
			require.EqualValues(t, authority.FewestMembers, out.RoundedTo)
			for _, line := range append(out.Counts.ByKind, wire.Count{Count: out.Counts.Total}) {
				require.Zero(t, line.Count%authority.FewestMembers, fmt.Sprint(expr, n))
				require.GreaterOrEqual(t, line.Count, uint64(authority.FewestMembers))
			}
		}
	}
	for _, expr := range []string{ // a known crowd beside one resident, whatever the total
		"(risk = high and place = tm/x/b/flat-3a) or (kind = screen and place = tm/x/b)", "kind = phone or risk != high",
		"not risk = high", "kind = phone and risk != high", "risk = high and place = tm/x/b", "risk = high and place under tm/x/b/flat-3a",
		"risk = high or place under tm/x/b", "language = zh or risk = high", "(place under tm/x/b or place = tm/x/b/flat-3a) and has risk",
	} {
		s, err := audience.Parse(expr)
		require.NoError(t, err)
		require.ErrorContains(t, authority.Minimal(viewer, s, &wire.Selected{Counts: wire.Counts{Total: 1000}}), "joined by and", expr)
	}
	s, err := audience.Parse("id = r-1 and risk = high")
	require.NoError(t, err)
	require.ErrorContains(t, authority.Minimal(viewer, s, &wire.Selected{Counts: wire.Counts{Total: 1000}}), "named by their ids")
	s, err = audience.Parse("id = r-1")
	require.NoError(t, err)
	out := wire.Selected{Counts: wire.Counts{Total: 1}, Members: []wire.Member{{ID: "r-1", Name: "Chan"}}}
	require.NoError(t, authority.Minimal(viewer, s, &out))
	require.Equal(t, []wire.Member{{ID: "r-1"}}, out.Members, "ids, kinds and places are everybody's")
	out = wire.Selected{Counts: wire.Counts{Total: 1}, Members: []wire.Member{{ID: "r-1", Name: "Chan"}}}
	s, err = audience.Parse("risk = high")
	require.NoError(t, err)
	require.NoError(t, authority.Minimal(authority.Caller{Roles: []string{authority.RoleAudienceManager}}, s, &out))
	require.Equal(t, "Chan", out.Members[0].Name)
}

// What may be told goes by the selection that the answer names.
func TestMinimalSelected_GoesByWhatTheAnswerNames(t *testing.T) {
	viewer := authority.Caller{Roles: []string{authority.RoleViewer}}
	of := func(expr string) wire.Selected {
		return wire.Selected{Expression: expr, Counts: wire.Counts{Total: 1001}, Members: []wire.Member{{ID: "r-1", Name: "Chan"}}}
	}
	everybody := of("")
	require.NoError(t, authority.MinimalSelected(viewer, &everybody))
	require.Equal(t, []wire.Member{{ID: "r-1"}}, everybody.Members)
	risk := of("risk = high")
	require.NoError(t, authority.MinimalSelected(viewer, &risk))
	require.EqualValues(t, 1000, risk.Counts.Total)
	require.Empty(t, risk.Members)
	broken := of("risk = = high")
	require.Error(t, authority.MinimalSelected(viewer, &broken))
}
