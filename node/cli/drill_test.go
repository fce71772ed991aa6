package cli

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"almenara/node/api/apitest"
	"almenara/node/cli/command"
	"almenara/node/wire"
)

// Who sends into a drill copy believing that it is the district must be told so by every
// command, and who drills must not take the district for the copy.
func TestDrillCopy_EveryCommandSaysIt(t *testing.T) {
	w := newWorld(t)
	w.State.Isolated = true
	commands := [][]string{
		{"status"}, {"status", "--json"}, {"status", "--splits"}, {"alert", "list"}, {"alert", "list", "--json"}, {"alert", "show", apitest.AlertID},
		{"alert", "send", "--event", "Flood", "--headline", "Go upstairs", "--select", "all"}, {"alert", "cancel", apitest.AlertID},
		{"audience", "select", "all"}, {"device", "list"}, {"user", "list"}, {"node", "remove", "n3"}, {"audit", "export"}, {"policy", "show"},
	}
	for _, args := range commands {
		w.drill = false
		require.Equal(t, command.ExitDone, w.run(args...), "%v: %s", args, w.err.String())
		require.NotContains(t, w.err.String(), "DRILL COPY", args)
		w.drill = true
		require.Equal(t, command.ExitDone, w.run(args...), "%v: %s", args, w.err.String())
		require.Equal(t, 1, strings.Count(w.err.String(), "DRILL COPY"), "%v: once: %s", args, w.err.String())
	}
	require.Equal(t, command.ExitDone, w.run("status"))
	require.Contains(t, w.out.String(), "tuen-mun, DRILL COPY")
	require.Equal(t, command.ExitDone, w.run("status", "--json"))
	var s wire.Status
	require.NoError(t, json.Unmarshal(w.out.Bytes(), &s))
	require.True(t, s.Isolated)

	w.Err = wire.Problemf(wire.KindNotFound, "nothing was found")
	require.Equal(t, command.ExitFailed, w.run("alert", "show", apitest.AlertID))
	require.Contains(t, w.err.String(), "DRILL COPY", "a refusal says it, too")
}
