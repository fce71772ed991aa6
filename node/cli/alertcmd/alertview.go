package alertcmd

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"almenara/node/cli/command"
	"almenara/node/cli/tables"
	"almenara/node/cli/terminal"
	"almenara/node/client"
	"almenara/node/wire"
)

func alertList(fs *pflag.FlagSet) command.Runner {
	limit := fs.Int("limit", 20, "the most alerts to list")
	waiting := fs.Bool("waiting", false, "only those that wait for approval, or a change of which does")
	return func(ctx context.Context, e *command.Env, _ []string) error {
		c, err := e.Client()
		if err != nil {
			return err
		}
		defer c.Close()
		alerts, err := allAlerts(ctx, c, *limit, *waiting)
		if err != nil {
			return err
		}
		return e.Print(alerts, func(w io.Writer) { writeAlertList(e, w, alerts, time.Now()) })
	}
}

// leastHeadline is how many columns a headline keeps beside the time of its end.
const leastHeadline = 20

// alertList writes a line for each alert. When they expire is shown where there is
// room for it.
func writeAlertList(e *command.Env, w io.Writer, alerts []wire.Alert, now time.Time) {
	with := terminal.NewTable("ALERT", "STATE", "SENT", "EXPIRES", ">PRESENTED", "HEADLINE")
	without := terminal.NewTable("ALERT", "STATE", "SENT", ">PRESENTED", "HEADLINE")
	headline := 0
	short := func(t time.Time) string { return terminal.ShortClock(t, now) }
	if e.Width == terminal.Unbounded {
		short = terminal.Clock
	}
	for _, a := range alerts {
		sent, text := short(a.Sent), tables.Labelled(a)
		with.Add(a.ID, string(a.State), sent, short(a.Expires), presentedOf(a), text)
		without.Add(a.ID, string(a.State), sent, presentedOf(a), text)
		headline = max(headline, terminal.ColumnsOf(text))
	}
	if with.LastColumn(e.Width) >= min(headline, leastHeadline) {
		with.Write(w, e.Width)
	} else {
		without.Write(w, e.Width)
	}
	e.Zone(w, len(alerts), now)
	if len(alerts) > 0 {
		var rounded uint64
		for _, a := range alerts {
			rounded = max(rounded, a.RoundedTo)
		}
		countNotes(w, alerts[0].CountsFrom, rounded)
	}
	if slices.ContainsFunc(alerts, func(a wire.Alert) bool { return a.State == wire.StatePending }) {
		fmt.Fprintln(w, "What is pending waits for approval; alert show ALERT says what it says.")
	}
	for _, a := range alerts {
		if text := asked(a.Approvals); text != "" {
			fmt.Fprintf(w, "%s: asked for approval now: %s.\n", terminal.Clean(a.ID), terminal.Clean(text))
		}
	}
	if slices.ContainsFunc(alerts, tables.ChangeWaits) {
		fmt.Fprintln(w, "A change of what is in force waits for approval; alert show ALERT says which.")
	}
}

func presentedOf(a wire.Alert) string {
	return terminal.Thousands(a.Rungs.Presented) + "/" + terminal.Thousands(a.Rungs.Queued)
}

func alertShow(fs *pflag.FlagSet) command.Runner {
	reached := fs.String("reached", "", "list the members at this rung or above, such as presented")
	missing := fs.String("missing", "", "list the members that are below this rung")
	limit := fs.Int("limit", 100, "the most members to list")
	original := fs.Bool("cap", false, "print the CAP message as it came")
	return func(ctx context.Context, e *command.Env, args []string) error {
		if *reached != "" && *missing != "" {
			return command.Usagef("alert show takes --reached or --missing, not both")
		}
		if rung := command.Or(*reached, *missing); rung != "" {
			return receipts(ctx, e, args[0], wire.ReceiptQuery{Rung: rung, Missing: *missing != ""}, *limit, table)
		}
		return showAlert(ctx, e, args[0], *original)
	}
}

func showAlert(ctx context.Context, e *command.Env, id string, original bool) error {
	c, err := e.Client()
	if err != nil {
		return err
	}
	defer c.Close()
	if original {
		raw, err := c.AlertMessage(ctx, id)
		if err != nil {
			return err
		}
		_, err = e.Out.Write(raw)
		return command.Writing(err)
	}
	a, err := c.ShowAlert(ctx, id)
	if err != nil {
		return err
	}
	return e.Print(a, func(w io.Writer) {
		a.Scenario = called(ctx, c, a.Scenario)
		alertTable(e, w, a)
	})
}

// called is the title of a scenario with the id behind it, which is typed; the id alone where it is gone, "" for none.
func called(ctx context.Context, c *client.Client, id string) string {
	if id == "" {
		return ""
	}
	s, err := c.ShowScenario(ctx, id)
	if err != nil || s.Title == "" {
		return id
	}
	return s.Title + " (" + id + ")"
}

func alertTable(e *command.Env, w io.Writer, a wire.Alert) {
	t := terminal.Table{}
	t.Add("Headline", tables.Labelled(a))
	t.Add("Alert", a.ID)
	t.Add("Message", a.Key)
	t.Add("State", string(a.State)+", "+replication(a.Replication, a.HeldBy, a.HeldOf))
	t.Add(map[bool]string{true: "Written", false: "Sent"}[a.State == wire.StatePending], terminal.Clock(a.Sent))
	t.Add("Expires", terminal.Clock(a.Expires))
	if a.Author != "" {
		t.Add("Author", a.Author)
	}
	if a.Select != "" {
		t.Add("Select", a.Select)
	}
	authorityOf(e, &t, a)
	if a.State == wire.StateRecorded && a.Approvals != nil && len(a.Approvals.Given) < a.Approvals.Needed {
		t.Add("", "It ran out before it was approved; nobody was warned.")
	}
	t.Write(w, e.Width)
	fmt.Fprintln(w)
	rungTable(e, w, a)
	countNotes(w, a.CountsFrom, a.RoundedTo)
	if len(a.Messages) > 1 {
		fmt.Fprintln(w)
		messageTable(e, w, a.Messages)
	}
	for _, m := range a.Messages {
		texts(e, w, a, m)
	}
}

// texts writes what a message says, in every language, and how to approve it where it waits
// for that.
func texts(e *command.Env, w io.Writer, a wire.Alert, m wire.Message) {
	if len(m.Texts) == 0 {
		return
	}
	fmt.Fprintf(w, "\n%s of revision %s says:\n", terminal.Clean(m.MsgType), strconv.FormatUint(m.Revision, 10))
	textTables(e, w, m.Texts)
	if m.Pending {
		fmt.Fprintf(w, "\nIt waits for %s; nobody is warned before.\n", missing(m.Approvals))
		if text := why(m.Approvals); text != "" {
			terminal.Wrapped(w, e.Width, "Why: ", text+".")
		}
		if m.Number != "" {
			fmt.Fprintf(w, "For an approval by voice its number is %s.\n", terminal.Clean(m.Number))
		}
		fmt.Fprintf(w, "To approve what is said here:\n  almenara alert approve %s \\\n    --digest %s\n", terminal.Clean(a.ID), terminal.Clean(m.Digest))
	}
}

// textTables writes each text of a message.
func textTables(e *command.Env, w io.Writer, texts []wire.MessageText) {
	for _, text := range texts {
		t := terminal.Table{}
		for _, line := range [][2]string{
			{"Language", text.Language}, {"Event", text.Event}, {"Category", strings.Join(text.Category, ", ")}, {"Severity", loudness(text)}, {"Headline", text.Headline}, {"Description", text.Description},
			{"Instruction", text.Instruction}, {"From", text.SenderName}, {"Areas", strings.Join(text.Areas, "; ")}, {"Web", text.Web}, {"Contact", text.Contact},
		} {
			if line[1] != "" {
				t.Add(line[0], line[1])
			}
		}
		fmt.Fprintln(w)
		t.Write(w, e.Width)
	}
}

// loudness is what devices choose by how loud they are; "" where the node does not tell.
func loudness(t wire.MessageText) string {
	if t.Severity == "" {
		return ""
	}
	return fmt.Sprintf("%s; urgency %s; certainty %s", t.Severity, t.Urgency, t.Certainty)
}

// rungTable says how far an alert got, by place and kind.
func rungTable(e *command.Env, w io.Writer, a wire.Alert) {
	t := terminal.NewTable(tables.RungColumns...)
	tables.GroupRows(t, a.ByGroup)
	t.Add(terminal.Thousands(a.Rungs.Queued), terminal.Thousands(a.Rungs.Delivered), terminal.Thousands(a.Rungs.Presented), terminal.Thousands(a.Rungs.Acknowledged),
		"all", tables.Joined(a.Joined))
	t.Write(w, e.Width)
	tables.Escalation(w, a.Escalation, e.Width)
	if bad := a.Rungs.Failed + a.Rungs.Refused; bad > 0 {
		fmt.Fprintf(w, "%s failed or refused it.\n", terminal.Plural(bad, "device"))
	}
	if a.Rungs.Cancelled > 0 {
		fmt.Fprintf(w, "%s said that they show it no more.\n", terminal.Plural(a.Rungs.Cancelled, "device"))
	}
}

func messageTable(e *command.Env, w io.Writer, messages []wire.Message) {
	t := terminal.NewTable("MESSAGE", "ACCEPTED", "|KEY")
	for _, m := range messages {
		t.Add(m.MsgType, terminal.Clock(m.Accepted), m.Key)
	}
	t.Write(w, e.Width)
	for _, m := range messages {
		if o := m.Original; o != nil && o.Copy != wire.CopyHere {
			_, _ = fmt.Fprintf(w, "the message %s as it was written, of %s bytes, %s\n", m.Key, terminal.Thousands(uint64(o.Bytes)), map[wire.Copy]string{
				wire.CopyMissing: "is not on this node yet", wire.CopyNotKept: "was not kept",
			}[o.Copy])
		}
	}
}
