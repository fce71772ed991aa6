// Package noticecmd is the commands about planned notices: written, passed on level by level, commented,
// sent back, written anew, and withdrawn.
package noticecmd

import (
	"context"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"almenara/node/cli/command"
	"almenara/node/client"
	"almenara/node/wire/notices"
)

// Commands are those of this package, in the order of the overview.
func Commands() []command.Command {
	return []command.Command{
		{
			Name: "notice write", Purpose: "write a notice that persons pass on before it is sent", Args: "[FILE]", Max: 1, Setup: write,
			Example: "almenara notice write --scenario planned-outage --set where=\"On Lai\" \\\n  --at 2026-12-01T08:00:00+08:00\nalmenara notice write notice.json",
			More: "FILE holds an alert in JSON, as alert send --json takes it, whose urgency is Future or Past. It is tried as if it went out now, and waits at the first of the levels that its scenario names, or the policy: " +
				"\"chain\": {\"levels\": [{\"title\": \"Estate office\", \"role\": \"approver\", \"hours\": 4, \"checklist\": [\"The dates agree\"]}], \"words\": [{\"word\": \"contaminated\", \"why\": \"only the water department says so\", \"tick\": true}]}.\n" +
				"A majority of the nodes agrees on notices. What is urgent is sent as an alert, and goes through no level.",
		},
		{
			Name: "notice list", Purpose: "list planned notices and whom they wait for", Setup: list,
			Example: "almenara notice list\nalmenara notice list --over",
		},
		{
			Name: "notice show", Purpose: "show one: what it says, what changed, who has read it", Args: "NOTICE", Min: 1, Max: 1,
			Setup: show, Example: "almenara notice show 3f9a0c5512ab",
		},
		{
			Name: "notice pass", Purpose: "pass a notice on, as a person whom its level asks for", Args: "NOTICE", Min: 1, Max: 1, Setup: pass,
			Example: "almenara notice pass --version 2 --tick 1,2 --word contaminated 3f9a0c5512ab",
			More:    "--version is the one that you have read: of another one nothing is passed on. --tick gives the numbers of the lines that the level has, as notice show prints them; all must be ticked. Who wrote it passes nothing on, and each person passes one level only.",
		},
		{
			Name: "notice back", Purpose: "send a notice back to its author, and say why", Args: "NOTICE", Min: 1, Max: 1, Setup: back,
			Example: "almenara notice back --version 2 --why \"Say which day\" 3f9a0c5512ab",
		},
		{
			Name: "notice comment", Purpose: "comment on a notice, or on its text in a language", Args: "NOTICE", Min: 1, Max: 1, Setup: comment,
			Example: "almenara notice comment --language en --text \"Which entrance?\" 3f9a0c5512ab",
		},
		{
			Name: "notice revise", Purpose: "write a new version, which begins at the first level", Args: "NOTICE [FILE]", Min: 1, Max: 2, Setup: revise,
			Example: "almenara notice revise --version 2 \\\n  --set day=Tuesday --why \"The day\" 3f9a0c5512ab",
			More:    "It says all that the notice is to say, not only what changes. A locked notice, which every level has passed, gets no version.",
		},
		{
			Name: "notice withdraw", Purpose: "withdraw a notice that is not sent yet", Args: "NOTICE", Min: 1, Max: 1, Setup: withdraw,
			Example: "almenara notice withdraw --why \"The work is put off\" 3f9a0c5512ab",
		},
	}
}

// draft is the flags of what a notice says.
type draft struct {
	in notices.DraftNotice
	at string
}

func draftFlags(fs *pflag.FlagSet) *draft {
	d := &draft{}
	command.Pairs(fs, &d.in.Blanks, "set", "`NAME=TEXT`: fill in a blank of the scenario")
	fs.StringVar(&d.in.Select, "select", "", "selection that narrows whom it addresses")
	fs.StringVar(&d.in.Reason, "reason", "", "why, for the record of the alert")
	fs.StringVar(&d.at, "at", "", "when it goes out, as 2026-12-01T08:00:00+08:00; once the last level has passed it when absent")
	return d
}

// read completes what the flags say by a file.
func (d *draft) read(e *command.Env, files []string) error {
	if d.at != "" {
		at, err := time.Parse(time.RFC3339, d.at)
		if err != nil {
			return command.Usagef("--at is a time such as 2026-12-01T08:00:00+08:00")
		}
		d.in.At = at
	}
	if len(files) == 0 {
		return nil
	}
	return command.ReadJSON(e, files[0], &d.in.Alert)
}

func write(fs *pflag.FlagSet) command.Runner {
	d := draftFlags(fs)
	fs.StringVar(&d.in.Scenario, "scenario", "", "id of the prepared alert that it is made from")
	return command.WithClient(func(ctx context.Context, e *command.Env, c *client.Client, args []string) error {
		if (len(args) == 0) == (d.in.Scenario == "") {
			return command.Usagef("notice write takes --scenario or a file")
		}
		if err := d.read(e, args); err != nil {
			return err
		}
		out, err := c.DraftNotice(ctx, d.in)
		return printed(e, out, err)
	})
}

func revise(fs *pflag.FlagSet) command.Runner {
	d := draftFlags(fs)
	fs.IntVar(&d.in.Version, "version", 0, "the version that you have read")
	fs.StringVar(&d.in.Why, "why", "", "what you changed, and why")
	return command.WithClient(func(ctx context.Context, e *command.Env, c *client.Client, args []string) error {
		if d.in.Why == "" || d.in.Version == 0 {
			return command.Usagef("notice revise takes --version and --why")
		}
		if err := d.read(e, args[1:]); err != nil {
			return err
		}
		out, err := c.ReviseNotice(ctx, args[0], d.in)
		return printed(e, out, err)
	})
}

func list(fs *pflag.FlagSet) command.Runner {
	over := fs.Bool("over", false, "also the last 50 that were sent or withdrawn")
	return command.WithClient(func(ctx context.Context, e *command.Env, c *client.Client, _ []string) error {
		out, err := c.ListNotices(ctx, *over)
		if err != nil {
			return err
		}
		return e.Print(out, lines(out))
	})
}

func show(*pflag.FlagSet) command.Runner {
	return command.WithClient(func(ctx context.Context, e *command.Env, c *client.Client, args []string) error {
		out, err := c.ShowNotice(ctx, args[0])
		if err != nil {
			return err
		}
		return e.Print(out, whole(out))
	})
}

func pass(fs *pflag.FlagSet) command.Runner {
	in := notices.ActOnNotice{Do: notices.DoPass}
	fs.IntVar(&in.Version, "version", 0, "the version that you have read")
	ticks := fs.IntSlice("tick", nil, "numbers of the lines that you tick, as notice show prints them")
	fs.StringSliceVar(&in.Words, "word", nil, "a sensitive word that may stand in the text; may be repeated")
	fs.StringVar(&in.Text, "text", "", "a remark")
	return command.WithClient(func(ctx context.Context, e *command.Env, c *client.Client, args []string) error {
		if in.Version == 0 {
			return command.Usagef("notice pass takes --version, the one that you have read")
		}
		n, err := c.ShowNotice(ctx, args[0])
		if err != nil {
			return err
		}
		in.Level = n.Level
		if n.Level > 0 && n.Level <= len(n.Levels) {
			lines := n.Levels[n.Level-1].Level.Checklist
			for _, t := range *ticks {
				if t < 1 || t > len(lines) {
					return command.Usagef("the level has %d lines to tick, and no line %d", len(lines), t)
				}
				in.Ticked = append(in.Ticked, lines[t-1])
			}
		}
		out, err := c.ActOnNotice(ctx, args[0], in)
		return printed(e, out, err)
	})
}

func back(fs *pflag.FlagSet) command.Runner {
	in := notices.ActOnNotice{Do: notices.DoBack}
	fs.IntVar(&in.Version, "version", 0, "the version that you have read")
	fs.StringVar(&in.Text, "why", "", "what must be changed")
	return command.WithClient(func(ctx context.Context, e *command.Env, c *client.Client, args []string) error {
		if in.Version == 0 || strings.TrimSpace(in.Text) == "" {
			return command.Usagef("notice back takes --version and --why")
		}
		n, err := c.ShowNotice(ctx, args[0])
		if err != nil {
			return err
		}
		in.Level = n.Level
		out, err := c.ActOnNotice(ctx, args[0], in)
		return printed(e, out, err)
	})
}

func comment(fs *pflag.FlagSet) command.Runner {
	in := notices.ActOnNotice{Do: notices.DoComment}
	fs.StringVar(&in.Language, "language", "", "of the text that it is about; all of it when absent")
	fs.StringVar(&in.Text, "text", "", "the comment")
	return acting(&in)
}

func withdraw(fs *pflag.FlagSet) command.Runner {
	in := notices.ActOnNotice{Do: notices.DoWithdraw}
	fs.StringVar(&in.Text, "why", "", "why")
	return acting(&in)
}

func acting(in *notices.ActOnNotice) command.Runner {
	return command.WithClient(func(ctx context.Context, e *command.Env, c *client.Client, args []string) error {
		out, err := c.ActOnNotice(ctx, args[0], *in)
		return printed(e, out, err)
	})
}
