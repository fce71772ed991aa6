package cluster_test

import (
	"testing"

	"github.com/hashicorp/go-hclog"
	"github.com/stretchr/testify/require"

	"almenara/cluster"
	"almenara/cluster/clustertest"
)

func TestLogStore_WAL(t *testing.T) {
	clustertest.RunLogStore(t, func(dir string) (cluster.LogStore, error) {
		return cluster.OpenWAL(dir, hclog.NewNullLogger())
	})
}

func TestLogStore_Bolt(t *testing.T) {
	clustertest.RunLogStore(t, cluster.OpenBolt)
}

func TestCluster_RunsOnBoltToo(t *testing.T) {
	t.Parallel()
	d := clustertest.New(t, 1)
	n := d.Nodes[0]
	propose(t, n, "on the log store of every day")
	bolt := d.Add()
	require.NoError(t, d.JoinAs(bolt, d.Invite(), func(o *cluster.Options) { o.OpenLog = cluster.OpenBolt }))
	d.WaitVoters(2)
	propose(t, bolt, "on the way out")
	d.WaitEqual()
}
