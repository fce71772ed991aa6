package alertcmd

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/pflag"

	"almenara/node/cli/command"
	"almenara/node/cli/terminal"
	"almenara/node/client"
	"almenara/node/wire"
)

func alertApprove(fs *pflag.FlagSet) command.Runner {
	var in wire.Approve
	fs.StringVar(&in.Digest, "digest", "", "digest of the message that you have read; with another one nothing is approved")
	fs.StringVar(&in.Reason, "reason", "", "why, for the audit")
	wait := fs.String("wait", client.WaitCommitted, "how far before the answer: local, held or committed")
	return command.WithClient(func(ctx context.Context, e *command.Env, c *client.Client, args []string) error {
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
		names = append(names, by.Name)
	}
	return fmt.Sprintf("%d of %d: %s", len(a.Given), a.Needed, command.Or(strings.Join(names, ", "), "nobody yet"))
}
