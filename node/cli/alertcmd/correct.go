package alertcmd

import (
	"context"
	"time"

	"github.com/spf13/pflag"

	"almenara/node/cli/command"
	"almenara/node/client"
	"almenara/node/wire"
)

func alertCorrect(fs *pflag.FlagSet) command.Runner {
	var text wire.CorrectText
	var in wire.CorrectAlert
	headline := fs.String("headline", "", "one line that says it all")
	description := fs.String("description", "", "what happens")
	instruction := fs.String("instruction", "", "what to do")
	expires := fs.String("expires", "", "when it ends: a duration, or a time such as 2026-07-20T17:40:00+08:00")
	wait := fs.String("wait", client.WaitCommitted, "how far before the answer: local, held or committed")
	fs.StringVar(&text.Language, "language", "", "which of the alert's languages these texts are in, where it has several")
	fs.StringToStringVar(&in.Blanks, "set", nil, "other text for a blank of its scenario: NAME=TEXT; may be repeated")
	fs.StringVar(&in.Reason, "reason", "", "why, for the audit")
	fs.BoolVar(&in.DryRun, "dry-run", false, "check everything and count whom it would address; send nothing")
	return func(ctx context.Context, e *command.Env, args []string) error {
		for name, flag := range map[string]struct{ into, from **string }{
			"headline": {&text.Headline, &headline}, "description": {&text.Description, &description}, "instruction": {&text.Instruction, &instruction},
		} {
			if fs.Changed(name) {
				*flag.into = *flag.from
			}
		}
		if text.Headline != nil || text.Description != nil || text.Instruction != nil {
			in.Texts = []wire.CorrectText{text}
		}
		if *expires != "" {
			at, err := endOf(*expires, time.Now())
			if err != nil {
				return err
			}
			in.Expires = at
		}
		if len(in.Texts) == 0 && len(in.Blanks) == 0 && in.Expires.IsZero() {
			return command.Usagef("alert correct needs --headline, --description, --instruction, --set or --expires")
		}
		c, err := e.Client()
		if err != nil {
			return err
		}
		defer c.Close()
		out, err := c.CorrectAlert(ctx, args[0], in, *wait)
		switch {
		case err != nil:
			return err
		case in.DryRun:
			return printPreview(e, out)
		}
		return printOutcome(e, out)
	}
}

// endOf reads when an alert ends: so long from now, or at a time.
func endOf(text string, now time.Time) (time.Time, error) {
	if in, err := time.ParseDuration(text); err == nil {
		return now.Add(in), nil
	}
	at, err := time.Parse(capTime, text)
	if err != nil {
		return at, command.Usagef("--expires takes a duration such as 30m or a time such as 2026-07-20T17:40:00+08:00, not %q", text)
	}
	return at, nil
}
