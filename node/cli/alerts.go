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
			setup: capCheck, example: "almenara cap check flood.xml\nalmenara cap check --json received/",
		},
		{
			name: "alert send", purpose: "send an alert and say how far it got", setup: alertSend,
			example: "almenara alert send --cap flood.xml\n" +
				"almenara alert send --status Exercise --event Flood --expires 30m \\\n" +
				"  --headline \"Go upstairs\" --select 'place under tuen-mun/on-ting'",
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
	info                                    wire.CAPInfo
	dryRun                                  bool
}

func alertSend(fs *pflag.FlagSet) runner {
	d := &draft{}
	fs.StringVar(&d.file, "cap", "", "CAP 1.2 file to send as it is; - is standard input")
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
	fs.BoolVar(&d.dryRun, "dry-run", false, "count whom --select addresses, send nothing")
	return func(ctx context.Context, e *env, _ []string) error {
		texts := fs.Changed("headline") || fs.Changed("event") || fs.Changed("description") || fs.Changed("instruction")
		switch {
		case d.dryRun:
			return e.countAudience(ctx, d.selection)
		case d.file != "" && texts:
			return usagef("alert send takes --cap or the texts, not both")
		case d.file == "" && (d.info.Headline == "" || d.info.Event == ""):
			return usagef("alert send needs --cap, or --headline and --event")
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
		raw, err := e.readFile(d.file)
		if err != nil {
			return err
		}
		out, err = c.TakeCAP(ctx, raw, d.selection, d.wait)
		if err != nil {
			return err
		}
		return e.printOutcome(out)
	}
	in, err := d.alert(time.Now())
	if err != nil {
		return err
	}
	if out, err = c.SendAlert(ctx, in, d.wait); err != nil {
		return err
	}
	return e.printOutcome(out)
}

// capTime is how CAP 1.2 §3.3.2 writes a time: never with Z.
const capTime = "2006-01-02T15:04:05-07:00"

// alert is the draft in the API's form.
func (d *draft) alert(now time.Time) (wire.SendAlert, error) {
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

// countAudience says whom a selection addresses.
func (e *env) countAudience(ctx context.Context, selection string) error {
	if selection == "" {
		return usagef("--dry-run counts --select, which is missing; the areas of a CAP file are resolved by the node when it is sent")
	}
	c, err := e.client()
	if err != nil {
		return err
	}
	defer c.Close()
	selected, err := c.Select(ctx, selection, "", 1)
	if err != nil {
		return err
	}
	selected.Members, selected.Next = nil, ""
	return e.print(selected, func(w io.Writer) {
		fmt.Fprintf(w, "Nothing was sent. %s addresses %s.\n\n", clean(selected.Expression), plural(selected.Counts.Total, "member"))
		e.counts(w, selected.Counts)
	})
}

// counts writes the tables by kind and place.
func (e *env) counts(w io.Writer, counts wire.Counts) {
	t := newTable(">MEMBERS", "KIND")
	for _, line := range counts.ByKind {
		t.add(thousands(line.Count), line.Name)
	}
	if len(t.rows) > 0 {
		t.write(w, e.Width)
	}
	t = newTable(">MEMBERS", "PLACE")
	for _, line := range counts.ByPlace {
		t.add(thousands(line.Count), line.Name)
	}
	if len(t.rows) > 0 {
		fmt.Fprintln(w)
		t.write(w, e.Width)
	}
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
		if out.Unlocated > 0 {
			fmt.Fprintf(w, "%s without a location: no shape can reach them.\n", plural(out.Unlocated, "member"))
		}
		for _, warning := range out.Warnings {
			fmt.Fprintf(w, "Warning: %s\n", clean(warning))
		}
	})
}

// effect says wire.Outcome.Effect in words.
func effect(name string) string {
	switch name {
	case "in-force":
		return "in force"
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
