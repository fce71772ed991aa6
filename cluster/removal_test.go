package cluster_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"almenara/cluster"
	"almenara/cluster/clustertest"
)

// Of three one is away. Without the other the leader and the absent one would vote, and
// they could not even agree on the removal: it is refused, whoever is asked, and the
// district goes on. The absent one can be removed.
func TestRemove_RefusedWhereTheRestCouldNotAgree(t *testing.T) {
	t.Parallel()
	d := clustertest.New(t, 3)
	leader, here, away := d.WaitLeader(), d.Followers()[0], d.Followers()[1]
	awayID, hereID := away.NodeID(), here.NodeID()
	d.Crash(away)
	for _, asked := range []*clustertest.Node{leader, here} {
		for _, id := range []string{hereID, leader.NodeID()} {
			err := asked.Remove(patient(t), id)
			require.ErrorIs(t, err, cluster.ErrRefused)
			require.ErrorContains(t, err, awayID)
		}
	}
	require.Same(t, leader, d.WaitLeader(), "nothing was handed over either")
	propose(t, here, "the district goes on")

	require.NoError(t, here.Remove(patient(t), awayID))
	require.NoError(t, leader.Remove(patient(t), hereID))
	propose(t, leader, "alone, by its own will")
}
