package cluster_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/raft"
	"github.com/stretchr/testify/require"

	"almenara/cluster"
	"almenara/cluster/clustertest"
)

// rot flips a bit in files wherever they hold what.
func rot(t *testing.T, glob, what string) {
	t.Helper()
	files, err := filepath.Glob(glob)
	require.NoError(t, err)
	found := 0
	for _, path := range files {
		raw, err := os.ReadFile(path)
		require.NoError(t, err)
		f, err := os.OpenFile(path, os.O_WRONLY, 0)
		require.NoError(t, err)
		for at := bytes.Index(raw, []byte(what)); at >= 0; at = bytes.Index(raw, []byte(what)) {
			raw[at] ^= 0x10
			_, err = f.WriteAt(raw[at:at+1], int64(at))
			require.NoError(t, err)
			found++
		}
		require.NoError(t, f.Close())
	}
	require.Positive(t, found, "%s is in none of %v", what, files)
}

func TestSeal_FindsAFlippedByte(t *testing.T) {
	t.Parallel()
	for name, open := range map[string]func(string) (cluster.LogStore, error){
		"wal":  func(dir string) (cluster.LogStore, error) { return cluster.OpenWAL(dir, hclog.NewNullLogger()) },
		"bolt": cluster.OpenBolt,
	} {
		dir := t.TempDir()
		s, err := open(dir)
		require.NoError(t, err, name)
		given := &raft.Log{Index: 1, Term: 7, Data: []byte("evacuate block 3"), Extensions: []byte("ext")}
		require.NoError(t, s.StoreLog(given))
		require.Equal(t, "ext", string(given.Extensions), "the caller's entry was changed")
		require.NoError(t, s.StoreLog(&raft.Log{Index: 2, Term: 7, Data: []byte("raft-wal takes a damaged last batch for a torn one")}))
		var l raft.Log
		require.NoError(t, s.GetLog(1, &l))
		require.Equal(t, "evacuate block 3", string(l.Data))
		require.Equal(t, "ext", string(l.Extensions))
		require.NoError(t, s.Close())
		rot(t, filepath.Join(dir, "*"), "evacuate block 3")
		s, err = open(dir)
		if err == nil {
			require.ErrorIs(t, s.GetLog(1, &l), cluster.ErrLogDamaged, name)
			require.NoError(t, s.Close())
		}
	}
}

// TestDamagedLog_QuarantinesTheNode flips a byte in a follower's log, running and
// stopped: it agrees to nothing any more, says why, and does not come back.
func TestDamagedLog_QuarantinesTheNode(t *testing.T) {
	t.Parallel()
	d := clustertest.New(t, 3)
	d.WaitVoters(3)
	propose(t, d.WaitLeader(), "evacuate block 3")
	d.WaitEqual()
	bad := d.Followers()[0]
	rot(t, filepath.Join(bad.Dir, "raft", "*.wal"), "evacuate block 3")
	require.ErrorIs(t, bad.CheckLog(), cluster.ErrLogDamaged)
	<-bad.Quarantined()
	require.Nil(t, bad.Quarantine().By)
	require.Contains(t, bad.Quarantine().Reason, "checksum")
	_, err := bad.Propose(patient(t), []byte("x"))
	require.ErrorIs(t, err, cluster.ErrQuarantined)
	propose(t, d.WaitLeader(), "the others go on")
	d.Stop(bad)
	d.Start(bad)
	<-bad.Quarantined()
	require.NotEmpty(t, bad.Quarantine().Reason)

	other := d.Followers()[0]
	if other == bad {
		other = d.Followers()[1]
	}
	require.NotEqual(t, bad, other)
	d.Stop(other)
	rot(t, filepath.Join(other.Dir, "raft", "*.wal"), "evacuate block 3")
	d.Start(other)
	<-other.Quarantined()
	require.Contains(t, other.Quarantine().Reason, "checksum")
}
