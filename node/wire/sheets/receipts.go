// Package sheets writes answers of the API as CSV (RFC 4180), for spreadsheets. A text that a spreadsheet
// would take for a formula gets an apostrophe in front. It never imports anything of ours but wire.
package sheets

import (
	"encoding/csv"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode/utf8"

	"almenara/node/wire"
)

// Receipts writes rows as CSV (RFC 4180) with a head line. Times are UTC.
func Receipts(to io.Writer, rows []wire.ReceiptRow) error {
	w := csv.NewWriter(to)
	w.UseCRLF = true
	_ = w.Write([]string{"member", "name", "kind", "place", "rung", "at", "told_by", "told_at", "reason", "since", "unanswered", "rung_from"})
	for _, r := range rows {
		_ = w.Write([]string{
			plainCell(r.Member), plainCell(r.Name), plainCell(r.Kind), plainCell(r.Place), r.Rung, stamp(r.At), plainCell(r.ToldBy), stamp(r.ToldAt), r.Reason, stamp(r.Since),
			strings.Join(r.Unanswered, " "), string(r.RungFrom),
		})
	}
	w.Flush()
	if err := w.Error(); err != nil {
		return fmt.Errorf("writing CSV: %w", err)
	}
	return nil
}

// plainCell is a text that no spreadsheet takes for a formula. Those of East Asia take the wide signs for one, too.
func plainCell(s string) string {
	if first, _ := utf8.DecodeRuneInString(s); s != "" && strings.ContainsRune("=+-@\t\r\n＝＋－＠", first) {
		return "'" + s
	}
	return s
}

func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}
