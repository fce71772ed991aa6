package alertcmd

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/pflag"

	"almenara/node/cli/command"
	"almenara/node/cli/tables"
	"almenara/node/cli/terminal"
	"almenara/node/client"
	"almenara/node/wire"
	"almenara/node/wire/sheets"
)

// rowsAtOnce is how many rows one request asks for; the pages follow each other.
const rowsAtOnce = 1000

// allAlerts reads up to limit alerts, page by page.
func allAlerts(ctx context.Context, c *client.Client, limit int, waiting bool) (all []wire.Alert, err error) {
	for q := (wire.AlertQuery{Waiting: waiting}); ; {
		var page []wire.Alert
		q.Limit = min(limit-len(all), rowsAtOnce)
		if page, q.After, err = c.ListAlerts(ctx, q); err != nil {
			return nil, err
		}
		if all = append(all, page...); q.After == "" || len(all) >= limit {
			return all[:min(limit, len(all))], nil
		}
	}
}

// allReceipts reads up to limit rows (0: all), page by page; Next says that there are more.
func allReceipts(ctx context.Context, c *client.Client, id string, q wire.ReceiptQuery, limit int) (all wire.ReceiptPage, err error) {
	for {
		q.Limit = rowsAtOnce
		if limit > 0 {
			q.Limit = min(limit-len(all.Rows), rowsAtOnce)
		}
		page, err := c.AlertReceipts(ctx, id, q)
		if err != nil {
			return all, err
		}
		page.Rows = append(all.Rows, page.Rows...)
		if all, q.After = page, page.Next; page.Next == "" || limit > 0 && len(all.Rows) >= limit {
			return all, nil
		}
	}
}

// receiptsMore is what the reasons mean.
const receiptsMore = "With --missing every line says why, and since when where that is known:\n" +
	"no-device: no device of the member is enrolled; waiting: one is connected, and has ten seconds to prove that it presented the alert; silent: those are over; " +
	"dark: none is connected to any node; not-seen: the same, and none was since the nodes were started; " +
	"unknown: none is connected to a node that answered, and others did not answer; " +
	"refused: the device could not verify it; failed: it could not show it; expired: it ran out before; cancelled: it was ended before.\n" +
	"For all but those that are waiting somebody has to knock. \"told by\" is who says that somebody did: alert told.\n" +
	"CSV is UTF-8. Excel takes it for another encoding unless it begins with a mark: --bom."

// alertReceipts lists everybody: it follows the pages by itself.
func alertReceipts(fs *pflag.FlagSet) command.Runner {
	rung := fs.String("rung", "presented", "the rung: sent, delivered, verified, presented, acknowledged, refused, failed, expired or cancelled")
	missing := fs.Bool("missing", false, "list who is below the rung, and why")
	place := fs.String("place", "", "the path of a place: list those in it alone")
	limit := fs.Int("limit", 0, "the most members to list; 0 is all of them")
	asCSV := fs.Bool("csv", false, "write CSV, for a spreadsheet")
	bom := fs.Bool("bom", false, "begin the CSV with the mark by which Excel knows UTF-8")
	return func(ctx context.Context, e *command.Env, args []string) error {
		if *bom && !*asCSV {
			return command.Usagef("--bom is for --csv")
		}
		as := table
		switch {
		case *bom:
			as = markedCSV
		case *asCSV:
			as = plainCSV
		}
		return receipts(ctx, e, args[0], wire.ReceiptQuery{Rung: *rung, Place: *place, Missing: *missing}, *limit, as)
	}
}

// form is how receipts are written.
type form int

const (
	table     form = iota // or JSON, where that is wanted
	plainCSV              // RFC 4180, in UTF-8
	markedCSV             // behind a byte order mark
)

// receipts lists who reached a rung, or who has not.
func receipts(ctx context.Context, e *command.Env, id string, q wire.ReceiptQuery, limit int, as form) error {
	c, err := e.Client()
	if err != nil {
		return err
	}
	defer c.Close()
	all, err := allReceipts(ctx, c, id, q, limit)
	if err != nil {
		return err
	}
	if as == markedCSV {
		if _, err := io.WriteString(e.Out, "\ufeff"); err != nil {
			return command.Writing(err)
		}
	}
	if as != table {
		return command.Writing(sheets.Receipts(e.Out, all.Rows))
	}
	return e.Print(all.Rows, func(w io.Writer) {
		tables.Receipts(w, all.Rows, func() []wire.NodeInfo {
			status, _ := c.Status(ctx, false) // for the nodes' names; the ids will do
			return status.Nodes
		}, e.Width)
		countNotes(w, all.From, 0)
		if q.Place != "" && len(all.Rows) == 0 {
			fmt.Fprintf(w, "Nobody in %s is listed. Is it a place of the district? almenara place show says.\n", terminal.Clean(q.Place))
		}
		if all.Next != "" {
			fmt.Fprintf(w, "These are the first %s; --limit shows more.\n", terminal.Thousands(limit))
		}
	})
}

// countNotes says that a node on its own does not know all, and to what counts are rounded.
func countNotes(w io.Writer, from wire.Source, roundedTo uint64) {
	if roundedTo > 0 {
		fmt.Fprintf(w, "Of what was addressed by tags, languages or addresses you see counts rounded\ndown to multiples of %d: 0 is fewer.\n", roundedTo)
	}
	if from == wire.SourceThisNode {
		fmt.Fprintln(w, "What this node knows: it cannot agree with the others now, who may know of more.")
	}
}
