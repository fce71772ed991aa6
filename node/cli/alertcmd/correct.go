package alertcmd

import (
	"context"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"almenara/node/cli/command"
	"almenara/node/client"
	"almenara/node/wire"
)

// change is what the flags of correct and update say.
type change struct {
	fs                                 *pflag.FlagSet
	in                                 wire.UpdateAlert
	language, expires, wait            string
	headline, description, instruction string
}

// words registers the flags that both have.
func words(fs *pflag.FlagSet) *change {
	c := &change{fs: fs}
	fs.StringVar(&c.headline, "headline", "", "one line that says it all")
	fs.StringVar(&c.description, "description", "", "what happens")
	fs.StringVar(&c.instruction, "instruction", "", "what to do")
	fs.StringVar(&c.language, "language", "", "which of the alert's languages these texts are in, where it has several")
	command.Pairs(fs, &c.in.Blanks, "set", "`NAME=TEXT`: other text for a blank of its scenario")
	fs.StringVar(&c.expires, "expires", "", "when it ends: a duration, or a time such as 2026-07-20T17:40:00+08:00")
	return c
}

// others registers the flags that end the list of both.
func (c *change) others() {
	c.fs.StringVar(&c.in.Reason, "reason", "", "why, for the audit")
	c.fs.StringVar(&c.wait, "wait", client.WaitCommitted, "how far before the answer: local, held or committed")
	c.fs.BoolVar(&c.in.DryRun, "dry-run", false, "check everything and count whom it would address; send nothing")
}

// read puts together what was given; needed names the flags one of which is.
func (c *change) read(needed string) error {
	text, given := wire.CorrectText{Language: c.language}, false
	for name, flag := range map[string]struct{ into, from **string }{
		"headline": {&text.Headline, new(&c.headline)}, "description": {&text.Description, new(&c.description)}, "instruction": {&text.Instruction, new(&c.instruction)},
	} {
		if c.fs.Changed(name) {
			*flag.into, given = *flag.from, true
		}
	}
	if given {
		c.in.Texts = []wire.CorrectText{text}
	}
	if c.expires != "" {
		at, err := endOf(c.expires, time.Now())
		if err != nil {
			return err
		}
		c.in.Expires = at
	}
	if c.in.Empty() {
		return command.Usagef("%s", needed)
	}
	return nil
}

// printed prints what became of it.
func (c *change) printed(e *command.Env, out wire.Outcome, err error) error {
	switch {
	case err != nil:
		return err
	case c.in.DryRun:
		return printPreview(e, out)
	}
	return printOutcome(e, out)
}

func alertCorrect(fs *pflag.FlagSet) command.Runner {
	c := words(fs)
	c.others()
	return func(ctx context.Context, e *command.Env, args []string) error {
		if err := c.read("alert correct needs --headline, --description, --instruction, --set or --expires"); err != nil {
			return err
		}
		node, err := e.Client()
		if err != nil {
			return err
		}
		defer node.Close()
		in := wire.CorrectAlert{Texts: c.in.Texts, Blanks: c.in.Blanks, Expires: c.in.Expires, Reason: c.in.Reason, DryRun: c.in.DryRun}
		out, err := node.CorrectAlert(ctx, args[0], in, c.wait)
		return c.printed(e, out, err)
	}
}

func alertUpdate(fs *pflag.FlagSet) command.Runner {
	c := words(fs)
	fs.StringVar(&c.in.Severity, "severity", "", "Extreme, Severe, Moderate, Minor or Unknown")
	fs.StringVar(&c.in.Urgency, "urgency", "", "Immediate, Expected, Future, Past or Unknown")
	fs.StringVar(&c.in.Certainty, "certainty", "", "Observed, Likely, Possible, Unlikely or Unknown")
	fs.StringVar(&c.in.Select, "select", "", "who from now on, in place of the alert's own selection; its areas stay, and both must hold")
	c.others()
	return func(ctx context.Context, e *command.Env, args []string) error {
		if err := c.read("alert update needs something that is to change, such as --headline, --severity, --select or --expires"); err != nil {
			return err
		}
		node, err := e.Client()
		if err != nil {
			return err
		}
		defer node.Close()
		out, err := node.UpdateAlert(ctx, args[0], c.in, c.wait)
		return c.printed(e, out, err)
	}
}

// endOf reads when an alert ends: so long from now, or at a time.
func endOf(text string, now time.Time) (time.Time, error) {
	if in, err := time.ParseDuration(text); err == nil {
		return now.Add(in), nil
	}
	at, err := time.Parse(time.RFC3339, strings.ToUpper(text)) // RFC 3339 §5.6 takes t and z, too
	if err != nil {
		return at, command.Usagef("--expires takes a duration such as 30m or a time such as 2026-07-20T17:40:00+08:00, not %q", text)
	}
	return at, nil
}
