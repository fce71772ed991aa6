package cli

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"almenara/node/client"
	"almenara/node/wire"
)

// splits prints what was done while nodes were without a majority.
func (e *env) splits(ctx context.Context, c *client.Client) error {
	report, err := c.Splits(ctx, 0)
	if err != nil {
		return err
	}
	return e.print(report, func(w io.Writer) {
		if len(report) == 0 {
			fmt.Fprintln(w, "No node has been without a majority for 3 seconds or longer, as far as is on record.")
			return
		}
		for i, s := range report {
			if i > 0 {
				fmt.Fprintln(w)
			}
			e.split(w, s)
		}
	})
}

// split is one split: who could reach whom, then every alert in the order of time.
func (e *env) split(w io.Writer, s wire.Split) {
	fmt.Fprintf(w, "Split from %s to %s, %s\n", clock(s.From), timeOn(s.To, s.From), lasted(s.To.Sub(s.From)))
	for _, half := range s.Halves {
		label := "Without majority: "
		if half.Majority {
			label = "Majority or off:  "
		}
		e.wrapped(w, "  "+label, strings.Join(half.Nodes, ", "))
	}
	for _, n := range s.Nodes {
		e.wrapped(w, "  ", aloneSentence(n))
	}
	switch {
	case len(s.Alerts) == 0:
		fmt.Fprintln(w, "  Nothing was sent meanwhile.")
	case s.LateReceipts > 0:
		fmt.Fprintf(w, "  %s receipts came in late and are counted.\n", thousands(uint64(s.LateReceipts)))
	}
	for _, a := range s.Alerts {
		fmt.Fprintln(w)
		e.splitAlert(w, a)
	}
}

func aloneSentence(n wire.SplitNode) string {
	name := or(n.Name, n.Node)
	span := fmt.Sprintf("%s to %s", clockTime(n.From), clockTime(n.To))
	switch n.Why {
	case "ended":
		return fmt.Sprintf("%s was alone when it stopped: %s, when it came up again.", name, span)
	case "starting":
		return fmt.Sprintf("%s came up and found no majority: %s.", name, span)
	}
	return fmt.Sprintf("%s was without a majority: %s.", name, span)
}

// splitAlert is one message: what, by whom, where it was told, and what is odd.
func (e *env) splitAlert(w io.Writer, a wire.SplitAlert) {
	what := a.MsgType
	if a.Status != "Actual" {
		what = a.Status + " " + what
	}
	const indent = "            "
	e.wrapped(w, fmt.Sprintf("  %s  ", clockTime(a.Issued)), fmt.Sprintf("%s: %s", what, or(a.Headline, "no headline")))
	where := "at " + a.Node
	if a.Alone {
		where += ", which was without a majority"
	}
	by := fmt.Sprintf("by %s %s, under policy %d", a.Author, where, a.Policy)
	if a.Reason != "" {
		by += fmt.Sprintf(", because %q", a.Reason)
	}
	e.wrapped(w, indent, by)
	if a.Scenario != "" {
		e.wrapped(w, indent, "scenario "+a.Scenario+incidentOf(a))
	}
	if a.Licence != "" {
		e.wrapped(w, indent, fmt.Sprintf("under licence %s in %s", a.Licence, a.Within))
	}
	for _, by := range a.Approved {
		e.wrapped(w, indent, approvalSentence(by))
	}
	e.wrapped(w, indent, "alert "+a.Alert)
	for _, t := range a.Told {
		late := ""
		if t.Late {
			late = ", late"
		}
		e.wrapped(w, indent, fmt.Sprintf("%s  %s told %s devices%s", clockTime(t.At), t.Node, thousands(uint64(t.Devices)), late))
	}
	if a.Receipts > 0 {
		e.wrapped(w, indent, thousands(uint64(a.Receipts))+" receipts came in late")
	}
	for _, note := range a.Notes {
		e.wrapped(w, "          ! ", note)
	}
}

func incidentOf(a wire.SplitAlert) string {
	if a.Incident == "" {
		return ""
	}
	return ", incident " + a.Incident
}

func approvalSentence(a wire.SplitApproval) string {
	text := fmt.Sprintf("%s  approved by %s at %s", clockTime(a.At), a.By, a.Node)
	if a.Alone {
		text += ", which was without a majority"
	}
	if a.Reason != "" {
		text += fmt.Sprintf(", because %q", a.Reason)
	}
	return text
}

// wrapped prints text behind a first indent, broken between words where the width
// ends; a word that is longer stays whole.
func (e *env) wrapped(w io.Writer, first, text string) {
	line, rest := first, strings.Repeat(" ", columnsOf(first))
	begun := false
	for _, word := range strings.Fields(clean(text)) {
		if begun && columnsOf(line)+1+columnsOf(word) > e.Width {
			fmt.Fprintln(w, line)
			line, begun = rest, false
		}
		if begun {
			line += " "
		}
		line, begun = line+word, true
	}
	fmt.Fprintln(w, line)
}

func clockTime(t time.Time) string { return t.Local().Format(time.TimeOnly) }

// timeOn is a time, with its day where that is another one.
func timeOn(t, day time.Time) string {
	if t.Local().Format(time.DateOnly) == day.Local().Format(time.DateOnly) {
		return clockTime(t)
	}
	return clock(t)
}

func lasted(d time.Duration) string {
	d = d.Round(time.Second)
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%d s", int(d.Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%d min %d s", int(d.Minutes()), int(d.Seconds())%60)
	}
	return fmt.Sprintf("%d h %d min", int(d.Hours()), int(d.Minutes())%60)
}
