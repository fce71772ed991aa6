// Package reportcmd is the commands about what people report by their devices.
package reportcmd

import (
	"context"
	"fmt"
	"io"
	"os"

	"github.com/spf13/pflag"

	"almenara/node/cli/command"
	"almenara/node/cli/terminal"
	"almenara/node/client"
	"almenara/node/wire/reported"
)

// Commands are those of this package, in the order of the overview.
func Commands() []command.Command {
	return []command.Command{
		{
			Name: "report list", Purpose: "list what people reported, newest first", Setup: list,
			Example: "almenara report list --handling new\nalmenara report list --alert abcdefghijklmnopqrstuvwxyz --kind need_help",
			More:    "Nothing of a report was checked by anybody. Names of persons are shown only to who may read them.",
		},
		{
			Name: "report show", Purpose: "show one report, and save its photo", Args: "REPORT", Min: 1, Max: 1, Setup: show,
			Example: "almenara report show zyxwvutsrqponmlkjihgfedcba\nalmenara report show --photo seen.jpg zyxwvutsrqponmlkjihgfedcba",
		},
		{
			Name: "report moderate", Purpose: "say what was made of a report", Args: "REPORT", Min: 1, Max: 1, Setup: moderate,
			Example: "almenara report moderate --handling seen zyxwvutsrqponmlkjihgfedcba\n" +
				"almenara report moderate --handling forwarded --note \"to the fire brigade\" \\\n  zyxwvutsrqponmlkjihgfedcba",
			More: "Also what was made of a resident's answer, with its id and --resident. new: nobody has said anything of it; seen: somebody has read it; hidden: it is listed only with --handling hidden; forwarded: it was passed on to who acts on it. It is on the audit.",
		},
		{
			Name: "report residents", Purpose: "what people answered by the code beside an alert", Args: "ALERT", Min: 1, Max: 1, Setup: residents,
			Example: "almenara report residents abcdefghijklmnopqrstuvwxyz",
			More:    "Screens show a code beside alerts with the parameter almenara:residents, where nodes are served with --residents. Phones are counted, not people, and nobody knows whose they are.",
		},
	}
}

func list(fs *pflag.FlagSet) command.Runner {
	var q reported.Query
	fs.StringVar(&q.Alert, "alert", "", "id of the alert that they belong to, or its first letters")
	fs.StringVar(&q.Place, "place", "", "place whose members reported")
	state := fs.String("handling", "", "new, seen, hidden or forwarded; all but the hidden ones when absent")
	kind := fs.String("kind", "", "need_help, hazard, blocked_way, damage, all_clear or other")
	fs.StringVar(&q.After, "after", "", "go on after this report")
	fs.IntVar(&q.Limit, "limit", 20, "the most lines, up to 200")
	return command.WithClient(func(ctx context.Context, e *command.Env, c *client.Client, _ []string) error {
		q.Handling, q.Kind = reported.Handling(*state), reported.Topic(*kind)
		page, err := c.ListReports(ctx, q)
		if err != nil {
			return err
		}
		return e.Print(page, func(w io.Writer) {
			fmt.Fprintf(w, "New: %d, of which %d need help.\n", page.New, page.NeedHelp)
			for _, r := range page.Reports {
				line(w, r)
			}
			if page.Next != "" {
				fmt.Fprintf(w, "More: --after %s\n", page.Next)
			}
		})
	})
}

// line writes one report in two lines: what it is, and what it says.
func line(w io.Writer, r reported.PersonReport) {
	fmt.Fprintf(w, "%s  %s  %s  %s  %s\n", r.ID, terminal.Clock(r.At), r.Handling, r.Kind, r.Place)
	text := terminal.Clean(r.Text)
	if r.Where != "" {
		text = terminal.Clean(r.Where) + ": " + text
	}
	if r.Photo != nil {
		text += " [photo]"
	}
	if text != "" {
		fmt.Fprintf(w, "  %s\n", text)
	}
}

func show(fs *pflag.FlagSet) command.Runner {
	photo := fs.String("photo", "", "file in which the photo is saved; it must not be there")
	return command.WithClient(func(ctx context.Context, e *command.Env, c *client.Client, args []string) error {
		r, err := c.ShowReport(ctx, args[0])
		if err != nil {
			return err
		}
		if *photo != "" {
			if err := save(ctx, c, args[0], *photo); err != nil {
				return err
			}
		}
		return e.Print(r, func(w io.Writer) { write(w, r) })
	})
}

// save writes the photo into a new file.
func save(ctx context.Context, c *client.Client, id, name string) error {
	raw, err := c.ReportPhoto(ctx, id)
	if err != nil {
		return err
	}
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("saving the photo: %w", err)
	}
	_, err = f.Write(raw)
	if closed := f.Close(); err == nil {
		err = closed
	}
	if err != nil {
		return fmt.Errorf("saving the photo: %w", err)
	}
	return nil
}

func write(w io.Writer, r reported.PersonReport) {
	row := func(name, value string) {
		if value != "" {
			fmt.Fprintf(w, "%-10s %s\n", name, terminal.Clean(value))
		}
	}
	row("Report", r.ID)
	row("Handling", string(r.Handling))
	row("Kind", string(r.Kind))
	row("Alert", r.Alert)
	row("Member", r.Member)
	row("Name", r.Name)
	row("Place", r.Place)
	row("Device", r.Device)
	row("Made", terminal.Clock(r.At))
	row("Taken", terminal.Clock(r.Taken))
	row("Where", r.Where)
	row("Text", r.Text)
	if p := r.Position; p != nil {
		row("Position", fmt.Sprintf("%.6f, %.6f, within %d m", p.Lat, p.Lon, p.AccuracyMeters))
	}
	if p := r.Photo; p != nil {
		row("Photo", fmt.Sprintf("%d × %d, %s bytes", p.Width, p.Height, terminal.Thousands(uint64(p.Bytes))))
	}
	if r.By != "" {
		row("Moderated", "by "+r.By+", "+terminal.Clock(r.Moderated))
		row("Note", r.Note)
	}
}

func moderate(fs *pflag.FlagSet) command.Runner {
	var in reported.Moderate
	state := fs.String("handling", "seen", "new, seen, hidden or forwarded")
	fs.StringVar(&in.Note, "note", "", "a note for the audit")
	resident := fs.Bool("resident", false, "of a resident's answer, by its id")
	wait := fs.String("wait", client.WaitCommitted, "how far before the answer: local, held or committed")
	return command.WithClient(func(ctx context.Context, e *command.Env, c *client.Client, args []string) error {
		in.Handling = reported.Handling(*state)
		if *resident {
			a, err := c.HandleResident(ctx, args[0], in, *wait)
			if err != nil {
				return err
			}
			return e.Print(a, func(w io.Writer) { fmt.Fprintf(w, "The answer is %s now.\n", a.Handling) })
		}
		r, err := c.ModerateReport(ctx, args[0], in, *wait)
		if err != nil {
			return err
		}
		return e.Print(r, func(w io.Writer) { fmt.Fprintf(w, "The report is %s now.\n", r.Handling) })
	})
}

func residents(*pflag.FlagSet) command.Runner {
	return command.WithClient(func(ctx context.Context, e *command.Env, c *client.Client, args []string) error {
		got, err := c.AlertResidents(ctx, args[0])
		if err != nil {
			return err
		}
		return e.Print(got, func(w io.Writer) {
			fmt.Fprintf(w, "%d phones have seen it, %d need help, %d photos came.\n", got.Seen, got.Help, got.Photos)
			for _, b := range got.Blocks {
				fmt.Fprintf(w, "%s  seen %d, need help %d, photos %d\n", terminal.Clean(b.Place), b.Seen, b.Help, b.Photos)
			}
			for _, a := range got.Answers {
				line(w, reported.PersonReport{ID: a.ID, At: a.Taken, Handling: a.Handling, Kind: reported.Topic(a.Kind), Place: terminal.Clean(a.Place), Where: a.Where, Text: a.Text, Photo: a.Photo})
			}
		})
	})
}
