package records

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"almenara/storage/member"
)

func TestRemoveUploads_LeavesTheRest(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"import-1.csv", "import-22.csv", "node.json", "import.txt"} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), nil, 0o600))
	}
	require.NoError(t, RemoveUploads(dir))
	left, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Len(t, left, 2)
	require.Equal(t, "import.txt", left[0].Name())
	require.Equal(t, "node.json", left[1].Name())
}

func TestStandstill_GivesUpWhatNobodyStagesAnyMore(t *testing.T) {
	var s stalledImports
	now := time.Date(2026, 7, 20, 12, 0, 0, 0, time.UTC)
	imports := []member.Import{
		{ID: "dead", State: member.ImportStaging, Staged: 7}, {ID: "alive", State: member.ImportStaging, Staged: 1},
		{ID: "active", State: member.ImportActive}, {ID: "done", State: member.ImportDone},
	}
	require.Empty(t, s.abandoned(imports, now))
	require.Empty(t, s.abandoned(imports, now.Add(abandonAfter-time.Second)))
	imports[1].Staged = 2
	require.Equal(t, []string{"dead"}, s.abandoned(imports, now.Add(abandonAfter)))
	require.Equal(t, []string{"alive"}, s.abandoned(imports[1:], now.Add(2*abandonAfter)))
}
