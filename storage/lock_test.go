package storage

import (
	"os"
	"path/filepath"
	"testing"

	"almenara/storage/durable"

	"github.com/stretchr/testify/require"
)

func TestOpen_TouchesNothingOfAStoreInUse(t *testing.T) {
	dir := t.TempDir()
	s, err := Open(dir, testOptions())
	require.NoError(t, err)
	installing := filepath.Join(dir, "db-000002"+tmpSuffix)
	require.NoError(t, os.Mkdir(installing, 0o700))

	_, err = Open(dir, testOptions())
	require.ErrorIs(t, err, durable.ErrInUse)
	require.DirExists(t, installing, "what the other one is installing")

	require.NoError(t, s.Close())
	s, err = Open(dir, testOptions())
	require.NoError(t, err)
	require.NoDirExists(t, installing, "what nobody will finish")
	require.NoError(t, s.Close())
}
