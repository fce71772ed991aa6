package wire

import (
	"encoding/csv"
	"fmt"
	"io"
	"strings"
	"time"
)

// HeaderNext is the header of a page that is not the last one: pass its value as after.
const HeaderNext = "Almenara-Next"

// HeaderDrill is the header of every answer of a node that is of a drill copy of a district, a
// backup restored with --isolated; its value is DrillCopy. Other answers do not have it.
const (
	HeaderDrill = "Almenara-Drill"
	DrillCopy   = "copy"
)

// HeaderCountsFrom is the header of a list of who was reached or missed that says whose
// knowledge it is: a Source.
const HeaderCountsFrom = "Almenara-Counts-From"

// WriteReceiptsCSV writes rows as CSV (RFC 4180) with a head line. Times are UTC. A text
// that a spreadsheet would take for a formula gets an apostrophe in front.
func WriteReceiptsCSV(to io.Writer, rows []ReceiptRow) error {
	w := csv.NewWriter(to)
	w.UseCRLF = true
	_ = w.Write([]string{"member", "name", "kind", "place", "rung", "at", "reason", "since", "unanswered", "rung_from"})
	for _, r := range rows {
		_ = w.Write([]string{
			plainCell(r.Member), plainCell(r.Name), r.Kind, plainCell(r.Place), r.Rung, stamp(r.At), r.Reason, stamp(r.Since),
			strings.Join(r.Unanswered, " "), string(r.RungFrom),
		})
	}
	w.Flush()
	if err := w.Error(); err != nil {
		return fmt.Errorf("writing CSV: %w", err)
	}
	return nil
}

func plainCell(s string) string {
	if s != "" && strings.ContainsRune("=+-@\t\r", rune(s[0])) {
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
