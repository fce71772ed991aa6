// Package alertcmd is the commands about alerts: what is sent, changed, ended and looked at.
package alertcmd

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"almenara/node/cli/command"
	"almenara/node/cli/tables"
	"almenara/node/cli/terminal"
	"almenara/node/client"
	"almenara/node/wire"
)

// Commands are those of this package, in the order of the overview.
func Commands() []command.Command {
	return []command.Command{
		{
			Name: "alert send", Purpose: "send an alert and say how far it got", Setup: alertSend,
			Example: "almenara alert send --dry-run --cap flood.xml\nalmenara alert send --cap flood.xml\n" +
				"almenara alert send --status Exercise --event Flood --expires 30m \\\n" +
				"  --headline \"Go upstairs\" --select 'place under tuen-mun/on-ting'\n" +
				"almenara alert send --scenario flood --set 'where=Block 2' \\\n  --incident i-7 --reason \"seen by the warden\"\n" +
				"almenara alert send --scenario call-out --answers 2 --within 10 \\\n  --then 'wave = b'",
		},
		{
			Name: "alert approve", Purpose: "approve an alert that waits for it; its author cannot", Args: "ALERT", Min: 1, Max: 1,
			Setup: alertApprove, Example: "almenara alert approve abcdefghijklmnopqrstuvwxyz\n" +
				"almenara alert approve --for chief --code '482 913' \\\n  abcdefghijklmnopqrstuvwxyz",
			More: "With --for and --code it is approved in the name of somebody who has read out a code over a radio or a telephone (alert code). It works at a node that can reach no other.",
		},
		{
			Name: "alert correct", Purpose: "say other words to the same people, without approval", Args: "ALERT", Min: 1, Max: 1,
			Setup: alertCorrect, Example: "almenara alert correct --headline \"Block 2, not 1\" abcdefghijklmnopqrstuvwxyz\n" +
				"almenara alert correct --set 'where=Block 2' --reason \"wrong block\" \\\n  abcdefghijklmnopqrstuvwxyz",
		},
		{
			Name: "alert update", Purpose: "change an alert; what is not given stays as it is", Args: "ALERT", Min: 1, Max: 1, Setup: alertUpdate,
			More: "Where it is wider or louder than before, it waits for the approvals that the policy asks for, and devices show what stands until then. " +
				"Other words or an earlier end for the same people are a correction: alert correct.",
			Example: "almenara alert update --severity Extreme abcdefghijklmnopqrstuvwxyz\n" +
				"almenara alert update --dry-run --select 'place under tuen-mun' \\\n  abcdefghijklmnopqrstuvwxyz",
		},
		{
			Name: "alert cancel", Purpose: "cancel an alert everywhere; no approval is needed", Args: "ALERT", Min: 1, Max: 1,
			Setup: alertCancel, Example: "almenara alert cancel --reason \"wrong estate\" abcdefghijklmnopqrstuvwxyz",
		},
		{
			Name: "alert list", Purpose: "list alerts, newest first", Setup: alertList, Example: "almenara alert list --limit 20",
		},
		{
			Name: "alert show", Purpose: "show one alert and whom it reached", Args: "ALERT", Min: 1, Max: 1, Setup: alertShow,
			Example: "almenara alert show abcdefghijklmnopqrstuvwxyz\n" +
				"almenara alert show --missing presented abcdefghijklmnopqrstuvwxyz",
		},
		{
			Name: "alert receipts", Purpose: "list who was reached, or who was not and why", Args: "ALERT", Min: 1, Max: 1, Setup: alertReceipts, More: receiptsMore,
			Example: "almenara alert receipts --missing abcdefghijklmnopqrstuvwxyz\n" +
				"almenara alert receipts --missing --place tuen-mun/on-ting/on-lai \\\n  abcdefghijklmnopqrstuvwxyz\n" +
				"almenara alert receipts --missing --csv \\\n  abcdefghijklmnopqrstuvwxyz > missing.csv",
		},
		{
			Name: "alert report", Purpose: "report what an alert came to, and when it reached whom", Args: "ALERT", Min: 1, Max: 1, Setup: alertReport, More: reportMore,
			Example: "almenara alert report abcdefghijklmnopqrstuvwxyz\n" +
				"almenara alert report --csv abcdefghijklmnopqrstuvwxyz > report.csv",
		},
		{
			Name: "alert watch", Purpose: "watch an alert arrive, until all have presented it", Args: "ALERT", Min: 1, Max: 1,
			Setup: alertWatch, Example: "almenara alert watch --for 2m abcdefghijklmnopqrstuvwxyz",
		},
	}
}

// draft is an alert as the flags of send say it.
type draft struct {
	file, selection, incident, reason, wait string
	status, expires, scenario               string
	blanks                                  map[string]string
	info                                    wire.CAPInfo
	dryRun                                  bool
	further                                 func(*wire.SendAlert) error
}

func alertSend(fs *pflag.FlagSet) command.Runner {
	d := &draft{}
	fs.StringVar(&d.file, "cap", "", "CAP 1.2 file to send as it is; - is standard input")
	fs.StringVar(&d.scenario, "scenario", "", "prepared alert to send, by its id")
	command.Pairs(fs, &d.blanks, "set", "`NAME=TEXT`: fill in a blank of the scenario")
	fs.StringVar(&d.selection, "select", "", "who: a selection; with CAP areas both must hold")
	d.further = command.FurtherFlags(fs)
	fs.StringVar(&d.info.Headline, "headline", "", "one line that says it all")
	fs.StringVar(&d.info.Description, "description", "", "what happens")
	fs.StringVar(&d.info.Instruction, "instruction", "", "what to do")
	fs.StringVar(&d.info.Event, "event", "", "what it is, such as Flood")
	fs.StringSliceVar(&d.info.Category, "category", []string{"Safety"}, "CAP category, such as Met or Fire")
	fs.StringVar(&d.info.Language, "language", "en", "language of the texts, such as zh-HK")
	fs.StringVar(&d.info.Severity, "severity", "Unknown", "Extreme, Severe, Moderate, Minor or Unknown")
	fs.StringVar(&d.info.Urgency, "urgency", "Unknown", "Immediate, Expected, Future, Past or Unknown")
	fs.StringVar(&d.info.Certainty, "certainty", "Unknown", "Observed, Likely, Possible, Unlikely or Unknown")
	fs.StringVar(&d.expires, "expires", "1h", "when it ends: a duration, or a time such as 2026-07-20T17:40:00+08:00")
	fs.StringVar(&d.status, "status", "", "Actual, Exercise or Test; the node's default when absent")
	fs.StringVar(&d.incident, "incident", "", "id of the incident; one scenario and one incident make one alert")
	fs.StringVar(&d.reason, "reason", "", "why, for the audit")
	fs.StringVar(&d.wait, "wait", client.WaitCommitted, "how far before the answer: local, held or committed")
	fs.BoolVar(&d.dryRun, "dry-run", false, "check everything and count whom it would address; send nothing")
	return func(ctx context.Context, e *command.Env, _ []string) error {
		texts := fs.Changed("headline") || fs.Changed("event") || fs.Changed("description") || fs.Changed("instruction")
		switch {
		case d.scenario != "" && (d.file != "" || texts):
			return command.Usagef("alert send takes --scenario, --cap or the texts, one of them")
		case d.scenario != "":
			return send(ctx, e, d)
		case len(d.blanks) > 0:
			return command.Usagef("--set fills in the blanks of a --scenario")
		case d.file != "" && texts:
			return command.Usagef("alert send takes --cap or the texts, not both")
		case d.file == "" && (d.info.Headline == "" || d.info.Event == ""):
			return command.Usagef("alert send needs --scenario, --cap, or --headline and --event")
		case d.file == "" && d.selection == "":
			return command.Usagef("alert send needs --select with these texts; who is meant is never guessed")
		}
		return send(ctx, e, d)
	}
}

// send sends the file or the texts and prints the outcome.
func send(ctx context.Context, e *command.Env, d *draft) error {
	c, err := e.Client()
	if err != nil {
		return err
	}
	defer c.Close()
	var out wire.Outcome
	if d.file != "" {
		out, err = sendFile(ctx, e, c, d)
	} else {
		out, err = sendTexts(ctx, c, d)
	}
	switch {
	case err != nil:
		return err
	case d.dryRun:
		return printPreview(e, out)
	}
	return printOutcome(e, out)
}

func sendFile(ctx context.Context, e *command.Env, c *client.Client, d *draft) (wire.Outcome, error) {
	raw, err := e.ReadFile(d.file)
	if err == nil {
		err = d.further(nil)
	}
	if err != nil {
		return wire.Outcome{}, err
	}
	if d.dryRun {
		return c.PreviewCAP(ctx, raw, d.selection)
	}
	return c.TakeCAP(ctx, raw, d.selection, d.wait)
}

func sendTexts(ctx context.Context, c *client.Client, d *draft) (wire.Outcome, error) {
	in, err := d.alert(time.Now())
	if err == nil {
		err = d.further(&in)
	}
	if err != nil {
		return wire.Outcome{}, err
	}
	if d.dryRun {
		return c.PreviewAlert(ctx, in)
	}
	return c.SendAlert(ctx, in, d.wait)
}

// capTime is how CAP 1.2 §3.3.2 writes a time: never with Z.
const capTime = "2006-01-02T15:04:05-07:00"

// alert is the draft in the API's form.
func (d *draft) alert(now time.Time) (wire.SendAlert, error) {
	if d.scenario != "" {
		return wire.SendAlert{Scenario: d.scenario, Blanks: d.blanks, Select: d.selection, Incident: d.incident, Reason: d.reason}, nil
	}
	info := d.info
	at, err := endOf(d.expires, now)
	if err != nil {
		return wire.SendAlert{}, err
	}
	info.Expires = at.Format(capTime)
	raw, err := json.Marshal(wire.CAPAlert{Status: d.status, Info: []wire.CAPInfo{info}})
	if err != nil {
		return wire.SendAlert{}, fmt.Errorf("encoding alert: %w", err)
	}
	return wire.SendAlert{Alert: raw, Select: d.selection, Incident: d.incident, Reason: d.reason}, nil
}

func printOutcome(e *command.Env, out wire.Outcome) error {
	err := e.Print(out, func(w io.Writer) {
		writeEffect(w, out)
		if ends(out) {
			return
		}
		if out.Effect != wire.EffectNone {
			fmt.Fprintf(w, "It addresses %s.\n", addressed(out))
			if len(out.Addressed.ByKind) > 0 {
				fmt.Fprintf(w, "Addressed: %s.\n", countList(out.Addressed.ByKind))
			}
		}
		outcomeNotes(e, w, out)
		if out.Effect == wire.EffectWarns {
			fmt.Fprintf(w, "See it arrive: almenara alert watch %s\n", terminal.Clean(out.Alert))
		}
	})
	return errors.Join(err, warnsNobody(out))
}

// writeEffect says what the message does to people, before anything else, and how far it got.
func writeEffect(w io.Writer, out wire.Outcome) {
	alert, got := terminal.Clean(out.Alert), terminal.Clean(replication(out.Replication, out.HeldBy, out.HeldOf))
	switch {
	case ends(out):
		fmt.Fprintf(w, "Alert %s is cancelled (%s).\n", alert, got)
	case out.Effect == wire.EffectWaits:
		fmt.Fprintf(w, "Nobody is warned yet. Alert %s waits for %s (%s).\n", alert, missing(out.Approvals), got)
	case out.Effect == wire.EffectNone:
		fmt.Fprintf(w, "Nobody is warned. Alert %s is %s (%s).\n", alert, standing(out), got)
	default:
		fmt.Fprintf(w, "Alert %s is %s (%s).\n", alert, standing(out), got)
	}
}

// missing says how many approvals an alert waits for.
func missing(a *wire.Approvals) string {
	if a == nil {
		return "approval"
	}
	return terminal.Plural(max(a.Needed-len(a.Given), 0), "approval")
}

// why says which rule asks for approvals; "" where that is not known.
func why(a *wire.Approvals) string {
	if a == nil || a.Why == nil {
		return ""
	}
	return a.Why.Sentence
}

// warnsNobody ends a command with exit code 1 whose output says that nobody is warned.
func warnsNobody(out wire.Outcome) error {
	if out.Effect == wire.EffectNone {
		return command.ErrReported
	}
	return nil
}

// addressed says how many are addressed, and how many of them can be reached now.
func addressed(out wire.Outcome) string {
	text := terminal.Plural(out.Addressed.Total, "member")
	if out.Reachable != nil {
		text += fmt.Sprintf(", %s with a device connected now", terminal.Thousands(*out.Reachable))
	}
	n := len(out.Unanswered)
	switch {
	case n > 0 && out.ReachableFrom == wire.SourceThisNode:
		text += " to this node, which asked no other"
	case n > 0:
		text += fmt.Sprintf(" as far as is known without %s that did not answer", terminal.Plural(n, "node"))
	}
	return text
}

// outcomeNotes writes what there is to know besides.
func outcomeNotes(e *command.Env, w io.Writer, out wire.Outcome) {
	if out.Approvals != nil {
		fmt.Fprintf(w, "Approvals: %s.\n", terminal.Clean(approvalText(*out.Approvals)))
		if text := why(out.Approvals); text != "" {
			terminal.Wrapped(w, e.Width, "Why: ", text+".")
		}
	}
	if out.Licence != "" {
		fmt.Fprintf(w, "Sent from a node that is alone, under the licence %s.\n", terminal.Clean(out.Licence))
	}
	tables.Escalation(w, out.Escalation, e.Width)
	if out.Unlocated > 0 {
		fmt.Fprintf(w, "%s without a location: no shape can reach them.\n", terminal.Plural(out.Unlocated, "member"))
	}
	if out.Reachable != nil && *out.Reachable == 0 && out.Addressed.Total > 0 {
		where := "in the district"
		switch {
		case len(out.Unanswered) > 0 && out.ReachableFrom == wire.SourceThisNode:
			where = "to this node"
		case len(out.Unanswered) > 0:
			where = "to a node that answered"
		}
		fmt.Fprintf(w, "Warning: no device of those addressed is connected %s now; they get it when they come back.\n", where)
	}
	for _, warning := range out.Warnings {
		terminal.Wrapped(w, e.Width, "Warning: ", warning.Text)
	}
}

// printPreview says what sending would do.
func printPreview(e *command.Env, out wire.Outcome) error {
	err := e.Print(out, func(w io.Writer) {
		fmt.Fprintf(w, "Nothing was sent. %s\n", WouldBe(out))
		if ends(out) {
			return
		}
		fmt.Fprintf(w, "It addresses %s.\n", addressed(out))
		outcomeNotes(e, w, out)
		if out.Addressed.Total > 0 {
			fmt.Fprintln(w)
			tables.Counts(w, e.Width, out.Addressed)
		}
		if len(out.Texts) > 0 {
			fmt.Fprintln(w, "\nWhat people would read:")
			textTables(e, w, out.Texts)
		}
	})
	return errors.Join(err, warnsNobody(out))
}

// ends reports whether the message is a Cancel that ends its alert.
func ends(out wire.Outcome) bool { return out.MsgType == "Cancel" && out.State == wire.StateCancelled }

// replication says how far something has got.
func replication(r wire.Replication, by, of int) string {
	if r == wire.ReplicationHeld {
		return fmt.Sprintf("held by %d of %d nodes", by, of)
	}
	return string(r)
}

// WouldBe says where a message would stand that was not sent.
func WouldBe(out wire.Outcome) string {
	switch {
	case out.State == wire.StatePending:
		return "It would wait for " + missing(out.Approvals) + "; nobody is warned before."
	case out.Duplicate:
		return "It is known already: sending it again would change nothing."
	case ends(out):
		return "It would cancel alert " + terminal.Clean(out.Alert) + "."
	}
	switch out.State {
	case wire.StateInForce:
		return "It would be in force at once."
	case wire.StateFuture:
		return "It would come into force later."
	case wire.StateSuperseded:
		return "A newer message supersedes it: it would be recorded and not broadcast."
	case wire.StateExpired:
		return "It has expired: it would be recorded and not broadcast."
	case wire.StateCancelled:
		return "Its alert is cancelled: it would be recorded and not broadcast."
	}
	return "It would be recorded and not broadcast."
}

// standing says where a message stands that was sent.
func standing(out wire.Outcome) string {
	switch {
	case out.State == wire.StatePending:
		return "recorded and waits for approvals; nobody is warned before"
	case out.Duplicate:
		return "known already; nothing new was sent"
	}
	switch out.State {
	case wire.StateInForce:
		return "in force"
	case wire.StateRecorded:
		return "recorded, and is not broadcast"
	case wire.StateCancelled:
		return "cancelled already; this message is recorded and not broadcast"
	case wire.StateExpired:
		return "expired already; it is recorded and not broadcast"
	case wire.StateFuture:
		return "not in force yet"
	case wire.StateSuperseded:
		return "superseded by a newer message"
	}
	return terminal.Clean(string(out.State))
}

func countList(counts []wire.Count) string {
	var parts []string
	for _, c := range counts {
		parts = append(parts, terminal.Thousands(c.Count)+" "+terminal.Clean(c.Name))
	}
	return strings.Join(parts, ", ")
}

func alertCancel(fs *pflag.FlagSet) command.Runner {
	reason := fs.String("reason", "", "why, for the audit")
	wait := fs.String("wait", client.WaitCommitted, "how far before the answer: local, held or committed")
	return func(ctx context.Context, e *command.Env, args []string) error {
		c, err := e.Client()
		if err != nil {
			return err
		}
		defer c.Close()
		out, err := c.CancelAlert(ctx, args[0], wire.CancelAlert{Reason: *reason}, *wait)
		if err != nil {
			return err
		}
		return printOutcome(e, out)
	}
}
