package cli

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"almenara/node/api/apitest"
	"almenara/node/cli/command"
)

func TestAlertUpdate_SaysWhatChanges(t *testing.T) {
	w := newWorld(t)
	require.Equal(t, command.ExitDone, w.run("alert", "update", "--severity", "Extreme", "--select", "all", "--headline", "Go up", "--reason", "worse", apitest.AlertID), w.err.String())
	require.Equal(t, []string{"UpdateAlert " + apitest.AlertID + ` 1 map[] "Extreme" "all" "worse" false committed`}, w.Calls())
	require.Equal(t, command.ExitDone, w.run("alert", "update", "--dry-run", "--urgency", "Future", apitest.AlertID), w.err.String())
	require.Contains(t, w.out.String(), "Nothing was sent.")
	require.Equal(t, command.ExitUsage, w.run("alert", "update", "--reason", "none", apitest.AlertID))
	require.Equal(t, command.ExitUsage, w.run("alert", "correct", "--severity", "Extreme", apitest.AlertID), "that is no correction")
	require.Len(t, w.Calls(), 2)
}

// Times are taken as RFC 3339 writes them, in every command that takes one.
func TestExpires_TakesRFC3339(t *testing.T) {
	w := newWorld(t)
	for _, at := range []string{"2036-07-20T17:40:00+08:00", "2036-07-20T09:40:00Z", "2036-07-20t09:40:00z", "2036-07-20T09:40:00.25Z", "2036-07-20T09:40:00-00:00"} {
		for _, args := range [][]string{
			{"alert", "send", "--event", "Flood", "--headline", "x", "--select", "all"}, {"alert", "correct", apitest.AlertID}, {"alert", "update", apitest.AlertID},
		} {
			require.Equal(t, command.ExitDone, w.run(append(args, "--expires", at)...), "%s: %s", at, w.err.String())
		}
	}
	require.Contains(t, w.Calls()[0], `"expires":"2036-07-20T`)
	for _, at := range []string{"2036-07-20", "2036-07-20 09:40:00Z", "tomorrow", time.Now().Format(time.RFC1123)} {
		require.Equal(t, command.ExitUsage, w.run("alert", "correct", apitest.AlertID, "--expires", at), at)
	}
}
