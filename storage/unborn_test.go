package storage

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestOpen_AfterLogsThatHaveNoLengthYet by cutting the power between the making of a log and its being lengthened:
// the store could not be opened any more.
func TestOpen_AfterLogsThatHaveNoLengthYet(t *testing.T) {
	dir := t.TempDir()
	s := openStore(t, dir)
	require.NoError(t, s.Update(func(x *Txn) error { return AppliedRecord.Put(x, Applied{Index: 7, Term: 1}) }))
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

// TestOpen_AfterATableThatWasNotFinished by cutting the power while a memtable became a table: the store called itself
// damaged.
func TestOpen_AfterATableThatWasNotFinished(t *testing.T) {
	dir := t.TempDir()
	s := openStore(t, dir)
	require.NoError(t, s.Update(func(x *Txn) error { return AppliedRecord.Put(x, Applied{Index: 7, Term: 1}) }))
	db := s.live.dir
	require.NoError(t, s.Close())
	for name, content := range map[string][]byte{"000090.sst": nil, "000091.sst": make([]byte, 4096)} {
		require.NoError(t, os.WriteFile(filepath.Join(db, name), content, 0o600))
	}
	s = openStore(t, dir)
	a, err := s.Applied()
	require.NoError(t, err)
	require.EqualValues(t, 7, a.Index)
	require.NoFileExists(t, filepath.Join(db, "000091.sst"))
}

// TestOpen_RefusesTablesWithoutAManifest would make a new manifest and delete the tables, which it does not name.
func TestOpen_RefusesTablesWithoutAManifest(t *testing.T) {
	dir := t.TempDir()
	s := openStore(t, dir)
	require.NoError(t, s.Update(func(x *Txn) error { return AppliedRecord.Put(x, Applied{Index: 7, Term: 1}) }))
	db := s.live.dir
	require.NoError(t, s.Close())
	require.NoError(t, os.Remove(filepath.Join(db, "MANIFEST")))
	_, err := Open(dir, testOptions())
	require.ErrorIs(t, err, ErrDamaged)
	tables, err := filepath.Glob(filepath.Join(db, "*.sst"))
	require.NoError(t, err)
	require.NotEmpty(t, tables)
}
