package alert

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// corpusRow is one labelled message of the test collection.
type corpusRow struct {
	file, expect, class string
	raw                 []byte
}

// corpus reads the collection of real messages that ALMENARA_TESTDATA points at.
func corpus(t testing.TB) []corpusRow {
	t.Helper()
	dir := os.Getenv("ALMENARA_TESTDATA")
	if dir == "" {
		t.Skip("ALMENARA_TESTDATA is not set: the collection of real messages is not here")
	}
	index, err := os.ReadFile(filepath.Join(dir, "expect.tsv"))
	require.NoError(t, err)
	var rows []corpusRow
	for line := range strings.Lines(string(index)) {
		fields := strings.Split(line, "\t")
		if !strings.HasPrefix(fields[0], "cap/") {
			continue
		}
		raw, err := os.ReadFile(filepath.Join(dir, fields[0]))
		require.NoError(t, err)
		rows = append(rows, corpusRow{file: fields[0], expect: fields[1], class: fields[2], raw: raw})
	}
	require.NotEmpty(t, rows)
	return rows
}

// Every valid message is acted on; every invalid one is refused, except that real
// authorities' slips in the order of what people read are forgiven.
func TestParse_JudgesRealMessagesAsLabelled(t *testing.T) {
	for _, row := range corpus(t) {
		_, found, err := Parse(row.raw)
		verdict := found.Verdict()
		require.Equal(t, verdict == VerdictReject, errors.Is(err, ErrRejected), row.file)
		switch {
		case row.class == "xsd-wild":
			require.Equal(t, VerdictWarn, verdict, "%s: %s", row.file, found.Reason())
		case row.expect == "valid":
			require.NotEqual(t, VerdictReject, verdict, "%s: %s", row.file, found.Reason())
		default:
			require.Equal(t, VerdictReject, verdict, "%s: %s", row.file, found.Reason())
		}
		t.Logf("%s\t%s\t%s", row.file, verdict, found.Reason())
	}
}
