package peoplecmd

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"almenara/node/authority"
	"almenara/node/cli/command"
	"almenara/node/cli/terminal"
	"almenara/node/client"
	"almenara/node/wire"
)

func authorityCommands() []command.Command {
	return []command.Command{
		{
			Name: "licence grant", Purpose: "let an operator warn from a node that is alone", Args: "OPERATOR", Min: 1, Max: 1, Setup: licenceGrant,
			Example: "almenara licence grant --scenario flood --place tuen-mun/on-ting duty\n" +
				"almenara licence grant --scenario '*' --place tuen-mun --for 24h duty",
		},
		{Name: "licence list", Purpose: "list licences, also past and revoked ones", Setup: licenceList, Example: "almenara licence list"},
		{
			Name: "licence revoke", Purpose: "revoke a licence for good", Args: "LICENCE", Min: 1, Max: 1, Setup: licenceRevoke,
			Example: "almenara licence revoke 3f6c0a91b2d4",
		},
		{
			Name: "policy show", Purpose: "show which alerts need approvals, as JSON to edit and set", Setup: policyShow,
			Example: "almenara policy show > policy.json",
		},
		{
			Name: "policy set", Purpose: "replace the policy by that of a JSON file", Args: "FILE", Min: 1, Max: 1, Setup: policySet,
			More:    policyMore,
			Example: "almenara policy set policy.json",
		},
	}
}

func licenceGrant(fs *pflag.FlagSet) command.Runner {
	var in wire.Licence
	fs.StringSliceVar(&in.Scenarios, "scenario", nil, "scenario that may be sent, or * for all and free texts; may be repeated")
	fs.StringVar(&in.Place, "place", "", "place outside of which nobody may be warned")
	hold := fs.Duration("for", 30*24*time.Hour, "how long it holds, 2160h (90 days) at most")
	return command.WithClient(func(ctx context.Context, e *command.Env, c *client.Client, args []string) error {
		if len(in.Scenarios) == 0 || in.Place == "" {
			return command.Usagef("licence grant needs --scenario and --place")
		}
		in.Operator, in.Until = args[0], time.Now().Add(*hold).UTC().Truncate(time.Second)
		l, err := c.GrantLicence(ctx, in)
		if err != nil {
			return err
		}
		warnEmpty(ctx, e, c, []string{in.Place}, "until there is one, the licence lets "+in.Operator+" warn nobody")
		return e.Print(l, func(w io.Writer) {
			fmt.Fprintf(w, "Licence %s: %s may send %s in %s until %s when a node is alone.\n",
				terminal.Clean(l.ID), terminal.Clean(l.Operator), terminal.Clean(strings.Join(l.Scenarios, ", ")), terminal.Clean(l.Place), terminal.Clock(l.Until))
		})
	})
}

func licenceList(*pflag.FlagSet) command.Runner {
	return command.WithClient(func(ctx context.Context, e *command.Env, c *client.Client, _ []string) error {
		all, err := c.ListLicences(ctx)
		if err != nil {
			return err
		}
		return e.Print(all, func(w io.Writer) {
			t := terminal.NewTable("LICENCE", "OPERATOR", "REVOKED", "UNTIL", "|SCENARIOS; PLACE")
			for _, l := range all {
				t.Add(l.ID, l.Operator, terminal.Yes(l.Revoked), terminal.Clock(l.Until), strings.Join(l.Scenarios, ", ")+"; "+l.Place)
			}
			t.Write(w, e.Width)
		})
	})
}

func licenceRevoke(*pflag.FlagSet) command.Runner {
	return command.WithClient(func(ctx context.Context, e *command.Env, c *client.Client, args []string) error {
		if err := c.RevokeLicence(ctx, args[0]); err != nil {
			return err
		}
		return command.Done(e, "revoked", args[0], "Licence %s is revoked.\n", terminal.Clean(args[0]))
	})
}

func policyShow(*pflag.FlagSet) command.Runner {
	return command.WithClient(func(ctx context.Context, e *command.Env, c *client.Client, _ []string) error {
		p, err := c.ShowPolicy(ctx)
		if err != nil {
			return err
		}
		return command.PrintJSON(e, p)
	})
}

// policyMore is what the rules of a policy mean.
const policyMore = "A rule asks for approvals where everything that it names holds: severity and urgency (that one or above), " +
	"members (more than so many), share (so many percent of the district's members, or of its blocks where it has 5 or more, also with each estate counted alike where there are 5), " +
	"district (a share of 80), scenario. Of the rules that hold the one counts that asks for the most. A file such as\n" +
	"{\"rules\":[{\"severity\":\"Extreme\",\"approvals\":1},{\"share\":50,\"approvals\":2}]}\n" +
	"Severity and urgency Unknown count above Extreme and Immediate: leaving the word out is no way around a second person.\n" +
	"Members and share count also whom the same author has sent to within the 10 minutes before: one warning in two halves is one.\n" +
	"Cancels and corrections never wait, and neither does what a central system sends.\n" +
	"chain names the levels that planned notices go through (urgency Future or Past, Actual) whose scenario has none; almenara notice write --help says how one is written."

func policySet(fs *pflag.FlagSet) command.Runner {
	yes := fs.Bool("yes", false, "do not ask, where rules are dropped or made weaker")
	return command.WithClient(func(ctx context.Context, e *command.Env, c *client.Client, args []string) error {
		var p wire.Policy
		if err := command.ReadJSON(e, args[0], &p); err != nil {
			return err
		}
		before, err := c.ShowPolicy(ctx)
		if err != nil {
			return err
		}
		unread := before.Chain != nil && p.Chain == nil // planned notices
		if lost := dropped(before.Rules, p.Rules); (len(lost) > 0 || unread) && !*yes {
			if unread {
				fmt.Fprintln(e.Err, "Dropped: the levels that planned notices go through.")
			}
			for _, r := range lost {
				fmt.Fprintf(e.Err, "Dropped: %s\n", terminal.Clean(authority.RuleText(r)))
			}
			if len(p.Rules) == 0 {
				fmt.Fprintln(e.Err, "Nothing waits for approval any more.")
			}
			if err := command.AskFor(e, "yes", "Drop them? --yes does not ask"); err != nil {
				return err
			}
		}
		if err := c.PutPolicy(ctx, p); err != nil {
			return err
		}
		return command.Done(e, "set", strconv.Itoa(len(p.Rules)), "The policy has %s now.\n", terminal.Plural(len(p.Rules), "rule"))
	})
}

// dropped lists the rules of before that nothing of after is as strict as: the same conditions, and
// as many approvals.
func dropped(before, after []wire.PolicyRule) (lost []wire.PolicyRule) {
	for _, old := range before {
		kept := slices.ContainsFunc(after, func(r wire.PolicyRule) bool {
			enough := r.Approvals >= old.Approvals
			r.Approvals = old.Approvals
			return enough && r == old
		})
		if !kept {
			lost = append(lost, old)
		}
	}
	return lost
}
