package storage

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// onDisk is all that the files of a folder hold.
func onDisk(t *testing.T, dir string) string {
	t.Helper()
	var all strings.Builder
	require.NoError(t, filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		raw, err := os.ReadFile(path)
		all.Write(raw)
		return err
	}))
	return all.String()
}

// What was replaced or deleted stays in Badger's files, until the database is written anew.
func TestRewrite_LeavesNothingOfWhatWasThereBefore(t *testing.T) {
	dir := t.TempDir()
	s := openStore(t, dir)
	update(t, s, func(tx *Txn) error {
		for _, k := range []string{"a", "b", "c"} {
			if err := tx.Set([]byte("mem/"+k), []byte("Chan Tai Man of "+k)); err != nil {
				return err
			}
		}
		return nil
	})
	update(t, s, func(tx *Txn) error {
		if err := tx.Set([]byte("mem/a"), []byte("nobody")); err != nil {
			return err
		}
		return tx.Delete([]byte("mem/b"))
	})
	require.Contains(t, onDisk(t, dir), "Chan Tai Man of a")
	require.Contains(t, onDisk(t, dir), "Chan Tai Man of b")
	before := hashOf(t, s)
	reader, err := s.Read()
	require.NoError(t, err)
	require.NoError(t, s.Rewrite(), "while somebody reads")
	raw, err := reader.Get([]byte("mem/c"))
	require.NoError(t, err)
	require.Equal(t, "Chan Tai Man of c", string(raw), "who reads goes on")
	reader.Discard()
	require.Equal(t, before, hashOf(t, s))
	require.NotContains(t, onDisk(t, dir), "Chan Tai Man of a")
	require.NotContains(t, onDisk(t, dir), "Chan Tai Man of b")
	require.Contains(t, onDisk(t, dir), "Chan Tai Man of c")

	update(t, s, func(tx *Txn) error { return tx.Set([]byte("mem/d"), []byte("later")) })
	require.NoError(t, s.Rewrite(), "and again")
	require.NoError(t, s.Close())
	again := openStore(t, dir)
	require.NoError(t, again.View(func(tx *Txn) error {
		raw, err := tx.Get([]byte("mem/d"))
		require.Equal(t, "later", string(raw))
		return err
	}))
}
