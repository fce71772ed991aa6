package nodecmd

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/pflag"

	"almenara/node/cli/command"
	"almenara/node/cli/inprocess"
	"almenara/node/cli/terminal"
)

func recoverCommands() []command.Command {
	return []command.Command{
		{
			Name: "recover", Purpose: "go on with one node when the majority is lost for good", Setup: recoverNode, Needs: command.NeedsFolder,
			Example: "almenara recover --data /var/lib/almenara",
		},
		{
			Name: "rejoin", Purpose: "bring a node back that may not return under its id", Args: "INVITATION", Min: 1, Max: 1,
			Setup: rejoin, Needs: command.NeedsFolder, Example: "almenara rejoin --data /var/lib/almenara INVITATION",
		},
	}
}

func recoverNode(fs *pflag.FlagSet) command.Runner {
	var opts inprocess.RecoverOptions
	yes := fs.Bool("yes", false, "do not ask for the district's name")
	fs.BoolVar(&opts.Force, "force", false, "also while enough other nodes answer to agree")
	return func(ctx context.Context, e *command.Env, _ []string) error {
		if e.Engine.Recover == nil {
			return command.ErrNoEngine
		}
		if e.JSON() && !*yes {
			return command.Usagef("recover --json cannot ask; add --yes")
		}
		opts.Data = e.Data()
		confirm := func(s inprocess.RecoverSurvey) error {
			if e.JSON() || s.Done {
				return nil
			}
			tellSurvey(e, s)
			if *yes {
				return nil
			}
			return command.AskFor(e, s.District, "Type the district's name to go on with this node alone")
		}
		made, err := e.Engine.Recover(ctx, opts, confirm, command.Telling(e))
		if err != nil {
			return err
		}
		return e.Print(made, func(w io.Writer) { tellRecovered(w, made) })
	}
}

func tellRecovered(w io.Writer, made inprocess.RecoverResult) {
	if made.Already {
		fmt.Fprintf(w, "Node %s goes on alone already, as incarnation %d of %s; nothing was changed.\n", made.Node, made.Incarnation, made.District)
	} else {
		fmt.Fprintf(w, "Node %s is the only voter of %s now, incarnation %d, after log entry %d (%d of them not known to be committed before).\n",
			made.Node, made.District, made.Incarnation, made.Applied, made.Taken)
	}
	fmt.Fprintf(w, "Start it with: almenara serve --data %s\n", made.Data)
	fmt.Fprint(w, "Old nodes that come back stop agreeing to anything; bring each back with almenara node invite and almenara rejoin.\n")
}

// tellSurvey shows what is about to be changed.
func tellSurvey(e *command.Env, s inprocess.RecoverSurvey) {
	var b strings.Builder
	t := terminal.Table{}
	t.Add("Node", fmt.Sprintf("%s (%s)", s.Name, s.Node))
	t.Add("District", fmt.Sprintf("%s, incarnation %d", s.District, s.Incarnation))
	last := fmt.Sprintf("log entry %d", s.Applied)
	if !s.LastAt.IsZero() {
		last += fmt.Sprintf(", %s at %s", s.LastAction, terminal.Clock(s.LastAt))
	}
	t.Add("Last applied", last)
	if s.LogEnd > s.Applied {
		t.Add("Not committed", fmt.Sprintf("%d log entries, which will be taken as if they were", s.LogEnd-s.Applied))
	}
	if s.NewID != "" {
		t.Add("New id", "needed, because "+s.NewID)
	}
	if s.Quarantined > 0 {
		t.Add("Quarantined", fmt.Sprintf("by incarnation %d, which will be given up", s.Quarantined))
	}
	if s.Newer != "" {
		t.Add("Begun by", s.Newer)
	}
	label := "Other voters"
	for _, other := range s.Others {
		t.Add(label, other)
		label = ""
	}
	t.Write(&b, e.Width)
	b.WriteString("\nWhat the others agreed on after that log entry is left behind: changes of audiences, users and devices must be made\n" +
		"again. Their alerts and receipts are not: they are handed over when those nodes come back.\n")
	fmt.Fprint(e.Err, b.String())
}

func rejoin(fs *pflag.FlagSet) command.Runner {
	var opts inprocess.RejoinOptions
	fs.BoolVar(&opts.Lossy, "lossy", false, "go on though what only this node has would be lost")
	return func(ctx context.Context, e *command.Env, args []string) error {
		if e.Engine.Rejoin == nil {
			return command.ErrNoEngine
		}
		opts.Data, opts.Token = e.Data(), args[0]
		made, err := e.Engine.Rejoin(ctx, opts, command.Telling(e))
		if err != nil {
			return err
		}
		return e.Print(made, func(w io.Writer) { tellRejoined(w, made) })
	}
}

func tellRejoined(w io.Writer, made inprocess.RejoinResult) {
	fmt.Fprintf(w, "Node %s is node %s now; %s of its alerts and receipts were new to the district.\n", made.Old, made.Node, terminal.Thousands(made.Sent))
	if made.Unread != "" {
		fmt.Fprintf(w, "Its old state could not be read: %s.\n", made.Unread)
	}
	if made.Gaps > 0 {
		fmt.Fprintf(w, "In %d streams something is lost that only this node had.\n", made.Gaps)
	}
	if made.Changes > 0 {
		fmt.Fprintf(w, "%d changes that it had agreed on without the district are left behind; %s lists them.\n", made.Changes, made.Report)
	}
	fmt.Fprintf(w, "Start it with: almenara serve --data %s\nThe old id is removed once the new one has a vote.\n", made.Data)
}
