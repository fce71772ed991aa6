package raftlog_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/raft"
	"github.com/stretchr/testify/require"

	"almenara/cluster/clustertest"
	"almenara/cluster/raftlog"
)

func TestLogStore_WAL(t *testing.T) {
	clustertest.RunLogStore(t, func(dir string) (raftlog.Store, error) {
		return raftlog.OpenWAL(dir, hclog.NewNullLogger())
	})
}

func TestOpenWAL_SaysThatItsFilesAreDamaged(t *testing.T) {
	for name, spoil := range map[string]func(path string) error{
		"empty":     func(path string) error { return os.Truncate(path, 0) },
		"shortened": func(path string) error { return os.Truncate(path, 12_000) },
		"nonsense":  func(path string) error { return os.WriteFile(path, make([]byte, 32<<10), 0o600) },
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			log, err := raftlog.OpenWAL(dir, hclog.NewNullLogger())
			require.NoError(t, err)
			require.NoError(t, log.SetUint64([]byte("term"), 3))
			require.NoError(t, log.Close())
			require.NoError(t, spoil(filepath.Join(dir, "wal-meta.db")))
			_, err = raftlog.OpenWAL(dir, hclog.NewNullLogger())
			require.Error(t, err)
		})
	}
}

func TestSeal_FindsAFlippedByte(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	open := func(dir string) (raftlog.Store, error) { return raftlog.OpenWAL(dir, hclog.NewNullLogger()) }
	s, err := open(dir)
	require.NoError(t, err)
	given := &raft.Log{Index: 1, Term: 7, Data: []byte("evacuate block 3"), Extensions: []byte("ext")}
	require.NoError(t, s.StoreLog(given))
	require.Equal(t, "ext", string(given.Extensions), "the caller's entry was changed")
	require.NoError(t, s.StoreLog(&raft.Log{Index: 2, Term: 7, Data: []byte("raft-wal takes a damaged last batch for a torn one")}))
	var l raft.Log
	require.NoError(t, s.GetLog(1, &l))
	require.Equal(t, "evacuate block 3", string(l.Data))
	require.Equal(t, "ext", string(l.Extensions))
	require.NoError(t, s.Close())
	clustertest.Rot(t, filepath.Join(dir, "*"), "evacuate block 3")
	s, err = open(dir)
	if err == nil {
		require.ErrorIs(t, s.GetLog(1, &l), raftlog.ErrDamaged)
		require.NoError(t, s.Close())
	}
}
