package sheets_test

import (
	"encoding/csv"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"almenara/node/wire"
	"almenara/node/wire/reported"
	"almenara/node/wire/sheets"
)

var noon = time.Date(2026, 7, 20, 12, 0, 0, 0, time.UTC)

func TestReport_IsOneTable(t *testing.T) {
	all := wire.Spread{Of: 4, Count: 2, First: noon.Add(1500 * time.Millisecond), Last: noon.Add(time.Minute)}
	r := wire.Report{
		Alert: wire.Alert{ID: "a", Headline: "=cmd|' /C calc'!A0", Author: "+amy"}, Begun: noon, Made: noon, RoundedTo: 5,
		Events:  []wire.ReportEvent{{At: noon, What: wire.HappenedTaken, MsgType: "Alert", By: "@amy", Reason: "-1", Reached: &all}, {At: all.First, What: wire.HappenedFirst}},
		Reached: all, Stopped: &all, Curve: []wire.CurvePoint{{At: all.First, Count: 1}}, Kinds: []wire.ReportKind{{Kind: "screen", Reached: all}},
		Residents: []reported.ResidentsBlock{{Place: "=block", Seen: 41, Help: 2, Photos: 1}},
		Groups:    []wire.ReportGroup{{Place: "=d", Kind: "screen", Reached: all}}, Slowest: []wire.ReportRow{{Member: "=m"}}, Dark: []wire.ReportRow{{Member: "\tm"}},
		DarkTotal: 1, Answers: []wire.Count{{Name: "=1+1", Count: 3}},
	}
	var out strings.Builder
	require.NoError(t, sheets.Report(&out, r))
	rows, err := csv.NewReader(strings.NewReader(out.String())).ReadAll()
	require.NoError(t, err, "every line has as many cells")
	parts := map[string]int{}
	for _, row := range rows {
		parts[row[0]]++
		for _, cell := range row {
			require.False(t, cell != "" && strings.ContainsRune("=+-@\t\r", rune(cell[0])), "a spreadsheet takes %q for a formula", cell)
		}
	}
	require.Equal(t, map[string]int{"part": 1, "alert": 3, "event": 2, "reached": 2, "kind": 1, "block": 1, "curve": 1, "slowest": 1, "dark": 2, "answer": 1, "residents": 3}, parts)
	require.Contains(t, out.String(), "event,first,2026-07-20T12:00:01.500Z,1.5,device,")
	require.Error(t, sheets.Report(broken{}, r))
}

func TestReceipts_KeepFormulasOut(t *testing.T) {
	var out strings.Builder
	require.NoError(t, sheets.Receipts(&out, []wire.ReceiptRow{{Member: "=m", Name: "@n", Place: "+p", Rung: "sent"}}))
	require.Contains(t, out.String(), "'=m,'@n,,'+p,sent")
	require.Error(t, sheets.Receipts(broken{}, nil))
}

type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, errors.New("the disk is full") }

// What devices, files and people say begins no formula, in whatever width and in whatever cell.
func TestSheets_HoldNoFormula(t *testing.T) {
	for _, first := range []string{"=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠"} {
		evil := first + "cmd|' /C calc'!A0"
		for what, write := range map[string]func(to *strings.Builder) error{
			"receipts": func(to *strings.Builder) error {
				return sheets.Receipts(to, []wire.ReceiptRow{{Member: evil, Name: evil, Kind: evil, Place: evil, ToldBy: evil}})
			},
			"audit": func(to *strings.Builder) error {
				return sheets.Audit(to, []wire.AuditLine{{Actor: evil, Action: evil, Subject: evil, Summary: evil}})
			},
			"report": func(to *strings.Builder) error {
				row := []wire.ReportRow{{Member: evil, Kind: evil, Place: evil}}
				return sheets.Report(to, wire.Report{
					Alert: wire.Alert{Headline: evil, Author: evil}, Events: []wire.ReportEvent{{By: evil, Reason: evil}}, Kinds: []wire.ReportKind{{Kind: evil}},
					Groups: []wire.ReportGroup{{Place: evil, Kind: evil}}, Slowest: row, Dark: row, Answers: []wire.Count{{Name: evil}},
				})
			},
		} {
			var out strings.Builder
			require.NoError(t, write(&out))
			r := csv.NewReader(strings.NewReader(out.String()))
			r.FieldsPerRecord = -1
			rows, err := r.ReadAll()
			require.NoError(t, err)
			seen := 0
			for _, row := range rows {
				for _, cell := range row {
					require.False(t, strings.HasPrefix(cell, strings.TrimRight(first, "\r")+"cmd"), "%s: %q", what, cell)
					if strings.Contains(cell, "cmd|") {
						require.True(t, strings.HasPrefix(cell, "'"), "%s: %q", what, cell)
						seen++
					}
				}
			}
			require.GreaterOrEqual(t, seen, 4, what)
		}
	}
}
