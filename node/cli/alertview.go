package cli

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/spf13/pflag"

	"almenara/node/wire"
)

func alertList(fs *pflag.FlagSet) runner {
	limit := fs.Int("limit", 20, "the most alerts to list")
	return func(ctx context.Context, e *env, _ []string) error {
		c, err := e.client()
		if err != nil {
			return err
		}
		defer c.Close()
		alerts, err := c.ListAlerts(ctx, *limit)
		if err != nil {
			return err
		}
		return e.print(alerts, func(w io.Writer) { e.alertList(w, alerts, time.Now()) })
	}
}

// leastHeadline is how many columns a headline keeps beside the time of its end.
const leastHeadline = 20

// alertList writes a line for each alert. When they expire is shown where there is
// room for it.
func (e *env) alertList(w io.Writer, alerts []wire.Alert, now time.Time) {
	with := newTable("ALERT", "STATE", "SENT", "EXPIRES", ">PRESENTED", "HEADLINE")
	without := newTable("ALERT", "STATE", "SENT", ">PRESENTED", "HEADLINE")
	headline := 0
	for _, a := range alerts {
		sent, text := shortClock(a.Sent, now), labelled(a)
		with.add(a.ID, a.State, sent, shortClock(a.Expires, now), presentedOf(a), text)
		without.add(a.ID, a.State, sent, presentedOf(a), text)
		headline = max(headline, columnsOf(text))
	}
	if with.lastColumn(e.Width) >= min(headline, leastHeadline) {
		with.write(w, e.Width)
		return
	}
	without.write(w, e.Width)
}

func presentedOf(a wire.Alert) string {
	return thousands(a.Rungs.Presented) + "/" + thousands(a.Addressed.Total+a.Joined)
}

// labelled is the headline; what is not Actual says so first.
func labelled(a wire.Alert) string {
	if len(a.Duplicates) > 0 {
		a.Headline, a.Duplicates = "(possible duplicate) "+a.Headline, nil
	}
	if a.Status == "Actual" || a.Status == "" {
		return a.Headline
	}
	return "[" + a.Status + "] " + a.Headline
}

func alertShow(fs *pflag.FlagSet) runner {
	reached := fs.String("reached", "", "list the members at this rung or above, such as presented")
	missing := fs.String("missing", "", "list the members that are below this rung")
	limit := fs.Int("limit", 100, "the most members to list")
	original := fs.Bool("cap", false, "print the CAP message as it came")
	return func(ctx context.Context, e *env, args []string) error {
		if *reached != "" && *missing != "" {
			return usagef("alert show takes --reached or --missing, not both")
		}
		if rung := or(*reached, *missing); rung != "" {
			return e.receipts(ctx, args[0], rung, *missing != "", *limit)
		}
		return e.showAlert(ctx, args[0], *original)
	}
}

func (e *env) showAlert(ctx context.Context, id string, original bool) error {
	c, err := e.client()
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
		return writing(err)
	}
	a, err := c.ShowAlert(ctx, id)
	if err != nil {
		return err
	}
	return e.print(a, func(w io.Writer) { e.alertTable(w, a) })
}

// receipts lists who reached a rung, or who has not.
func (e *env) receipts(ctx context.Context, id, rung string, missing bool, limit int) error {
	c, err := e.client()
	if err != nil {
		return err
	}
	defer c.Close()
	rows, err := c.AlertReceipts(ctx, id, rung, missing, limit)
	if err != nil {
		return err
	}
	return e.print(rows, func(w io.Writer) {
		t := newTable("MEMBER", "KIND", "RUNG", "<PLACE")
		for _, row := range rows {
			t.add(row.Member, row.Kind, or(row.Rung, "-"), row.Place)
		}
		t.write(w, e.Width)
		if len(rows) == limit {
			fmt.Fprintf(w, "These are the first %s; --limit shows more.\n", thousands(limit))
		}
	})
}

func (e *env) alertTable(w io.Writer, a wire.Alert) {
	t := table{}
	t.add("Headline", labelled(a))
	t.add("Alert", a.ID)
	t.add("Message", a.Key)
	t.add("State", a.State+", "+or(a.Place, "local"))
	t.add("Sent", clock(a.Sent))
	t.add("Expires", clock(a.Expires))
	if a.Author != "" {
		t.add("Author", a.Author)
	}
	if a.Select != "" {
		t.add("Select", a.Select)
	}
	e.authorityOf(&t, a)
	t.write(w, e.Width)
	fmt.Fprintln(w)
	e.rungTable(w, a)
	if len(a.Messages) > 1 {
		fmt.Fprintln(w)
		e.messageTable(w, a.Messages)
	}
}

// rungTable says how far an alert got, by place and kind.
func (e *env) rungTable(w io.Writer, a wire.Alert) {
	t := newTable(rungColumns...)
	groupRows(t, a.ByGroup)
	t.add(thousands(a.Addressed.Total+a.Joined), thousands(a.Rungs.Delivered), thousands(a.Rungs.Presented), thousands(a.Rungs.Acknowledged),
		"all", joined(a.Joined))
	t.write(w, e.Width)
	if bad := a.Rungs.Failed + a.Rungs.Refused; bad > 0 {
		fmt.Fprintf(w, "%s failed or refused it.\n", plural(bad, "device"))
	}
}

var rungColumns = []string{">ADDRESSED", ">DELIVERED", ">PRESENTED", ">ACKNOWLEDGED", "KIND", "<PLACE"}

func groupRows(t *table, groups []wire.GroupRow) {
	for _, g := range groups {
		t.add(thousands(g.Rungs.Queued), thousands(g.Rungs.Delivered), thousands(g.Rungs.Presented), thousands(g.Rungs.Acknowledged),
			g.Kind, g.Place)
	}
}

func joined(n uint64) string {
	if n == 0 {
		return ""
	}
	return thousands(n) + " joined later"
}

func (e *env) messageTable(w io.Writer, messages []wire.Message) {
	t := newTable("MESSAGE", "ACCEPTED", "KEY")
	for _, m := range messages {
		t.add(m.MsgType, clock(m.Accepted), m.Key)
	}
	t.write(w, e.Width)
}
