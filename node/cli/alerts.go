package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"almenara/node/client"
	"almenara/node/wire"
)

func alertCommands() []command {
	return []command{
		{
			name: "cap check", purpose: "say whether CAP files would be taken, and why not", args: "FILE…", min: 1, max: -1,
			setup: capCheck, needs: needsNothing, example: "almenara cap check flood.xml\nalmenara cap check --json received/",
		},
		{
			name: "alert send", purpose: "send an alert and say how far it got", setup: alertSend,
			example: "almenara alert send --dry-run --cap flood.xml\nalmenara alert send --cap flood.xml\n" +
				"almenara alert send --status Exercise --event Flood --expires 30m \\\n" +
				"  --headline \"Go upstairs\" --select 'place under tuen-mun/on-ting'\n" +
				"almenara alert send --scenario flood --set 'where=Block 2' \\\n" +
				"  --incident i-7 --reason \"seen by the warden\"",
		},
		{
			name: "alert approve", purpose: "approve an alert that waits for it; its author cannot", args: "ALERT", min: 1, max: 1,
			setup: alertApprove, example: "almenara alert approve abcdefghijklmnopqrstuvwxyz",
		},
		{
			name: "alert cancel", purpose: "cancel an alert everywhere; no approval is needed", args: "ALERT", min: 1, max: 1,
			setup: alertCancel, example: "almenara alert cancel --reason \"wrong estate\" abcdefghijklmnopqrstuvwxyz",
		},
		{
			name: "alert list", purpose: "list alerts, newest first", setup: alertList, example: "almenara alert list --limit 20",
		},
		{
			name: "alert show", purpose: "show one alert and whom it reached", args: "ALERT", min: 1, max: 1, setup: alertShow,
			example: "almenara alert show abcdefghijklmnopqrstuvwxyz\n" +
				"almenara alert show --missing presented abcdefghijklmnopqrstuvwxyz",
		},
		{
			name: "alert watch", purpose: "watch an alert arrive, until all have presented it", args: "ALERT", min: 1, max: 1,
			setup: alertWatch, example: "almenara alert watch --for 2m abcdefghijklmnopqrstuvwxyz",
		},
	}
}

// draft is an alert as the flags of send say it.
type draft struct {
	file, selection, incident, reason, wait string
	status, expires                         string
	scenario                                string
	blanks                                  map[string]string
	info                                    wire.CAPInfo
	dryRun                                  bool
}

func alertSend(fs *pflag.FlagSet) runner {
	d := &draft{}
	fs.StringVar(&d.file, "cap", "", "CAP 1.2 file to send as it is; - is standard input")
	fs.StringVar(&d.scenario, "scenario", "", "prepared alert to send, by its id")
	fs.StringToStringVar(&d.blanks, "set", nil, "fill in a blank of the scenario: NAME=TEXT; may be repeated")
	fs.StringVar(&d.selection, "select", "", "who: a selection; with CAP areas both must hold")
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
	fs.StringVar(&d.wait, "wait", client.WaitCommitted, "how far before the answer: local, reached or committed")
	fs.BoolVar(&d.dryRun, "dry-run", false, "check everything and count whom it would address; send nothing")
	return func(ctx context.Context, e *env, _ []string) error {
		texts := fs.Changed("headline") || fs.Changed("event") || fs.Changed("description") || fs.Changed("instruction")
		switch {
		case d.scenario != "" && (d.file != "" || texts):
			return usagef("alert send takes --scenario, --cap or the texts, one of them")
		case d.scenario != "":
			return e.send(ctx, d)
		case len(d.blanks) > 0:
			return usagef("--set fills in the blanks of a --scenario")
		case d.file != "" && texts:
			return usagef("alert send takes --cap or the texts, not both")
		case d.file == "" && (d.info.Headline == "" || d.info.Event == ""):
			return usagef("alert send needs --scenario, --cap, or --headline and --event")
		case d.file == "" && d.selection == "":
			return usagef("alert send needs --select with these texts; who is meant is never guessed")
		}
		return e.send(ctx, d)
	}
}

// send sends the file or the texts and prints the outcome.
func (e *env) send(ctx context.Context, d *draft) error {
	c, err := e.client()
	if err != nil {
		return err
	}
	defer c.Close()
	var out wire.Outcome
	if d.file != "" {
		out, err = e.sendFile(ctx, c, d)
	} else {
		out, err = sendTexts(ctx, c, d)
	}
	switch {
	case err != nil:
		return err
	case d.dryRun:
		return e.printPreview(out)
	}
	return e.printOutcome(out)
}

func (e *env) sendFile(ctx context.Context, c *client.Client, d *draft) (wire.Outcome, error) {
	raw, err := e.readFile(d.file)
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
	if in, err := time.ParseDuration(d.expires); err == nil {
		info.Expires = now.Add(in).Format(capTime)
	} else if _, err := time.Parse(capTime, d.expires); err == nil {
		info.Expires = d.expires
	} else {
		return wire.SendAlert{}, usagef("--expires takes a duration such as 30m or a time such as 2026-07-20T17:40:00+08:00, not %q", d.expires)
	}
	raw, err := json.Marshal(wire.CAPAlert{Status: d.status, Info: []wire.CAPInfo{info}})
	if err != nil {
		return wire.SendAlert{}, fmt.Errorf("encoding alert: %w", err)
	}
	return wire.SendAlert{Alert: raw, Select: d.selection, Incident: d.incident, Reason: d.reason}, nil
}

func (e *env) printOutcome(out wire.Outcome) error {
	return e.print(out, func(w io.Writer) {
		if out.Effect == "ended" {
			fmt.Fprintf(w, "%s: alert %s is cancelled.\n", clean(out.State), clean(out.Alert))
			return
		}
		fmt.Fprintf(w, "%s: %s, %s connected here.\n", clean(out.State), plural(out.Addressed.Total, "member"), plural(out.Connected, "device"))
		fmt.Fprintf(w, "Alert %s is %s.\n", clean(out.Alert), effect(out.Effect))
		if len(out.Addressed.ByKind) > 0 {
			fmt.Fprintf(w, "Addressed: %s.\n", countList(out.Addressed.ByKind))
		}
		outcomeNotes(w, out)
	})
}

// outcomeNotes writes what there is to know besides.
func outcomeNotes(w io.Writer, out wire.Outcome) {
	if out.Approvals != nil {
		fmt.Fprintf(w, "Approvals: %s.\n", clean(approvalText(*out.Approvals)))
	}
	if out.Licence != "" {
		fmt.Fprintf(w, "Sent from a node that is alone, under the licence %s.\n", clean(out.Licence))
	}
	if out.Unlocated > 0 {
		fmt.Fprintf(w, "%s without a location: no shape can reach them.\n", plural(out.Unlocated, "member"))
	}
	for _, warning := range out.Warnings {
		fmt.Fprintf(w, "Warning: %s\n", clean(warning))
	}
}

// printPreview says what sending would do.
func (e *env) printPreview(out wire.Outcome) error {
	return e.print(out, func(w io.Writer) {
		fmt.Fprintf(w, "Nothing was sent. %s\n", wouldBe(out))
		if out.Effect == "ended" {
			return
		}
		fmt.Fprintf(w, "It addresses %s, %s connected here.\n", plural(out.Addressed.Total, "member"), plural(out.Connected, "device"))
		outcomeNotes(w, out)
		if out.Addressed.Total > 0 {
			fmt.Fprintln(w)
			e.counts(w, out.Addressed)
		}
	})
}

// wouldBe says wire.Outcome.Effect of what was not sent.
func wouldBe(out wire.Outcome) string {
	switch out.Effect {
	case "in-force":
		return "It would be in force at once."
	case "pending":
		return "It would wait for approvals; nobody is warned before."
	case "future":
		return "It would come into force later."
	case "superseded":
		return "A newer message supersedes it: it would be recorded and not broadcast."
	case "ended":
		return "It would cancel alert " + clean(out.Alert) + "."
	case "expired":
		return "It has expired: it would be recorded and not broadcast."
	case "cancelled":
		return "Its alert is cancelled: it would be recorded and not broadcast."
	case "duplicate":
		return "It is known already: sending it again would change nothing."
	}
	return "It would be recorded and not broadcast."
}

// effect says wire.Outcome.Effect in words.
func effect(name string) string {
	switch name {
	case "in-force":
		return "in force"
	case "pending":
		return "recorded and waits for approvals; nobody is warned before"
	case "duplicate":
		return "known already; nothing new was sent"
	case "recorded":
		return "recorded, and is not broadcast"
	case "cancelled":
		return "cancelled already; this message is recorded and not broadcast"
	case "expired":
		return "expired already; it is recorded and not broadcast"
	case "future":
		return "not in force yet"
	case "superseded":
		return "superseded by a newer message"
	}
	return clean(name)
}

func countList(counts []wire.Count) string {
	var parts []string
	for _, c := range counts {
		parts = append(parts, thousands(c.Count)+" "+clean(c.Name))
	}
	return strings.Join(parts, ", ")
}

func alertCancel(fs *pflag.FlagSet) runner {
	reason := fs.String("reason", "", "why, for the audit")
	wait := fs.String("wait", client.WaitCommitted, "how far before the answer: local, reached or committed")
	return func(ctx context.Context, e *env, args []string) error {
		c, err := e.client()
		if err != nil {
			return err
		}
		defer c.Close()
		out, err := c.CancelAlert(ctx, args[0], wire.CancelAlert{Reason: *reason}, *wait)
		if err != nil {
			return err
		}
		return e.printOutcome(out)
	}
}
