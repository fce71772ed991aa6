package cluster_test

import (
	"path/filepath"
	"testing"

	"github.com/hashicorp/go-hclog"
	"github.com/stretchr/testify/require"

	"almenara/cluster/clustertest"
	"almenara/cluster/raftlog"
)

// cutLog takes the last entries from the log of a node that is down.
func cutLog(t *testing.T, n *clustertest.Node, entries uint64) {
	t.Helper()
	log, err := raftlog.OpenWAL(filepath.Join(n.Dir, "raft"), hclog.NewNullLogger())
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
