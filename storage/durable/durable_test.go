package durable_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"almenara/storage/durable"
)

func TestWriteFile_ReplacesAndLeavesNothingBehind(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "node.json")
	for _, content := range []string{"old", "new"} {
		require.NoError(t, durable.WriteFile(path, []byte(content)))
	}
	raw, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, "new", string(raw))
	info, err := os.Stat(path)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm(), "secrets must be the owner's alone")
	files, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Len(t, files, 1)
}

func TestWriteFile_FailureKeepsTheOldFile(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "taken")
	require.NoError(t, os.Mkdir(path, 0o700))
	require.Error(t, durable.WriteFile(path, []byte("x")))
	files, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Len(t, files, 1, "a temporary file was left behind")
	require.Error(t, durable.WriteFile(filepath.Join(dir, "absent", "f"), nil))
	require.Error(t, durable.SyncDir(filepath.Join(dir, "absent")))
}
