package cluster_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/hashicorp/go-hclog"
	"github.com/stretchr/testify/require"

	"almenara/cluster"
	"almenara/cluster/clustertest"
)

// cutLog takes the last entries from the log of a node that is down.
func cutLog(t *testing.T, n *clustertest.Node, entries uint64) {
	t.Helper()
	log, err := cluster.OpenWAL(filepath.Join(n.Dir, "raft"), hclog.NewNullLogger())
	require.NoError(t, err)
	last, err := log.LastIndex()
	require.NoError(t, err)
	require.NoError(t, log.DeleteRange(last-entries+1, last))
	require.NoError(t, log.Close())
}

func TestStart_WithALogThatEndsBeforeTheState(t *testing.T) {
	t.Parallel()
	d := clustertest.New(t, 3)
	propose(t, d.Nodes[0], "before")
	d.WaitEqual()
	n := d.Followers()[0]
	d.Stop(n)
	cutLog(t, n, 2)
	propose(t, d.WaitLeader(), "meanwhile")
	d.Start(n)
	d.Eventually(func() bool { return n.Status().HasQuorum }, "not in contact")
	propose(t, n, "after")
	d.WaitEqual()
}

// Without the repair the node would never take an entry again.
func TestStart_AloneWithALogThatEndsBeforeTheState(t *testing.T) {
	t.Parallel()
	d := clustertest.New(t, 1)
	n := d.Nodes[0]
	propose(t, n, "before")
	d.Stop(n)
	cutLog(t, n, 1)
	d.Start(n)
	propose(t, n, "after")
	require.Equal(t, []string{"before", "after"}, n.FSM.Commands())
	d.Stop(n)
	d.Start(n)
	propose(t, n, "again")
}

func TestOpenWAL_SaysThatItsFilesAreDamaged(t *testing.T) {
	for name, spoil := range map[string]func(path string) error{
		"empty":     func(path string) error { return os.Truncate(path, 0) },
		"shortened": func(path string) error { return os.Truncate(path, 12_000) },
		"nonsense":  func(path string) error { return os.WriteFile(path, make([]byte, 32<<10), 0o600) },
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			log, err := cluster.OpenWAL(dir, hclog.NewNullLogger())
			require.NoError(t, err)
			require.NoError(t, log.SetUint64([]byte("term"), 3))
			require.NoError(t, log.Close())
			require.NoError(t, spoil(filepath.Join(dir, "wal-meta.db")))
			_, err = cluster.OpenWAL(dir, hclog.NewNullLogger())
			require.Error(t, err)
		})
	}
}
