// Package followcmd is the commands about what people do for an alert beside sending it: approve it by
// voice, say whom they told, and remind.
package followcmd

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/pflag"

	"almenara/node/cli/command"
	"almenara/node/cli/terminal"
	"almenara/node/client"
	"almenara/node/wire/acts"
)

// Commands are those of this package, in the order of the overview.
func Commands() []command.Command {
	return []command.Command{
		{
			Name: "alert code", Purpose: "show the code that approves by voice", Args: "[ALERT]", Max: 1,
			Setup: alertCode, Example: "almenara alert code abcdefghijklmnopqrstuvwxyz\nalmenara alert code --number '9013 4475'",
			More: "The code is good for one alert, in your name, for at least five minutes and at most ten; alert approve --for takes it at any node. It is made of the secret of your second factor. " +
				"For an alert that your node does not have, let its number be read out to you with its words (alert show names it), and trust the voice.",
		},
		{
			Name: "alert told", Purpose: "say that a person told members of an alert", Args: "ALERT", Min: 1, Max: 1, Setup: alertTold,
			Example: "almenara alert told --member flat-3a abcdefghijklmnopqrstuvwxyz\n" +
				"almenara alert told --place tuen-mun/on-ting/on-lai --note \"every door\" \\\n  abcdefghijklmnopqrstuvwxyz\n" +
				"almenara alert told --take-back --member flat-3a \\\n  abcdefghijklmnopqrstuvwxyz",
			More: "They count as told, and never as presented. With --place it is everybody there who has not presented the alert. --take-back says that the mark was a mistake: they count as not told again, and the audit has both.",
		},
		{
			Name: "alert contradictions", Purpose: "list alerts in force that contradict each other", Setup: alertContradictions,
			Example: "almenara alert contradictions",
			More:    "Real alerts in force by which two senders tell the same people contrary things: to leave and to stay, that it is bad and that it is not, that it is now and that it is over. Who is right people settle: ask both, and have one of them correct or cancel.",
		},
		{
			Name: "alert remind", Purpose: "present an alert again where nobody has confirmed it", Args: "ALERT", Min: 1, Max: 1, Setup: alertRemind,
			Example: "almenara alert remind abcdefghijklmnopqrstuvwxyz\nalmenara alert remind --every 5 abcdefghijklmnopqrstuvwxyz",
		},
	}
}

// alertTold says that a person told members of an alert.
func alertTold(fs *pflag.FlagSet) command.Runner {
	var in acts.MarkTold
	fs.StringSliceVar(&in.Members, "member", nil, "id of a member that was told; may be repeated")
	fs.StringVar(&in.Place, "place", "", "place of which everybody was told who has not presented it")
	fs.StringVar(&in.Note, "note", "", "a note for the audit")
	fs.BoolVar(&in.TakeBack, "take-back", false, "they were not told: the mark was a mistake")
	wait := fs.String("wait", client.WaitCommitted, "how far before the answer: local, held or committed")
	return command.WithClient(func(ctx context.Context, e *command.Env, c *client.Client, args []string) error {
		if (len(in.Members) == 0) == (in.Place == "") {
			return command.Usagef("alert told takes --member or --place")
		}
		out, err := c.MarkTold(ctx, args[0], in, *wait)
		if err != nil {
			return err
		}
		return e.Print(out, func(w io.Writer) {
			if in.TakeBack {
				fmt.Fprintf(w, "Not told, after all: %s.\n", terminal.Thousands(out.TakenBack))
				return
			}
			fmt.Fprintf(w, "Marked as told by a person: %s.\n", terminal.Thousands(out.Marked))
		})
	})
}

// alertContradictions lists alerts that contradict each other.
func alertContradictions(*pflag.FlagSet) command.Runner {
	return command.WithClient(func(ctx context.Context, e *command.Env, c *client.Client, _ []string) error {
		out, err := c.Contradictions(ctx)
		if err != nil {
			return err
		}
		return e.Print(out, func(w io.Writer) {
			if len(out.Contradictions) == 0 {
				fmt.Fprintln(w, "No alerts in force contradict each other.")
			}
			for _, found := range out.Contradictions {
				fmt.Fprintf(w, "Contrary in %s:\n", terminal.Clean(found.Why))
				for _, s := range found.Says {
					fmt.Fprintf(w, "  %s  %s, by %s, sent %s: %s; %s, %s\n", terminal.Clean(s.Alert), terminal.Clean(cmp.Or(s.From, s.Sender)), terminal.Clean(s.Author), terminal.Clock(s.Sent),
						terminal.Clean(s.Headline), terminal.Clean(strings.Join(append(s.Response, s.Severity), ", ")), terminal.Clean(s.Urgency))
				}
			}
			switch {
			case out.AtLeast:
				fmt.Fprintf(w, "At least %s more pairs contradict each other.\n", terminal.Thousands(out.More))
			case out.More > 0:
				fmt.Fprintf(w, "%s more pairs contradict each other.\n", terminal.Thousands(out.More))
			}
		})
	})
}

// alertRemind has devices present an alert again on which nobody has confirmed it.
func alertRemind(fs *pflag.FlagSet) command.Runner {
	var in acts.Remind
	fs.IntVar(&in.EveryMinutes, "every", 0, "minutes between reminders from now on, until the alert ends; 0 is once")
	wait := fs.String("wait", client.WaitCommitted, "how far before the answer: local, held or committed")
	return command.WithClient(func(ctx context.Context, e *command.Env, c *client.Client, args []string) error {
		out, err := c.Remind(ctx, args[0], in, *wait)
		if err != nil {
			return err
		}
		return e.Print(out, func(w io.Writer) {
			fmt.Fprintf(w, "Members for whom nobody has confirmed it: %s. Their devices present it again.\n", terminal.Thousands(out.Unread))
			if out.EveryMinutes > 0 {
				fmt.Fprintf(w, "They do so every %d minutes until it is confirmed or over.\n", out.EveryMinutes)
			}
		})
	})
}

// alertCode shows the own code for an alert.
func alertCode(fs *pflag.FlagSet) command.Runner {
	var in acts.AskCode
	fs.StringVar(&in.Digest, "digest", "", "digest of the message that you have read; with another one there is no code")
	fs.StringVar(&in.Number, "number", "", "number of what an alert says that your node does not have")
	return command.WithClient(func(ctx context.Context, e *command.Env, c *client.Client, args []string) error {
		if (len(args) == 0) == (in.Number == "") {
			return command.Usagef("alert code takes an alert or --number")
		}
		if len(args) > 0 {
			in.Alert = args[0]
		}
		out, err := c.SpokenCode(ctx, in)
		if err != nil {
			return err
		}
		return e.Print(out, func(w io.Writer) {
			fmt.Fprintf(w, "%s %s  of %s, until %s\n", out.Code[:3], out.Code[3:], out.For, terminal.Clock(out.Until))
			fmt.Fprintln(w, "Read it out to whoever types it in. It approves one alert, in your name.")
		})
	})
}
