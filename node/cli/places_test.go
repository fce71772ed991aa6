package cli

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"almenara/node/api/apitest"
	"almenara/node/cli/command"
	"almenara/node/wire"
	"almenara/node/wire/why"
)

// A place may still come, so it is taken; but a mistyped one must not wait for the night in which
// somebody needs it.
func TestPlaces_WhereNobodyIsAreSaid(t *testing.T) {
	w := newWorld(t)
	for says, args := range map[string][]string{
		"there is no member in tuen-mun/on-tnig now; until there is one, duty can warn": {"user", "add", "--role", "composer", "--place", "tuen-mun/on-tnig", "duty"},
		"there is no member in tuen-mun/on-tnig now; until there is one, the licence":   {"licence", "grant", "--scenario", "*", "--place", "tuen-mun/on-tnig", "duty"},
		"there is no member in tuen-mun/on-tnig now; this makes it a new place":         {"device", "enrol", "--kind", "screen", "--place", "tuen-mun/on-tnig", "lift-1"},
	} {
		w.Selected, w.Addresses = wire.Selected{Expression: "all"}, 0
		require.Equal(t, command.ExitDone, w.run(args...), "%v: %s", args, w.err.String())
		require.Contains(t, flat(w.err.String()), "Warning: "+says)
		w.Selected, w.Addresses = apitest.New().Selected, 2
		require.Equal(t, command.ExitDone, w.run(args...), w.err.String())
		require.Empty(t, w.err.String())
	}
}

// What a scenario would be refused for at night is said once when it is checked, and when it is put.
func TestScenario_OfNobodySaysSo(t *testing.T) {
	w := newWorld(t)
	file := write(t, t.TempDir(), "flood.json", `{"id":"flood","title":"Flood","alert":{"info":[]},"select":"place under tuen-mun/on-tnig","minutes":60}`)
	w.Addresses, w.Warned = 0, why.Sentences{why.Sayf("it selects nobody now, and is refused when it is sent so")}
	for _, do := range []string{"check", "put"} {
		require.Equal(t, command.ExitDone, w.run("scenario", do, file), w.err.String())
		require.Equal(t, 1, strings.Count(flat(w.out.String()+w.err.String()), "selects nobody now"), do)
		require.Contains(t, w.out.String(), "it addresses 0 members now.\n  Warning: it selects nobody now")
	}
}

func TestPlaceSet_Codes(t *testing.T) {
	w := newWorld(t)
	w.Tree.Place = wire.Place{Path: "tuen-mun", Geocodes: []wire.Geocode{{ValueName: "HK-DC", Value: "L"}}}
	require.Equal(t, command.ExitDone, w.run("place", "show", "tuen-mun"), w.err.String())
	require.Contains(t, w.out.String(), "Code: HK-DC = L\n")
	require.Equal(t, command.ExitDone, w.run("place", "set", "--without-code", "HK-DC=L", "--code", "HK-DC=K", "--shared-code", "tuen-mun"), w.err.String())
	for _, bad := range [][]string{{"--code", "HK-DC"}, {"--code", "=L"}, {"--without-code", "HK-DC=M"}} {
		require.Equal(t, command.ExitUsage, w.run(append(append([]string{"place", "set"}, bad...), "tuen-mun")...), bad)
	}
}

// flat undoes the breaking of lines.
func flat(s string) string { return strings.Join(strings.Fields(s), " ") }

func TestAudienceRemove_NamesDevicesThatAreLeft(t *testing.T) {
	w := newWorld(t)
	require.Equal(t, command.ExitDone, w.run("audience", "remove", "--yes", "r-1", "r-2"), w.err.String())
	require.Equal(t, []string{"RemoveMember r-1 true", "RemoveMember r-2 true"}, w.Calls())
	require.Contains(t, w.out.String(), "Member r-1 is removed.\nWarning: 1 device without it, whom no alert reaches now: lift-0042\n")
}

// Excel reads UTF-8 only behind its mark; every other program reads it without.
func TestAlertReceipts_CSVForExcel(t *testing.T) {
	w := newWorld(t)
	require.Equal(t, command.ExitDone, w.run("alert", "receipts", "--csv", apitest.AlertID), w.err.String())
	plain := w.out.String()
	require.True(t, strings.HasPrefix(plain, "member,"), plain)
	require.Equal(t, command.ExitDone, w.run("alert", "receipts", "--csv", "--bom", apitest.AlertID), w.err.String())
	require.Equal(t, "\ufeff"+plain, w.out.String())
	require.Equal(t, command.ExitUsage, w.run("alert", "receipts", "--bom", apitest.AlertID))
	require.Equal(t, command.ExitDone, w.run("help", "alert", "receipts"))
	for _, reason := range []string{wire.ReasonNoDevice, wire.ReasonDark, wire.ReasonNotSeen, wire.ReasonWaiting, wire.ReasonUnknown, "refused", "failed", "expired", "cancelled"} {
		require.Contains(t, flat(w.out.String()), reason+": ")
	}
}
