package auditcmd

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"almenara/node/cli/command"
	"almenara/node/cli/terminal"
	"almenara/storage/audit"
)

// Line is one line of the audit, as an export has it.
type Line struct {
	N       uint64        `json:"n"`
	At      int64         `json:"at"` // ms since 1970
	Actor   string        `json:"actor"`
	Action  string        `json:"action"`
	Summary string        `json:"summary"`
	Outcome audit.Outcome `json:"outcome,omitempty"`
	Subject string        `json:"subject,omitempty"`
}

// verbs are what people read for the actions that the audit names; any other is written as it is.
var verbs = map[string]string{
	"members put": "put members:", "members remove": "removed members:", "import activate": "began the import", "import fold": "carried on the import",
	"import drop": "gave up the import", "places put": "put", "places remove": "removed", "place change": "changed the place", "devices enrol": "enrolled", "device revoke": "revoked the device",
	"user put": "put the user", "user revoke": "revoked the user", "node put": "put the node", "node remove": "removed the node",
	"join token put": "made an invitation:", "join token use": "used an invitation:", "key ring put": "signed the key ring:", "district put": "began the district",
	"scenario put": "put the scenario", "scenario remove": "removed the scenario", "licence grant": "granted the licence", "licence revoke": "revoked the licence",
	"policy put": "set the policy:", "alert adopted": "put on record:", "alert new": "put on record:", "alert approved": "put on record an approval:", "alert refused": "put on record a refusal:",
	"fan-out": "put on record who was told:", "receipts adopt": "put on record receipts:",
}

// ofReceipts is the action of which there are so many lines that they are left out unless they are
// asked for.
const ofReceipts = "receipts adopt"

// filter says which lines are wanted.
type filter struct {
	who, what string
	since     time.Time
}

// wants reports whether the line is, and whether it is one of receipts that nobody asked for.
func (f filter) wants(l Line) (wanted, receipts bool) {
	has := func(text string, in ...string) bool {
		for _, s := range in {
			if strings.Contains(strings.ToLower(s), strings.ToLower(text)) {
				return true
			}
		}
		return false
	}
	if !has(f.who, l.Actor, l.Subject, l.Summary) || !has(f.what, l.Action, verbs[l.Action], l.Summary) || time.UnixMilli(l.At).Before(f.since) {
		return false, false
	}
	return l.Action != ofReceipts || f.what != "", l.Action == ofReceipts
}

// reader keeps the newest lines of an export that are wanted.
type reader struct {
	filter
	most    int
	rest    []byte
	kept    []Line
	earlier int // wanted, and older than those
	left    int // lines of receipts
}

// Write takes a part of the export.
func (r *reader) Write(p []byte) (int, error) {
	r.rest = append(r.rest, p...)
	for {
		end := bytes.IndexByte(r.rest, '\n')
		if end < 0 {
			return len(p), nil
		}
		var l Line
		if err := json.Unmarshal(r.rest[:end], &l); err != nil {
			return 0, fmt.Errorf("reading a line of the audit: %w", err)
		}
		r.rest = r.rest[end+1:]
		switch wanted, receipts := r.wants(l); {
		case l.N == 0: // the first and the last line of an export
		case wanted:
			r.kept = append(r.kept, l)
		case receipts:
			r.left++
		}
		if len(r.kept) > r.most {
			r.kept, r.earlier = r.kept[1:], r.earlier+1
		}
	}
}

// sentence is the line for people.
func (l Line) sentence() string {
	verb := command.Or(verbs[l.Action], l.Action+":")
	if (audit.Entry{Outcome: l.Outcome, Summary: l.Summary}).Refused() {
		verb = "was refused: " + l.Action + ":"
	}
	return fmt.Sprintf("%s %s %s", l.Actor, verb, l.Summary)
}

func auditShow(fs *pflag.FlagSet) command.Runner {
	var f filter
	fs.StringVar(&f.who, "who", "", "only lines that name this user or node")
	fs.StringVar(&f.what, "what", "", "only lines that hold this, such as policy, an alert's id or receipts")
	since := fs.String("since", "", "only lines since then: a duration such as 12h, or a time such as 2026-07-20T17:40:00+08:00")
	limit := fs.Int("limit", 50, "the most lines to show, the newest")
	return func(ctx context.Context, e *command.Env, _ []string) (err error) {
		if *since != "" {
			if f.since, err = sinceOf(*since, time.Now()); err != nil {
				return err
			}
		}
		c, err := e.Client()
		if err != nil {
			return err
		}
		defer c.Close()
		r := &reader{filter: f, most: max(*limit, 1), kept: []Line{}}
		if err := c.ExportAudit(ctx, r, 0, 0); err != nil {
			return err
		}
		return e.Print(r.kept, func(w io.Writer) { show(e, w, r) })
	}
}

// sinceOf reads a time, or so long ago.
func sinceOf(text string, now time.Time) (time.Time, error) {
	if ago, err := time.ParseDuration(text); err == nil {
		return now.Add(-ago.Abs()), nil
	}
	at, err := time.Parse(time.RFC3339, strings.ToUpper(text))
	if err != nil {
		return at, command.Usagef("--since takes a duration such as 12h or a time such as 2026-07-20T17:40:00+08:00, not %q", text)
	}
	return at, nil
}

// show writes the lines, the newest last.
func show(e *command.Env, w io.Writer, r *reader) {
	if r.earlier > 0 {
		fmt.Fprintf(w, "%s before these; --limit shows more.\n", terminal.Plural(r.earlier, "line"))
	}
	for _, l := range r.kept {
		at := time.UnixMilli(l.At)
		first := at.Local().Format("2006-01-02 15:04:05")
		if e.Width == terminal.Unbounded {
			first = terminal.Clock(at)
		}
		terminal.Wrapped(w, e.Width, first+"  ", l.sentence())
	}
	if r.left > 0 {
		fmt.Fprintf(w, "%s about receipts left out; --what receipts shows them.\n", terminal.Plural(r.left, "line"))
	}
	e.Zone(w, len(r.kept), time.Now())
}
