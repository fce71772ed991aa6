package alertcmd

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"almenara/node/cli/command"
	"almenara/node/cli/terminal"
	"almenara/node/client"
	"almenara/node/wire"
	"almenara/node/wire/acts"
)

func alertApprove(fs *pflag.FlagSet) command.Runner {
	var in wire.Approve
	fs.StringVar(&in.Digest, "digest", "", "digest of the message that you have read; with another one nothing is approved")
	fs.StringVar(&in.Reason, "reason", "", "why, for the audit")
	var typed acts.TypeApproval
	fs.StringVar(&typed.For, "for", "", "the person who approves and has read out a code")
	fs.StringVar(&typed.Code, "code", "", "that code, of six digits")
	wait := fs.String("wait", client.WaitCommitted, "how far before the answer: local, held or committed")
	return command.WithClient(func(ctx context.Context, e *command.Env, c *client.Client, args []string) error {
		if (typed.For == "") != (typed.Code == "") {
			return command.Usagef("alert approve takes --for and --code, or none of both")
		}
		if typed.For != "" {
			typed.Digest, typed.Reason = in.Digest, in.Reason
			out, err := c.ApproveSpoken(ctx, args[0], typed, *wait)
			if err != nil {
				return err
			}
			return printOutcome(e, out)
		}
		out, err := c.ApproveAlert(ctx, args[0], in, *wait)
		if err != nil {
			return err
		}
		return printOutcome(e, out)
	})
}

// authorityOf adds the lines about by what right an alert went out.
func authorityOf(e *command.Env, t *terminal.Table, a wire.Alert) {
	if a.Scenario != "" || a.Incident != "" {
		t.Add("Scenario", command.Or(a.Scenario, "free text")+", incident "+command.Or(a.Incident, "none"))
	}
	if !a.Alone.IsZero() {
		t.Add("Alone", "sent by a node without quorum since "+terminal.Clock(a.Alone)+", licence "+command.Or(a.Licence, "none needed"))
	}
	if a.Approvals != nil {
		t.Add("Approvals", approvalText(*a.Approvals))
		if text := why(a.Approvals); text != "" {
			t.Add("", text)
		}
		if text := asked(a.Approvals); text != "" {
			t.Add("Asked now", text)
		}
	}
	for i, id := range a.PendingUpdates {
		t.Add(map[bool]string{true: "A change waits"}[i == 0], id)
	}
	for i, id := range a.Changes {
		t.Add(map[bool]string{true: "Changes"}[i == 0], id)
	}
	for i, id := range a.Duplicates {
		t.Add(map[bool]string{true: "Possible duplicate"}[i == 0], id)
	}
}

func approvalText(a wire.Approvals) string {
	var names []string
	for _, by := range a.Given {
		if by.TypedBy != "" {
			by.Name += " (read out, typed in by " + by.TypedBy + ")"
		}
		names = append(names, by.Name)
	}
	return fmt.Sprintf("%d of %d: %s", len(a.Given), a.Needed, command.Or(strings.Join(names, ", "), "nobody yet"))
}

// asked says who is asked for the approval now, and how often that was in vain; "" where nobody is.
func asked(a *wire.Approvals) string {
	if a == nil || len(a.MayApprove) == 0 {
		if a != nil && len(a.Given) < a.Needed && a.MayApprove != nil {
			return "nobody may approve it"
		}
		return ""
	}
	text := a.Next + ", until " + terminal.Clock(a.NextUntil)
	if rest := slices.DeleteFunc(slices.Clone(a.MayApprove), func(name string) bool { return name == a.Next }); len(rest) > 0 {
		text += "; others who may: " + strings.Join(rest, ", ")
	}
	if a.Missed > 0 {
		text += fmt.Sprintf("; %d in vain", a.Missed)
	}
	return text
}
