package cluster_test

import (
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"almenara/cluster"
	"almenara/cluster/clustertest"
	"almenara/cluster/joining"
	"almenara/cluster/outcome"
)

// speaks makes a node whose state machine understands commands up to a version; those
// that begin with "new" have version 2.
func speaks(version uint64) func(*cluster.Options) {
	return func(o *cluster.Options) {
		o.Version = version
		o.VersionOf = func(cmd []byte) uint64 {
			if strings.HasPrefix(string(cmd), "new") {
				return 2
			}
			return 1
		}
	}
}

func restart(d *clustertest.District, n *clustertest.Node, version uint64) {
	d.Stop(n)
	d.Start(n, speaks(version))
	d.WaitLeader()
}

func TestVersions_ANewCommandWaitsUntilTheLastNodeIsUpgraded(t *testing.T) {
	t.Parallel()
	d := clustertest.New(t, 3)
	restart(d, d.Nodes[0], 2)
	restart(d, d.Nodes[1], 2)
	restart(d, d.Nodes[2], 1)
	last := d.Nodes[2].NodeID()
	refused := func(n *clustertest.Node) {
		t.Helper()
		_, err := n.Propose(patient(t), []byte("new command"))
		var old *outcome.NotUpgradedError
		require.ErrorAs(t, err, &old)
		require.ErrorIs(t, err, outcome.ErrNotUpgraded)
		require.Equal(t, []string{last}, old.Nodes)
		require.EqualValues(t, 2, old.Version)
		require.ErrorContains(t, err, last+" is not")
	}
	for _, n := range d.Nodes {
		refused(n)
		propose(t, n, "old command from "+n.Addr)
	}
	for _, p := range d.Nodes[0].Status().Peers {
		want := uint64(2)
		if p.ID == last {
			want = 1
		}
		require.Equal(t, want, p.Version, p.ID)
	}

	d.Stop(d.Nodes[2]) // nobody can ask it, and it counts with what it said last
	refused(d.Nodes[0])
	d.Start(d.Nodes[2], speaks(2))
	d.WaitLeader()
	propose(t, d.Nodes[0], "new command at last")
	require.Contains(t, d.WaitEqual(), "new command at last")

	d.Stop(d.Nodes[2]) // down, and known to understand: also after a restart of the others
	restart(d, d.Nodes[0], 2)
	restart(d, d.Nodes[1], 2)
	propose(t, d.Nodes[0], "new command without it")
}

func TestJoin_RefusesSoftwareThatIsTooOld(t *testing.T) {
	t.Parallel()
	d := clustertest.New(t, 1)
	d.Stop(d.Nodes[0])
	var applied atomic.Uint64
	applied.Store(1)
	d.Start(d.Nodes[0], speaks(2), func(o *cluster.Options) {
		o.Applied = func() (uint64, error) { return applied.Load(), nil }
	})
	d.WaitLeader()
	token := d.Invite()
	applied.Store(2)
	dir := t.TempDir()
	join := func(version uint64) error {
		_, err := joining.Join(patient(t), token, dir, []string{"127.0.0.1:1"}, version)
		return err
	}
	err := join(1)
	require.ErrorIs(t, err, outcome.ErrRefused)
	require.ErrorContains(t, err, "understands version 1; upgrade it")
	require.Empty(t, d.Nodes[0].Members(), "nothing has changed")
	require.NoError(t, join(2), "the token is still good")
	require.Len(t, d.Nodes[0].Members(), 1)
}
