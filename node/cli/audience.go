package cli

import (
	"context"
	"errors"
	"fmt"
	"io"

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
		in.Progress = func(p wire.Progress) { bar.tell(Progress{Done: p.Done, Total: p.Total, Text: p.Phase}) }
		done, err := c.Import(ctx, in)
		bar.end()
		if err != nil {
			return err
		}
		return e.imported(done)
	}
}

// imported prints the report; faults mean that nothing was applied.
func (e *env) imported(in wire.Imported) error {
	err := e.print(in, func(w io.Writer) {
		fmt.Fprintf(w, "%s (%s, %s): %s added, %s changed, %s removed, %s unchanged.\n", plural(in.Rows, "row"), in.Format, in.Encoding,
			thousands(in.Added), thousands(in.Changed), thousands(in.Removed), thousands(in.Unchanged))
		for _, part := range []struct {
			name  string
			lines []string
		}{{"Change", in.Diff}, {"Warning", in.Warnings}, {"Fault", in.Faults}} {
			for _, line := range part.lines {
				fmt.Fprintf(w, "%s: %s\n", part.name, clean(line))
			}
		}
	})
	switch {
	case err != nil:
		return err
	case len(in.Faults) > 0:
		return fmt.Errorf("nothing was imported: the file has %s", plural(len(in.Faults), "fault"))
	case !in.DryRun && !in.Applied:
		return errors.New("nothing was imported")
	case in.DryRun && !e.global.json:
		_, err = fmt.Fprintln(e.Out, "This was a dry run; nothing was changed.")
	}
	return writing(err)
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
