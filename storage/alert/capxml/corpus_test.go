package capxml_test

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"almenara/storage/alert"
	"almenara/storage/alert/alerttest"
	"almenara/storage/alert/capxml"
)

// TestParse_JudgesRealMessagesAsLabelled valid message is acted on; every invalid one is refused, except that real
// authorities' slips in the order of what people read are forgiven.
func TestParse_JudgesRealMessagesAsLabelled(t *testing.T) {
	for _, row := range alerttest.Corpus(t) {
		_, found, err := capxml.Parse(row.Raw)
		verdict := found.Verdict()
		require.Equal(t, verdict == alert.VerdictReject, errors.Is(err, alert.ErrRejected), row.File)
		switch {
		case row.Class == "xsd-wild":
			require.Equal(t, alert.VerdictWarn, verdict, "%s: %s", row.File, found.Reason())
		case row.Expect == "valid":
			require.NotEqual(t, alert.VerdictReject, verdict, "%s: %s", row.File, found.Reason())
		default:
			require.Equal(t, alert.VerdictReject, verdict, "%s: %s", row.File, found.Reason())
		}
		t.Logf("%s\t%s\t%s", row.File, verdict, found.Reason())
	}
}
