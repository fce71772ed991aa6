package nodecmd

import (
	"context"
	"fmt"
	"io"
	"strings"

	"almenara/node/cli/command"
	"almenara/node/cli/terminal"
	"almenara/node/client"
	"almenara/node/wire/splits"
)

// showSplits prints what was done while nodes were without a majority.
func showSplits(ctx context.Context, e *command.Env, c *client.Client) error {
	report, err := c.Splits(ctx, 0)
	if err != nil {
		return err
	}
	return e.Print(report, func(w io.Writer) {
		if len(report) == 0 {
			fmt.Fprintln(w, "No node has been without a majority for 3 seconds or longer, as far as is on record.")
			return
		}
		for i, s := range report {
			if i > 0 {
				fmt.Fprintln(w)
			}
			split(e, w, s)
		}
	})
}

// split is one split: who could reach whom, then every alert in the order of time.
func split(e *command.Env, w io.Writer, s splits.Split) {
	fmt.Fprintf(w, "Split from %s to %s, %s\n", terminal.Clock(s.From), terminal.TimeOn(s.To, s.From), terminal.Lasted(s.To.Sub(s.From)))
	for _, half := range s.Halves {
		label := "Without majority: "
		if half.Majority {
			label = "Majority or off:  "
		}
		terminal.Wrapped(w, e.Width, "  "+label, strings.Join(half.Nodes, ", "))
	}
	for _, n := range s.Nodes {
		terminal.Wrapped(w, e.Width, "  ", aloneSentence(n))
	}
	switch {
	case len(s.Alerts) == 0:
		fmt.Fprintln(w, "  Nothing was sent meanwhile.")
	case s.LateReceipts > 0:
		fmt.Fprintf(w, "  %s receipts came in late and are counted.\n", terminal.Thousands(uint64(s.LateReceipts)))
	}
	for _, a := range s.Alerts {
		fmt.Fprintln(w)
		splitAlert(e, w, a)
	}
}

func aloneSentence(n splits.SplitNode) string {
	name := command.Or(n.Name, n.Node)
	span := fmt.Sprintf("%s to %s", terminal.ClockTime(n.From), terminal.ClockTime(n.To))
	switch n.Why {
	case "ended":
		return fmt.Sprintf("%s was alone when it stopped: %s, when it came up again.", name, span)
	case "starting":
		return fmt.Sprintf("%s came up and found no majority: %s.", name, span)
	}
	return fmt.Sprintf("%s was without a majority: %s.", name, span)
}

// splitAlert is one message: what, by whom, where it was told, and what is odd.
func splitAlert(e *command.Env, w io.Writer, a splits.SplitAlert) {
	what := a.MsgType
	if a.Status != "Actual" {
		what = a.Status + " " + what
	}
	const indent = "            "
	terminal.Wrapped(w, e.Width, fmt.Sprintf("  %s  ", terminal.ClockTime(a.Issued)), fmt.Sprintf("%s: %s", what, command.Or(a.Headline, "no headline")))
	where := "at " + a.Node
	if a.Alone {
		where += ", which was without a majority"
	}
	by := fmt.Sprintf("by %s %s, under policy %d", a.Author, where, a.Policy)
	if a.Reason != "" {
		by += fmt.Sprintf(", because %q", a.Reason)
	}
	terminal.Wrapped(w, e.Width, indent, by)
	if a.Scenario != "" {
		terminal.Wrapped(w, e.Width, indent, "scenario "+a.Scenario+incidentOf(a))
	}
	if a.Licence != "" {
		terminal.Wrapped(w, e.Width, indent, fmt.Sprintf("under licence %s in %s", a.Licence, a.Within))
	}
	for _, by := range a.Approved {
		terminal.Wrapped(w, e.Width, indent, approvalSentence(by))
	}
	of := "alert "
	if a.MsgType == "Cancel" {
		of = "ends alert "
	}
	terminal.Wrapped(w, e.Width, indent, of+a.Alert)
	for _, t := range a.Told {
		late := ""
		if t.Late {
			late = ", late"
		}
		terminal.Wrapped(w, e.Width, indent, fmt.Sprintf("%s  %s told %s%s", terminal.ClockTime(t.At), t.Node, rounded(uint64(t.Devices), a.RoundedTo, "devices"), late))
	}
	if a.Receipts > 0 {
		terminal.Wrapped(w, e.Width, indent, rounded(uint64(a.Receipts), a.RoundedTo, "receipts")+" came in late")
	}
	for _, note := range a.Notes {
		terminal.Wrapped(w, e.Width, "          ! ", note)
	}
}

// rounded writes a count that may be rounded down.
func rounded(n, to uint64, noun string) string {
	switch {
	case to == 0:
		return terminal.Thousands(n) + " " + noun
	case n == 0:
		return fmt.Sprintf("fewer than %d %s", to, noun)
	}
	return "at least " + terminal.Thousands(n) + " " + noun
}

func incidentOf(a splits.SplitAlert) string {
	if a.Incident == "" {
		return ""
	}
	return ", incident " + a.Incident
}

func approvalSentence(a splits.SplitApproval) string {
	text := fmt.Sprintf("%s  approved by %s at %s", terminal.ClockTime(a.At), a.By, a.Node)
	if a.Alone {
		text += ", which was without a majority"
	}
	if a.Reason != "" {
		text += fmt.Sprintf(", because %q", a.Reason)
	}
	return text
}
