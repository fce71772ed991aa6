package alertcmd

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/spf13/pflag"

	"almenara/node/cli/command"
	"almenara/node/cli/terminal"
	"almenara/node/wire"
	"almenara/node/wire/sheets"
)

// reportMore is what the report has.
const reportMore = "It has only what is on record. What nodes did is by their clocks; when devices presented the alert is by the clocks of the devices, which the nodes correct, " +
	"within what can be: not before the message stood, and not after a node took the word down.\n" +
	"dark is who never told anything of the alert, not even that it came; alert receipts --missing says why.\n" +
	"When somebody began to write the alert is not on record: the report begins when a node took it."

// happened are the words for what happened.
var happened = map[wire.Happening]string{
	wire.HappenedTaken: "taken by a node", wire.HappenedApproved: "approved", wire.HappenedStood: "had all approvals", wire.HappenedAgreed: "agreed by a majority of the nodes",
	wire.HappenedEnded: "ended", wire.HappenedRanOut: "ran out", wire.HappenedFirst: "first device presented it", wire.HappenedHalf: "half of all had", wire.HappenedNinety: "90 % had",
	wire.HappenedNinetyFive: "95 % had", wire.HappenedLast: "last device so far",
}

func alertReport(fs *pflag.FlagSet) command.Runner {
	asCSV := fs.Bool("csv", false, "write CSV, for a spreadsheet")
	bom := fs.Bool("bom", false, "begin the CSV with the mark by which Excel knows UTF-8")
	return func(ctx context.Context, e *command.Env, args []string) error {
		if *bom && !*asCSV {
			return command.Usagef("--bom is for --csv")
		}
		c, err := e.Client()
		if err != nil {
			return err
		}
		defer c.Close()
		r, err := c.AlertReport(ctx, args[0])
		if err != nil {
			return err
		}
		if !*asCSV {
			return e.Print(r, func(w io.Writer) { writeReport(e, w, r) })
		}
		if *bom {
			if _, err := io.WriteString(e.Out, "\ufeff"); err != nil {
				return command.Writing(err)
			}
		}
		return command.Writing(sheets.Report(e.Out, r))
	}
}

func writeReport(e *command.Env, w io.Writer, r wire.Report) {
	terminal.Wrapped(w, e.Width, "", fmt.Sprintf("%s %s %s", r.Alert.ID, r.Alert.State, r.Alert.Headline))
	fmt.Fprintln(w)
	events := terminal.NewTable("TIME", ">AFTER", "WHAT", "WHO AND WHY")
	for _, v := range r.Events {
		what := happened[v.What]
		if v.MsgType != "" {
			what = v.MsgType + " " + what
		}
		if v.Alone {
			what += ", by a node that was alone"
		}
		events.Add(terminal.Clock(v.At), after(r.Begun, v.At), what, reasons(v))
	}
	events.Write(w, e.Width)
	fmt.Fprintln(w)
	reached := terminal.NewTable("WHERE", "KIND", ">PRESENTED", ">HALF", ">90 %", ">95 %", ">LAST")
	line := func(where, kind string, s wire.Spread) {
		reached.Add(where, kind, terminal.Thousands(s.Count)+"/"+terminal.Thousands(s.Of), after(r.Begun, s.Half), after(r.Begun, s.Ninety), after(r.Begun, s.NinetyFive), after(r.Begun, s.Last))
	}
	line("all", "", r.Reached)
	for _, k := range r.Kinds {
		line("all", k.Kind, k.Reached)
	}
	for _, g := range r.Groups {
		line(g.Place, g.Kind, g.Reached)
	}
	reached.Write(w, e.Width)
	if r.Stopped != nil {
		fmt.Fprintf(w, "\n%s of %s that presented it told that they show it no more; the last %s after the beginning.\n",
			terminal.Thousands(r.Stopped.Count), terminal.Thousands(r.Stopped.Of), after(r.Begun, r.Stopped.Last))
	}
	if n := r.Reached.NodeClock; n > 0 {
		fmt.Fprintf(w, "Of %s the device's own time cannot be, and the time is when a node took it down.\n", terminal.Thousands(n))
	}
	reportLists(e, w, r)
	countNotes(w, r.Alert.CountsFrom, r.RoundedTo)
}

func reportLists(e *command.Env, w io.Writer, r wire.Report) {
	for _, list := range []struct {
		says string
		rows []wire.ReportRow
	}{{"Slowest:", r.Slowest}, {fmt.Sprintf("Dark, %s in all:", terminal.Thousands(r.DarkTotal)), r.Dark}} {
		if len(list.rows) == 0 {
			continue
		}
		fmt.Fprintln(w, "\n"+list.says)
		t := terminal.NewTable("MEMBER", "KIND", "PLACE", ">AFTER")
		for _, m := range list.rows {
			t.Add(m.Member, m.Kind, m.Place, after(r.Begun, m.At))
		}
		t.Write(w, e.Width)
	}
	if len(r.Answers) > 0 {
		fmt.Fprintln(w, "\nAnswers:")
		t := terminal.NewTable(">COUNT", "ANSWER")
		for _, a := range r.Answers {
			t.Add(terminal.Thousands(a.Count), a.Name)
		}
		t.Write(w, e.Width)
	}
}

func reasons(v wire.ReportEvent) string {
	switch {
	case v.By != "" && v.Reason != "":
		return v.By + ": " + v.Reason
	case v.By != "" && v.Headline != "":
		return v.By + ": " + v.Headline
	}
	return v.By + v.Reason
}

// after is how long after the beginning something was: seconds up to two minutes, to the tenth.
func after(begun, at time.Time) string {
	switch d := at.Sub(begun); {
	case at.IsZero():
		return "-"
	case d < 2*time.Minute:
		return strconv.FormatFloat(d.Seconds(), 'f', 1, 64) + " s"
	default:
		return terminal.Lasted(d)
	}
}
