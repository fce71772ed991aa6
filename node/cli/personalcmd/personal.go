// Package personalcmd is the commands about what is known of persons: erasing it, and how long it is kept.
package personalcmd

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/pflag"

	"almenara/node/cli/command"
	"almenara/node/cli/terminal"
	"almenara/node/client"
	"almenara/node/wire/personal"
)

// Commands are those of this package, in the order of the overview.
func Commands() []command.Command {
	return []command.Command{
		{
			Name: "person show", Purpose: "show what erasing a person would take away", Args: "MEMBER", Min: 1, Max: 1, Setup: show,
			Example: "almenara person show r-0001",
		},
		{
			Name: "person erase", Purpose: "erase a person for good", Args: "MEMBER", Min: 1, Max: 1, Setup: erase,
			Example: "almenara person erase r-0001 --word \"letter of 3 May\" --yes",
			More: "The member goes with name, addresses, devices and reports, and words about it in notes and on the audit; a pseudonym that nothing leads back from takes its place. Counts of past alerts stay. Nobody can take it back.\n" +
				"What stays: words that somebody wrote into an alert itself; what users of the console did, by their names; backups and exports that were made before, which you delete yourself; and files of nodes that are switched off, until they run again. Nodes that run write their files anew within a day: person erased says which have.\n" +
				"A file of members that still has the person brings them back when it is imported: take them out of it first.",
		},
		{
			Name: "person erased", Purpose: "list who was erased, and how far that has come", Setup: erased,
			Example: "almenara person erased",
		},
		{
			Name: "retention show", Purpose: "show how long what is known of people is kept", Setup: retention,
			Example: "almenara retention show",
		},
		{
			Name: "retention set", Purpose: "set how long what is known of people is kept", Setup: setRetention,
			Example: "almenara retention set --positions 14 --reports 13 --residents 13",
			More:    "It holds from the midnight (UTC) after it was set on, and is carried out once a day, on every node alike. Where nobody has set it, the defaults hold from 30 days after all nodes understand it. Alerts, receipts, counts and the audit are always kept. What is not named stays as it is.",
		},
	}
}

func show(*pflag.FlagSet) command.Runner {
	return command.WithClient(func(ctx context.Context, e *command.Env, c *client.Client, args []string) error {
		p, err := c.ShowPerson(ctx, args[0])
		if err != nil {
			return err
		}
		return e.Print(p, func(w io.Writer) { write(w, p) })
	})
}

func write(w io.Writer, p personal.Person) {
	row := func(name, value string) {
		if value != "" {
			fmt.Fprintf(w, "%-8s %s\n", name, terminal.Clean(value))
		}
	}
	row("Member", p.Member)
	row("Name", p.Name)
	row("Kind", p.Kind)
	row("Place", p.Place)
	if p.Removed {
		row("State", "removed; what was recorded of it is still there")
	}
	row("Devices", strings.Join(p.Devices, ", "))
	row("Reports", fmt.Sprint(p.Reports))
	row("Notes", fmt.Sprint(p.Notes))
}

func erase(fs *pflag.FlagSet) command.Runner {
	word := fs.String("word", "", "on whose word, for the audit, without the person's name")
	yes := fs.Bool("yes", false, "erase; without it what would go is shown, and nothing happens")
	return command.WithClient(func(ctx context.Context, e *command.Env, c *client.Client, args []string) error {
		if !*yes {
			p, err := c.ShowPerson(ctx, args[0])
			if err != nil {
				return err
			}
			return e.Print(p, func(w io.Writer) {
				write(w, p)
				fmt.Fprintln(w, "Nothing was erased. To erase all of this for good, add --yes and --word.")
			})
		}
		x, err := c.ErasePerson(ctx, args[0], *word)
		if err != nil {
			return err
		}
		return e.Print(x, func(w io.Writer) {
			fmt.Fprintf(w, "Erased. %s takes the place of the member: %d devices, %d records, %d lines of the audit.\n", x.Pseudonym, x.Devices, x.Records, x.Lines)
			if !x.Agreed {
				fmt.Fprintln(w, "What was recorded is still being searched: almenara person erased says when that is done.")
			}
			fmt.Fprintln(w, "Delete backups and exports that were made before.")
		})
	})
}

func erased(*pflag.FlagSet) command.Runner {
	return command.WithClient(func(ctx context.Context, e *command.Env, c *client.Client, _ []string) error {
		all, err := c.ListErasures(ctx)
		if err != nil {
			return err
		}
		return e.Print(all, func(w io.Writer) {
			if len(all.Erasures) == 0 {
				fmt.Fprintln(w, "Nobody was erased.")
			}
			for _, x := range all.Erasures {
				fmt.Fprintf(w, "%s  %s  by %s\n  %s; %s\n", x.Pseudonym, terminal.Clock(x.At), terminal.Clean(x.By), state(x), terminal.Clean(x.Word))
			}
		})
	})
}

func state(x personal.Erasure) string {
	switch {
	case !x.Agreed:
		return "what was recorded is being searched"
	case x.Waits:
		return "erased; this node's files are written anew once the emergency is over, or 72 hours after this"
	case !x.Files:
		return "erased; this node's files are still to be written anew"
	}
	return "erased, also from this node's files"
}

func retention(*pflag.FlagSet) command.Runner {
	return command.WithClient(func(ctx context.Context, e *command.Env, c *client.Client, _ []string) error {
		kept, err := c.ShowRetention(ctx)
		if err != nil {
			return err
		}
		return e.Print(kept, func(w io.Writer) { writeKept(w, kept) })
	})
}

func writeKept(w io.Writer, kept personal.Kept) {
	r := kept.Retention
	fmt.Fprintf(w, "Positions are kept for %d days, reports for %d months, notes at who was told for %d months,\nwords and photos of residents for %d months, planned notices that are over for %d months.\n",
		r.PositionDays, r.ReportMonths, r.NoteMonths, r.ResidentMonths, r.NoticeMonths)
	for _, next := range kept.Next {
		more := ""
		if next.More {
			more = " or more"
		}
		fmt.Fprintf(w, "%-14s next from %s: %d%s from before %s; %d removed so far\n", strings.ReplaceAll(next.What, "_", " "), terminal.Clock(next.On), next.Due, more, next.Before.Format("2006-01-02"), next.Removed)
	}
}

func setRetention(fs *pflag.FlagSet) command.Runner {
	days := fs.Uint32("positions", 0, "days for which positions of responders are kept; at least 1")
	reports := fs.Uint32("reports", 0, "months for which what people reported is kept, with photos; at least 1")
	notes := fs.Uint32("notes", 0, "months for which notes at who was told in person are kept; at least 1")
	residents := fs.Uint32("residents", 0, "months for which words and photos of residents are kept; at least 1")
	notices := fs.Uint32("notices", 0, "months for which planned notices are kept that are over; at least 12")
	return command.WithClient(func(ctx context.Context, e *command.Env, c *client.Client, _ []string) error {
		was, err := c.ShowRetention(ctx)
		if err != nil {
			return err
		}
		in := was.Retention
		for _, one := range []struct{ into, said *uint32 }{{&in.PositionDays, days}, {&in.ReportMonths, reports}, {&in.NoteMonths, notes}, {&in.ResidentMonths, residents}, {&in.NoticeMonths, notices}} {
			if *one.said > 0 {
				*one.into = *one.said
			}
		}
		kept, err := c.PutRetention(ctx, in)
		if err != nil {
			return err
		}
		return e.Print(kept, func(w io.Writer) { writeKept(w, kept) })
	})
}
