package cli

import (
	"testing"

	"github.com/stretchr/testify/require"

	"almenara/node/api/apitest"
	"almenara/node/cli/command"
	"almenara/node/wire/notices"
)

// A planned notice is written, read and passed on by the command line as by pages.
func TestNotice_IsWrittenAndPassedOn(t *testing.T) {
	w := newWorld(t)
	require.Equal(t, command.ExitDone, w.run("notice", "write", "--scenario", "planned-outage", "--set", "where=On Lai", "--at", "2026-12-01T08:00:00+08:00"), w.err.String())
	require.Equal(t, []string{"DraftNotice planned-outage"}, w.Calls())
	require.Contains(t, w.out.String(), "waits at level 1 since")
	require.Contains(t, w.out.String(), "for 1 person more: approver, zoe; asked now: approver")

	require.Equal(t, command.ExitDone, w.run("notice", "show", apitest.NoticeID))
	for _, says := range []string{"Estate office (approver, 1 person)", "[1] The dates agree", `changed en headline: "No water on Tuesday", was "No water"`, `Sensitive: "contaminated" in en must be ticked by a second person`, "[en] Which day?"} {
		require.Contains(t, w.out.String(), says)
	}
	require.Equal(t, command.ExitDone, w.run("notice", "pass", "--version", "2", "--tick", "1", "--word", "contaminated", apitest.NoticeID))
	calls := w.Calls()
	require.Equal(t, `ActOnNotice `+apitest.NoticeID+` pass 2 ["The dates agree"]`, calls[len(calls)-1])
	require.Equal(t, command.ExitUsage, w.run("notice", "pass", "--version", "2", "--tick", "7", apitest.NoticeID))
	require.Contains(t, w.err.String(), "1 lines to tick, and no line 7")
	require.Equal(t, command.ExitUsage, w.run("notice", "pass", apitest.NoticeID), "what was read must be said")
	require.Equal(t, command.ExitUsage, w.run("notice", "back", "--version", "2", apitest.NoticeID), "and why")
	require.Equal(t, command.ExitDone, w.run("notice", "back", "--version", "2", "--why", "which day?", apitest.NoticeID))
	require.Equal(t, command.ExitDone, w.run("notice", "comment", "--language", "en", "--text", "?", apitest.NoticeID))
	require.Equal(t, command.ExitDone, w.run("notice", "withdraw", apitest.NoticeID))
	require.Equal(t, command.ExitUsage, w.run("notice", "revise", "--version", "2", apitest.NoticeID))
	require.Equal(t, command.ExitDone, w.run("notice", "revise", "--version", "2", "--why", "the day", "--set", "where=x", apitest.NoticeID))
	require.Equal(t, command.ExitUsage, w.run("notice", "write", "--at", "tomorrow", "--scenario", "x"))
	require.Equal(t, command.ExitUsage, w.run("notice", "write"))
	require.Equal(t, command.ExitDone, w.run("notice", "list", "--over"))
	w.Notices = []notices.Notice{}
	require.Equal(t, command.ExitDone, w.run("notice", "list"))
	require.Equal(t, "No planned notice is open.\n", w.out.String())
}
