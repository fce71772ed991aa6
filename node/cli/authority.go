package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"almenara/node/client"
	"almenara/node/wire"
)

func authorityCommands() []command {
	return []command{
		{
			name: "scenario put", purpose: "add or change a prepared alert from a JSON file", args: "FILE", min: 1, max: 1, setup: scenarioPut,
			example: "almenara scenario put flood.json",
		},
		{name: "scenario list", purpose: "list the prepared alerts", setup: scenarioList, example: "almenara scenario list"},
		{
			name: "scenario show", purpose: "show one prepared alert as JSON, to change and put back", args: "SCENARIO", min: 1, max: 1,
			setup: scenarioShow, example: "almenara scenario show flood > flood.json",
		},
		{
			name: "scenario remove", purpose: "remove a prepared alert; what was sent stays", args: "SCENARIO", min: 1, max: 1,
			setup: scenarioRemove, example: "almenara scenario remove flood",
		},
		{
			name: "licence grant", purpose: "let an operator warn from a node that is alone", args: "OPERATOR", min: 1, max: 1, setup: licenceGrant,
			example: "almenara licence grant --scenario flood --place tuen-mun/on-ting duty\n" +
				"almenara licence grant --scenario '*' --place tuen-mun --for 24h duty",
		},
		{name: "licence list", purpose: "list licences, also past and revoked ones", setup: licenceList, example: "almenara licence list"},
		{
			name: "licence revoke", purpose: "revoke a licence for good", args: "LICENCE", min: 1, max: 1, setup: licenceRevoke,
			example: "almenara licence revoke 3f6c0a91b2d4",
		},
		{
			name: "policy show", purpose: "show which alerts need approvals, as JSON to edit and set", setup: policyShow,
			example: "almenara policy show > policy.json",
		},
		{
			name: "policy set", purpose: "replace the policy by that of a JSON file", args: "FILE", min: 1, max: 1, setup: policySet,
			example: "almenara policy set policy.json",
		},
	}
}

// called runs with a client of the node.
func called(do func(ctx context.Context, e *env, c *client.Client, args []string) error) runner {
	return func(ctx context.Context, e *env, args []string) error {
		c, err := e.client()
		if err != nil {
			return err
		}
		defer c.Close()
		return do(ctx, e, c, args)
	}
}

// readJSON reads a file that holds one JSON value of known fields.
func (e *env) readJSON(file string, into any) error {
	raw, err := e.readFile(file)
	if err != nil {
		return err
	}
	dec := json.NewDecoder(strings.NewReader(string(raw)))
	dec.DisallowUnknownFields()
	if err := dec.Decode(into); err != nil {
		return usagef("%s cannot be read: %s", file, strings.TrimPrefix(err.Error(), "json: "))
	}
	return nil
}

func alertApprove(fs *pflag.FlagSet) runner {
	var in wire.Approve
	fs.StringVar(&in.Digest, "digest", "", "digest of the message that you have read; with another one nothing is approved")
	fs.StringVar(&in.Reason, "reason", "", "why, for the audit")
	wait := fs.String("wait", client.WaitCommitted, "how far before the answer: local, reached or committed")
	return called(func(ctx context.Context, e *env, c *client.Client, args []string) error {
		out, err := c.ApproveAlert(ctx, args[0], in, *wait)
		if err != nil {
			return err
		}
		return e.printOutcome(out)
	})
}

func scenarioPut(*pflag.FlagSet) runner {
	return called(func(ctx context.Context, e *env, c *client.Client, args []string) error {
		var s wire.Scenario
		if err := e.readJSON(args[0], &s); err != nil {
			return err
		}
		s.Blanks = nil
		if err := c.PutScenario(ctx, s); err != nil {
			return err
		}
		return e.done("put", s.ID, "Scenario %s is in force.\n", clean(s.ID))
	})
}

func scenarioList(*pflag.FlagSet) runner {
	return called(func(ctx context.Context, e *env, c *client.Client, _ []string) error {
		all, err := c.ListScenarios(ctx)
		if err != nil {
			return err
		}
		return e.print(all, func(w io.Writer) {
			t := newTable("SCENARIO", ">MINUTES", ">APPROVALS", "BLANKS", "~TITLE")
			for _, s := range all {
				t.add(s.ID, thousands(s.Minutes), thousands(s.Approvals), or(strings.Join(s.Blanks, ","), "-"), s.Title)
			}
			t.write(w, e.Width)
		})
	})
}

// printJSON prints what is meant to be edited and given back.
func (e *env) printJSON(v any) error {
	return e.print(v, func(w io.Writer) {
		enc := json.NewEncoder(w)
		enc.SetIndent("", "  ")
		enc.SetEscapeHTML(false)
		_ = enc.Encode(v) // a write that fails is seen when the output is closed
	})
}

func scenarioShow(*pflag.FlagSet) runner {
	return called(func(ctx context.Context, e *env, c *client.Client, args []string) error {
		s, err := c.ShowScenario(ctx, args[0])
		if err != nil {
			return err
		}
		return e.printJSON(s)
	})
}

func scenarioRemove(*pflag.FlagSet) runner {
	return called(func(ctx context.Context, e *env, c *client.Client, args []string) error {
		if err := c.RemoveScenario(ctx, args[0]); err != nil {
			return err
		}
		return e.done("removed", args[0], "Scenario %s is removed.\n", clean(args[0]))
	})
}

func licenceGrant(fs *pflag.FlagSet) runner {
	var in wire.Licence
	fs.StringSliceVar(&in.Scenarios, "scenario", nil, "scenario that may be sent, or * for all and free texts; may be repeated")
	fs.StringVar(&in.Place, "place", "", "place outside of which nobody may be warned")
	hold := fs.Duration("for", 30*24*time.Hour, "how long it holds, 2160h (90 days) at most")
	return called(func(ctx context.Context, e *env, c *client.Client, args []string) error {
		if len(in.Scenarios) == 0 || in.Place == "" {
			return usagef("licence grant needs --scenario and --place")
		}
		in.Operator, in.Until = args[0], time.Now().Add(*hold).UTC().Truncate(time.Second)
		l, err := c.GrantLicence(ctx, in)
		if err != nil {
			return err
		}
		return e.print(l, func(w io.Writer) {
			fmt.Fprintf(w, "Licence %s: %s may send %s in %s until %s when a node is alone.\n",
				clean(l.ID), clean(l.Operator), clean(strings.Join(l.Scenarios, ", ")), clean(l.Place), clock(l.Until))
		})
	})
}

func licenceList(*pflag.FlagSet) runner {
	return called(func(ctx context.Context, e *env, c *client.Client, _ []string) error {
		all, err := c.ListLicences(ctx)
		if err != nil {
			return err
		}
		return e.print(all, func(w io.Writer) {
			t := newTable("LICENCE", "OPERATOR", "REVOKED", "UNTIL", "<PLACE", "~SCENARIOS")
			for _, l := range all {
				t.add(l.ID, l.Operator, yes(l.Revoked), shortClock(l.Until, time.Now()), l.Place, strings.Join(l.Scenarios, ","))
			}
			t.write(w, e.Width)
		})
	})
}

func licenceRevoke(*pflag.FlagSet) runner {
	return called(func(ctx context.Context, e *env, c *client.Client, args []string) error {
		if err := c.RevokeLicence(ctx, args[0]); err != nil {
			return err
		}
		return e.done("revoked", args[0], "Licence %s is revoked.\n", clean(args[0]))
	})
}

func policyShow(*pflag.FlagSet) runner {
	return called(func(ctx context.Context, e *env, c *client.Client, _ []string) error {
		p, err := c.ShowPolicy(ctx)
		if err != nil {
			return err
		}
		return e.printJSON(p)
	})
}

func policySet(*pflag.FlagSet) runner {
	return called(func(ctx context.Context, e *env, c *client.Client, args []string) error {
		var p wire.Policy
		if err := e.readJSON(args[0], &p); err != nil {
			return err
		}
		if err := c.PutPolicy(ctx, p); err != nil {
			return err
		}
		return e.done("set", strconv.Itoa(len(p.Rules)), "The policy has %s now.\n", plural(len(p.Rules), "rule"))
	})
}

// authorityOf adds the lines about by what right an alert went out.
func (e *env) authorityOf(t *table, a wire.Alert) {
	if a.Scenario != "" || a.Incident != "" {
		t.add("Scenario", or(a.Scenario, "free text")+", incident "+or(a.Incident, "none"))
	}
	if !a.Alone.IsZero() {
		t.add("Alone", "sent by a node without quorum since "+clock(a.Alone)+", licence "+or(a.Licence, "none needed"))
	}
	if a.Approvals != nil {
		t.add("Approvals", approvalText(*a.Approvals))
	}
	for i, id := range a.Duplicates {
		t.add(map[bool]string{true: "Possible duplicate"}[i == 0], id)
	}
}

func approvalText(a wire.Approvals) string {
	var names []string
	for _, by := range a.Given {
		names = append(names, by.Name)
	}
	return fmt.Sprintf("%d of %d: %s", len(a.Given), a.Needed, or(strings.Join(names, ", "), "nobody yet"))
}
