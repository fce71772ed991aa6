package storage

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// Found by cutting the power between the making of a log and its being lengthened:
// the store could not be opened any more.
func TestOpen_AfterLogsThatHaveNoLengthYet(t *testing.T) {
	dir := t.TempDir()
	s := openStore(t, dir)
	require.NoError(t, s.Update(func(x *Txn) error { return x.SetApplied(Applied{Index: 7, Term: 1}) }))
	db := s.live.dir
	require.NoError(t, s.Close())
	for _, name := range []string{"00009.mem", "000009.vlog"} {
		require.NoError(t, os.WriteFile(filepath.Join(db, name), nil, 0o600))
	}
	s = openStore(t, dir)
	a, err := s.Applied()
	require.NoError(t, err)
	require.EqualValues(t, 7, a.Index)
	require.NoFileExists(t, filepath.Join(db, "000009.vlog"), "Badger would have named it so only later")
}
