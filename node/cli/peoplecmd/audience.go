// Package peoplecmd is the commands about whom alerts reach and who may send them: members,
// devices, users, scenarios, licences and the policy.
package peoplecmd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"almenara/node/cli/command"
	"almenara/node/cli/inprocess"
	"almenara/node/cli/tables"
	"almenara/node/cli/terminal"
	"almenara/node/client"
	"almenara/node/wire"
)

// Commands are those of this package, in the order of the overview.
func Commands() []command.Command {
	return slices.Concat(authorityCommands(), audienceCommands(), deviceCommands(), abilityCommands(), userCommands())
}

func audienceCommands() []command.Command {
	return []command.Command{
		{
			Name: "audience import", Purpose: "import members from a CSV file: all rows or none", Args: "FILE", Min: 1, Max: 1,
			Setup: audienceImport, Example: "almenara audience import --dry-run residents.csv\nalmenara audience import residents.csv",
			More: "The first line names the columns, in any order: id, kind and place, and where they are known name, tags (risk=high;floor=3), languages (zh-HK;en), lat, lon and endpoints (mqtt:lift-0042;sms:+85291234567). " +
				"A kind is person, screen, speaker, sign, siren, kiosk or phone; a place is its path, such as tuen-mun/on-ting/on-lai. Places need not be made before. " +
				"A row stands for the whole member: what it does not have is taken away. Registers of residents and lists of lift screens with columns of their own are known, too; a first line that is not understood is refused with all that are.",
		},
		{
			Name: "audience select", Purpose: "count a selection and list its first members", Args: "SELECTION", Min: 1, Max: 1,
			Setup: audienceSelect, Example: "almenara audience select 'place under tuen-mun and not kind = speaker'",
		},
		{
			Name: "audience list", Purpose: "list members", Setup: audienceList,
			Example: "almenara audience list --place tuen-mun/on-ting --limit 100",
		},
		{
			Name: "audience remove", Purpose: "remove single members", Args: "ID…", Min: 1, Max: -1, Setup: audienceRemove,
			More:    "Devices that are enrolled for a member are reached by no alert without it: they are named, and the member stays, unless --yes says that it is meant.",
			Example: "almenara audience remove r-0815",
		},
	}
}

func audienceImport(fs *pflag.FlagSet) command.Runner {
	var in client.Import
	fs.BoolVar(&in.DryRun, "dry-run", false, "say what would change, change nothing")
	fs.BoolVar(&in.Replace, "replace", false, "remove the members that the file does not hold")
	fs.BoolVar(&in.Yes, "yes", false, "with --replace: also members that devices are enrolled for")
	return func(ctx context.Context, e *command.Env, args []string) error {
		c, err := e.Client()
		if err != nil {
			return err
		}
		defer c.Close()
		file, size, err := e.OpenFile(args[0])
		if err != nil {
			return err
		}
		defer file.Close()
		bar := command.NewBar(e)
		in.CSV, in.Size = file, size
		in.Progress = func(p wire.Progress) { bar.Tell(importProgress(p)) }
		done, err := c.Import(ctx, in)
		bar.End()
		if err != nil {
			return err
		}
		return imported(e, done)
	}
}

// importProgress is how far an import is, for people.
func importProgress(p wire.Progress) inprocess.Progress {
	switch p.Phase {
	case wire.PhaseUploading:
		return inprocess.Progress{Done: p.Done >> 10, Total: p.Total >> 10, Text: "kB, uploading"}
	case wire.PhaseRemoving:
		return inprocess.Progress{Done: p.Done, Total: p.Total, Text: "members removed that the file does not hold"}
	}
	return inprocess.Progress{Done: p.Done, Total: p.Total, Text: "rows, " + terminal.Clean(p.Phase)}
}

// imported prints the report and, at its end, one sentence that says what happened.
// Faults mean that nothing was applied.
func imported(e *command.Env, in wire.Imported) error {
	said := importSentence(in)
	err := e.Print(in, func(w io.Writer) {
		fmt.Fprintf(w, "%s (%s, %s).\n", terminal.Plural(in.Rows, "row"), terminal.Clean(in.Format), terminal.Clean(in.Encoding))
		if in.Normalized > 0 {
			fmt.Fprintf(w, "%s brought to the form that selections compare (full width, invisible characters, accents, upper case).\n", terminal.Plural(in.Normalized, "value"))
		}
		if in.Orphaned > 0 {
			fmt.Fprintf(w, "Warning: %s without their members, whom no alert reaches then: %s\n", terminal.Plural(in.Orphaned, "device"), terminal.Clean(firstOf(in.OrphanedFirst, in.Orphaned)))
		}
		firstLines(w, "Change", in.Diff.Texts(), max(len(in.Diff), in.Added+in.Changed+in.Removed))
		firstLines(w, "Warning", in.Warnings.Texts(), len(in.Warnings))
		for _, line := range in.Faults.Texts() { // all: each of them must be put right
			fmt.Fprintf(w, "Fault: %s\n", terminal.Clean(line))
		}
		fmt.Fprintln(w, said)
	})
	switch failed := len(in.Faults) > 0 || (!in.DryRun && !in.Applied); {
	case err != nil || !failed:
		return err
	case e.JSON():
		return errors.New(strings.TrimSuffix(strings.ToLower(said[:1])+said[1:], "."))
	}
	return command.ErrReported
}

// firstOf lists some of so many ids.
func firstOf(ids []string, total int) string {
	text := strings.Join(ids, ", ")
	if total > len(ids) {
		text += ", …"
	}
	return text
}

// importSentence says what became of an import.
func importSentence(in wire.Imported) string {
	counts := fmt.Sprintf("%s added, %s changed, %s removed, %s unchanged.",
		terminal.Thousands(in.Added), terminal.Thousands(in.Changed), terminal.Thousands(in.Removed), terminal.Thousands(in.Unchanged))
	switch {
	case len(in.Faults) > 0:
		return "Nothing was changed: " + terminal.Plural(max(in.FaultCount, len(in.Faults)), "fault") + "."
	case in.DryRun:
		return "It would be: " + counts + "\nThis was a dry run; nothing was changed."
	case !in.Applied:
		return "Nothing was changed."
	}
	return "Imported: " + counts
}

// firstLines writes the first of so many lines, and how many are left out.
func firstLines(w io.Writer, name string, lines []string, total int) {
	for _, line := range lines[:min(len(lines), tables.MostLines)] {
		fmt.Fprintf(w, "%s: %s\n", name, terminal.Clean(line))
	}
	if shown := min(len(lines), tables.MostLines); shown > 0 && shown < total {
		fmt.Fprintf(w, "… and %s more\n", terminal.Thousands(total-shown))
	}
}

func audienceSelect(fs *pflag.FlagSet) command.Runner {
	limit := fs.Int("limit", 20, "the most members to list; 0 lists none")
	after := fs.String("after", "", "list the members behind this id")
	return func(ctx context.Context, e *command.Env, args []string) error {
		return selectMembers(ctx, e, args[0], *after, *limit, true)
	}
}

func audienceList(fs *pflag.FlagSet) command.Runner {
	place := fs.String("place", "", "only under this place")
	limit := fs.Int("limit", 100, "the most members to list")
	after := fs.String("after", "", "list the members behind this id")
	return func(ctx context.Context, e *command.Env, _ []string) error {
		expression := "all"
		if *place != "" {
			expression = "place under " + *place
		}
		return selectMembers(ctx, e, expression, *after, *limit, false)
	}
}

func selectMembers(ctx context.Context, e *command.Env, expression, after string, limit int, counts bool) error {
	c, err := e.Client()
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
	return e.Print(selected, func(w io.Writer) {
		if counts {
			fmt.Fprintf(w, "%s selects %s.\n\n", terminal.Clean(selected.Expression), terminal.Plural(selected.Counts.Total, "member"))
			for _, nobody := range selected.Warnings {
				terminal.Wrapped(w, e.Width, "Warning: ", terminal.Clean(nobody.Text)+".")
			}
			tables.Counts(w, e.Width, selected.Counts)
			if selected.RoundedTo > 0 {
				fmt.Fprintf(w, "Every count is rounded down to a multiple of %d.\n", selected.RoundedTo)
			}
		}
		members(e, w, selected, counts)
	})
}

func members(e *command.Env, w io.Writer, selected wire.Selected, gap bool) {
	if len(selected.Members) == 0 {
		return
	}
	if gap {
		fmt.Fprintln(w)
	}
	t := terminal.NewTable("MEMBER", "KIND", "<PLACE", "NAME")
	for _, m := range selected.Members {
		t.Add(m.ID, m.Kind, m.Place, m.Name)
	}
	t.Write(w, e.Width)
	if selected.Next != "" {
		fmt.Fprintf(w, "%s in all; --after %s shows more.\n", terminal.Plural(selected.Counts.Total, "member"), terminal.Clean(selected.Next))
	}
}

func audienceRemove(fs *pflag.FlagSet) command.Runner {
	yes := fs.Bool("yes", false, "also members that devices are enrolled for")
	return command.WithClient(func(ctx context.Context, e *command.Env, c *client.Client, args []string) error {
		for _, id := range args {
			removed, err := c.RemoveMember(ctx, id, *yes)
			if err != nil {
				return err
			}
			err = e.Print(removed, func(w io.Writer) {
				fmt.Fprintf(w, "Member %s is removed.\n", terminal.Clean(removed.Member))
				if removed.Orphaned > 0 {
					fmt.Fprintf(w, "Warning: %s without it, whom no alert reaches now: %s\n",
						terminal.Plural(removed.Orphaned, "device"), terminal.Clean(firstOf(removed.OrphanedFirst, removed.Orphaned)))
				}
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
}
