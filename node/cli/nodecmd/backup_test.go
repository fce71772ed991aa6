package nodecmd

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"
)

// A backup that a node made while it was alone had not the end of an alert that the node had taken: the restored
// district showed the alert again.
func TestBackup_SaysWhatIsNotInIt(t *testing.T) {
	var w bytes.Buffer
	tellMade(&w, BackupFile{}, 0)
	require.NotContains(t, w.String(), "Not in it")
	tellMade(&w, BackupFile{}, 5)
	require.Contains(t, w.String(), "Not in it: what this node has taken and the district has not agreed on, 5 facts (alerts, ends, receipts).\nMake another backup when status says 0")
}
