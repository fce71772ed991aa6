package sheets

import (
	"encoding/csv"
	"fmt"
	"io"
	"strconv"

	"almenara/node/wire"
)

// Audit writes lines of the audit with a head line. It cannot be verified: the export of the chain can.
func Audit(to io.Writer, lines []wire.AuditLine) error {
	w := csv.NewWriter(to)
	w.UseCRLF = true
	_ = w.Write([]string{"n", "at", "actor", "action", "about", "subject", "outcome", "summary"})
	for _, l := range lines {
		outcome := "done"
		if l.Refused {
			outcome = "refused"
		}
		_ = w.Write([]string{strconv.FormatUint(l.N, 10), exact(l.At), plainCell(l.Actor), plainCell(l.Action), string(l.About), plainCell(l.Subject), outcome, plainCell(l.Summary)})
	}
	w.Flush()
	if err := w.Error(); err != nil {
		return fmt.Errorf("writing CSV: %w", err)
	}
	return nil
}
