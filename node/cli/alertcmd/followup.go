package alertcmd

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/pflag"

	"almenara/node/cli/command"
	"almenara/node/cli/terminal"
	"almenara/node/client"
	"almenara/node/wire"
)

// alertTold says that a person told members of an alert.
func alertTold(fs *pflag.FlagSet) command.Runner {
	var in wire.MarkTold
	fs.StringSliceVar(&in.Members, "member", nil, "id of a member that was told; may be repeated")
	fs.StringVar(&in.Place, "place", "", "place of which everybody was told who has not presented it")
	fs.StringVar(&in.Note, "note", "", "a note for the audit")
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
			fmt.Fprintf(w, "Marked as told by a person: %s.\n", terminal.Thousands(out.Marked))
		})
	})
}

// alertRemind has devices present an alert again on which nobody has confirmed it.
func alertRemind(fs *pflag.FlagSet) command.Runner {
	var in wire.Remind
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
