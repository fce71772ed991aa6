// Package tables writes answers of the API for people where several groups of commands write
// them alike, or where it has to be said what is not known: which devices are connected, and why
// members were not reached.
package tables

import (
	"cmp"
	"fmt"
	"io"
	"slices"

	"almenara/node/cli/terminal"
	"almenara/node/wire"
)

// printCounts writes the tables by kind and place. Of many places it shows the largest, and
// how many members are in the others.
func Counts(w io.Writer, width int, counts wire.Counts) {
	t := terminal.NewTable(">MEMBERS", "KIND")
	for _, line := range counts.ByKind {
		t.Add(terminal.Thousands(line.Count), line.Name)
	}
	if len(t.Rows) > 0 {
		t.Write(w, width)
	}
	t = terminal.NewTable(">MEMBERS", "<PLACE")
	shown, others := largest(counts.ByPlace, MostLines)
	for _, line := range shown {
		t.Add(terminal.Thousands(line.Count), line.Name)
	}
	if others.Count > 0 {
		t.Add(terminal.Thousands(others.Count), others.Name)
	}
	if len(t.Rows) > 0 {
		fmt.Fprintln(w)
		t.Write(w, width)
	}
}

// largest keeps the most lines with the largest counts, in their order, and sums up
// the others; their count is 0 when there are none.
func largest(lines []wire.Count, most int) (shown []wire.Count, others wire.Count) {
	if len(lines) <= most {
		return lines, others
	}
	order := slices.Clone(lines)
	slices.SortStableFunc(order, func(a, b wire.Count) int { return cmp.Compare(b.Count, a.Count) })
	rest := map[string]bool{}
	for _, line := range order[most:] {
		rest[line.Name] = true
		others.Count += line.Count
	}
	others.Name = "in " + terminal.Plural(len(rest), "smaller place")
	return slices.DeleteFunc(slices.Clone(lines), func(c wire.Count) bool { return rest[c.Name] }), others
}

// MostLines is how many lines of a long list people get to see; JSON has all.
const MostLines = 20

// Labelled is the headline; what is not Actual says so first.
func Labelled(a wire.Alert) string {
	if len(a.Duplicates) > 0 {
		a.Headline = "(possible duplicate) " + a.Headline
	}
	switch {
	case ChangeWaits(a):
		a.Headline = "(a change waits) " + a.Headline
	case len(a.Changes) > 0:
		a.Headline = "(a change) " + a.Headline
	}
	if a.Status == "Actual" || a.Status == "" {
		return a.Headline
	}
	return "[" + a.Status + "] " + a.Headline
}

// ChangeWaits reports whether a change of what devices show waits for approval.
func ChangeWaits(a wire.Alert) bool { return a.Waiting > 0 && a.State != wire.StatePending }

// RungColumns are the columns of GroupRows.
var RungColumns = []string{">ADDRESSED", ">DELIVERED", ">PRESENTED", ">ACKNOWLEDGED", "KIND", "<PLACE"}

// GroupRows adds how far an alert got, a row for each kind in a block.
func GroupRows(t *terminal.Table, groups []wire.GroupRow) {
	for _, g := range groups {
		if g.Kind == "" && g.Place == "" {
			g.Kind, g.Place = "-", "removed since"
		}
		t.Add(terminal.Thousands(g.Rungs.Queued), terminal.Thousands(g.Rungs.Delivered), terminal.Thousands(g.Rungs.Presented), terminal.Thousands(g.Rungs.Acknowledged),
			g.Kind, g.Place)
	}
}

// Joined says how many members came into the audience later.
func Joined(n uint64) string {
	if n == 0 {
		return ""
	}
	return terminal.Thousands(n) + " joined later"
}
