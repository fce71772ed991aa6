package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"almenara/node/client"
	"almenara/node/wire"
)

func audienceCommands() []command {
	return []command{
		{
			name: "audience import", purpose: "import members from a CSV file: all rows or none", args: "FILE", min: 1, max: 1,
			setup: audienceImport, example: "almenara audience import --dry-run residents.csv\nalmenara audience import residents.csv",
		},
		{
			name: "audience select", purpose: "count a selection and list its first members", args: "SELECTION", min: 1, max: 1,
			setup: audienceSelect, example: "almenara audience select 'place under tuen-mun and not kind = speaker'",
		},
		{
			name: "audience list", purpose: "list members", setup: audienceList,
			example: "almenara audience list --place tuen-mun/on-ting --limit 100",
		},
	}
}

func audienceImport(fs *pflag.FlagSet) runner {
	var in client.Import
	fs.BoolVar(&in.DryRun, "dry-run", false, "say what would change, change nothing")
	fs.BoolVar(&in.Replace, "replace", false, "remove the members that the file does not hold")
	return func(ctx context.Context, e *env, args []string) error {
		c, err := e.client()
		if err != nil {
			return err
		}
		defer c.Close()
		file, size, err := e.openFile(args[0])
		if err != nil {
			return err
		}
		defer file.Close()
		bar := e.newBar()
		in.CSV, in.Size = file, size
		in.Progress = func(p wire.Progress) { bar.tell(importProgress(p)) }
		done, err := c.Import(ctx, in)
		bar.end()
		if err != nil {
			return err
		}
		return e.imported(done)
	}
}

// importProgress is how far an import is, for people.
func importProgress(p wire.Progress) Progress {
	switch p.Phase {
	case wire.PhaseUploading:
		return Progress{Done: p.Done >> 10, Total: p.Total >> 10, Text: "kB, uploading"}
	case wire.PhaseRemoving:
		return Progress{Done: p.Done, Total: p.Total, Text: "members removed that the file does not hold"}
	}
	return Progress{Done: p.Done, Total: p.Total, Text: "rows, " + clean(p.Phase)}
}

// imported prints the report and, at its end, one sentence that says what happened.
// Faults mean that nothing was applied.
func (e *env) imported(in wire.Imported) error {
	said := importSentence(in)
	err := e.print(in, func(w io.Writer) {
		fmt.Fprintf(w, "%s (%s, %s).\n", plural(in.Rows, "row"), clean(in.Format), clean(in.Encoding))
		firstLines(w, "Change", in.Diff, max(len(in.Diff), in.Added+in.Changed+in.Removed))
		firstLines(w, "Warning", in.Warnings, len(in.Warnings))
		for _, line := range in.Faults { // all: each of them must be put right
			fmt.Fprintf(w, "Fault: %s\n", clean(line))
		}
		fmt.Fprintln(w, said)
	})
	switch failed := len(in.Faults) > 0 || (!in.DryRun && !in.Applied); {
	case err != nil || !failed:
		return err
	case e.global.json:
		return errors.New(strings.TrimSuffix(strings.ToLower(said[:1])+said[1:], "."))
	}
	return errReported
}

// importSentence says what became of an import.
func importSentence(in wire.Imported) string {
	counts := fmt.Sprintf("%s added, %s changed, %s removed, %s unchanged.",
		thousands(in.Added), thousands(in.Changed), thousands(in.Removed), thousands(in.Unchanged))
	switch {
	case len(in.Faults) > 0:
		return "Nothing was changed: " + plural(max(in.FaultCount, len(in.Faults)), "fault") + "."
	case in.DryRun:
		return "It would be: " + counts + "\nThis was a dry run; nothing was changed."
	case !in.Applied:
		return "Nothing was changed."
	}
	return "Imported: " + counts
}

// firstLines writes the first of so many lines, and how many are left out.
func firstLines(w io.Writer, name string, lines []string, total int) {
	for _, line := range lines[:min(len(lines), mostLines)] {
		fmt.Fprintf(w, "%s: %s\n", name, clean(line))
	}
	if shown := min(len(lines), mostLines); shown > 0 && shown < total {
		fmt.Fprintf(w, "… and %s more\n", thousands(total-shown))
	}
}

func audienceSelect(fs *pflag.FlagSet) runner {
	limit := fs.Int("limit", 20, "the most members to list; 0 lists none")
	after := fs.String("after", "", "list the members behind this id")
	return func(ctx context.Context, e *env, args []string) error {
		return e.selectMembers(ctx, args[0], *after, *limit, true)
	}
}

func audienceList(fs *pflag.FlagSet) runner {
	place := fs.String("place", "", "only under this place")
	limit := fs.Int("limit", 100, "the most members to list")
	after := fs.String("after", "", "list the members behind this id")
	return func(ctx context.Context, e *env, _ []string) error {
		expression := "all"
		if *place != "" {
			expression = "place under " + *place
		}
		return e.selectMembers(ctx, expression, *after, *limit, false)
	}
}

func (e *env) selectMembers(ctx context.Context, expression, after string, limit int, counts bool) error {
	c, err := e.client()
	if err != nil {
		return err
	}
	defer c.Close()
	selected, err := c.Select(ctx, expression, after, max(limit, 1))
	if err != nil {
		return err
	}
	if limit == 0 {
		selected.Members, selected.Next = nil, ""
	}
	return e.print(selected, func(w io.Writer) {
		if counts {
			fmt.Fprintf(w, "%s selects %s.\n\n", clean(selected.Expression), plural(selected.Counts.Total, "member"))
			e.counts(w, selected.Counts)
		}
		e.members(w, selected, counts)
	})
}

// mostLines is how many lines of a long list people get to see; JSON has all.
const mostLines = 20

// counts writes the tables by kind and place. Of many places it shows the largest, and
// how many members are in the others.
func (e *env) counts(w io.Writer, counts wire.Counts) {
	t := newTable(">MEMBERS", "KIND")
	for _, line := range counts.ByKind {
		t.add(thousands(line.Count), line.Name)
	}
	if len(t.rows) > 0 {
		t.write(w, e.Width)
	}
	t = newTable(">MEMBERS", "<PLACE")
	shown, others := largest(counts.ByPlace, mostLines)
	for _, line := range shown {
		t.add(thousands(line.Count), line.Name)
	}
	if others.Count > 0 {
		t.add(thousands(others.Count), others.Name)
	}
	if len(t.rows) > 0 {
		fmt.Fprintln(w)
		t.write(w, e.Width)
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
	others.Name = "in " + plural(len(rest), "smaller place")
	return slices.DeleteFunc(slices.Clone(lines), func(c wire.Count) bool { return rest[c.Name] }), others
}

func (e *env) members(w io.Writer, selected wire.Selected, gap bool) {
	if len(selected.Members) == 0 {
		return
	}
	if gap {
		fmt.Fprintln(w)
	}
	t := newTable("MEMBER", "KIND", "<PLACE", "NAME")
	for _, m := range selected.Members {
		t.add(m.ID, m.Kind, m.Place, m.Name)
	}
	t.write(w, e.Width)
	if selected.Next != "" {
		fmt.Fprintf(w, "%s in all; --after %s shows more.\n", plural(selected.Counts.Total, "member"), clean(selected.Next))
	}
}
