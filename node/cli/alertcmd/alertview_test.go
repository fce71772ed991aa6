package alertcmd

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"almenara/node/cli/command"
	"almenara/node/cli/terminal"
	"almenara/node/wire"
)

func TestAlertList_ShowsTheEndWhereThereIsRoom(t *testing.T) {
	now := time.Date(2026, 7, 20, 18, 0, 0, 0, time.Local)
	a := wire.Alert{
		ID: "abcdefghijklmnopqrstuvwxyz", State: "in-force", Headline: "Black rainstorm warning for all of Tuen Mun",
		Sent: now.Add(-20 * time.Minute), Expires: now.Add(time.Hour),
	}
	list := func(columns int, a wire.Alert) string {
		var b strings.Builder
		writeAlertList((&command.Env{IO: command.IO{Width: columns}}), &b, []wire.Alert{a}, now)
		return b.String()
	}
	zone := "Times are UTC" + now.Format("-07:00") + ".\n"
	require.Equal(t, "ALERT                       STATE     SENT   PRESENTED  HEADLINE\n"+
		"abcdefghijklmnopqrstuvwxyz  in-force  17:40        0/0  Black rainstorm warning…\n"+zone, list(80, a))
	require.Equal(t, "ALERT                       STATE     SENT   EXPIRES  PRESENTED  HEADLINE\n"+
		"abcdefghijklmnopqrstuvwxyz  in-force  17:40  19:00          0/0  Black rainstorm warning for…\n"+zone, list(93, a))
	a.Headline = "Gas leak"
	require.Contains(t, list(80, a), "  17:40  19:00          0/0  Gas leak\n", "a short headline leaves room")
	a.Headline = strings.Repeat("Black rainstorm warning ", 20)
	piped := list(terminal.Unbounded, a)
	require.Contains(t, piped, strings.TrimSpace(a.Headline), "a program that reads it gets every line whole")
	require.Contains(t, piped, now.Add(time.Hour).Format("2006-01-02 15:04:05 -07:00"), "and times with their zone")
}

// What was never approved in time was shown to nobody, and the details say so.
func TestAlertTable_SaysThatNobodyWasWarned(t *testing.T) {
	a := wire.Alert{State: wire.StateRecorded, Status: "Actual", Approvals: &wire.Approvals{Needed: 1}}
	var b strings.Builder
	alertTable(&command.Env{IO: command.IO{Width: 80}}, &b, a)
	require.Contains(t, b.String(), "It ran out before it was approved; nobody was warned.")
	a.State = wire.StatePending
	b.Reset()
	alertTable(&command.Env{IO: command.IO{Width: 80}}, &b, a)
	require.NotContains(t, b.String(), "nobody was warned")
}

// Those who were removed have a line of their own, so that the table adds up.
func TestRungTable_SaysWhoWasRemoved(t *testing.T) {
	a := wire.Alert{
		Addressed: wire.Counts{Total: 3, Removed: 1}, Rungs: wire.Rungs{Queued: 3},
		ByGroup: []wire.GroupRow{{Rungs: wire.Rungs{Queued: 1}}, {Kind: "screen", Place: "tuen-mun/on-ting/on-lai", Rungs: wire.Rungs{Queued: 2}}},
	}
	var b strings.Builder
	rungTable(&command.Env{IO: command.IO{Width: 80}}, &b, a)
	require.Contains(t, b.String(), "removed since")
	for line := range strings.Lines(b.String()) {
		require.LessOrEqual(t, terminal.ColumnsOf(strings.TrimRight(line, "\n")), 80)
	}
}

// Rounded counts read as such: 0 is not nobody, and as many presented as addressed is not all.
func TestRounded_CountsReadAsRounded(t *testing.T) {
	a := wire.Alert{State: wire.StateInForce, Status: "Actual", RoundedTo: 5, Rungs: wire.Rungs{Queued: 5, Presented: 5}}
	for _, write := range []func(b *strings.Builder){
		func(b *strings.Builder) { alertTable(&command.Env{IO: command.IO{Width: 80}}, b, a) },
		func(b *strings.Builder) {
			writeAlertList(&command.Env{IO: command.IO{Width: 80}}, b, []wire.Alert{a}, time.Now())
		},
	} {
		var b strings.Builder
		write(&b)
		require.Contains(t, b.String(), "multiples of 5: 0 is fewer.")
		for line := range strings.Lines(b.String()) {
			require.LessOrEqual(t, terminal.ColumnsOf(strings.TrimRight(line, "\n")), 80)
		}
	}
	over, err := verdict(a)
	require.NoError(t, err)
	require.False(t, over, "9 may be addressed and 5 have presented it")
	a.RoundedTo = 0
	over, err = verdict(a)
	require.NoError(t, err)
	require.True(t, over)
}
