package cluster_test

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"almenara/cluster"
	"almenara/cluster/clustertest"
	"almenara/cluster/outcome"
	"almenara/cluster/peers"
)

// Of three one is away. Without the other the leader and the absent one would vote, and
// they could not even agree on the removal: it is refused, whoever is asked, and the
// district goes on. The absent one can be removed.
func TestRemove_RefusedWhereTheRestCouldNotAgree(t *testing.T) {
	t.Parallel()
	// Leaders must not change for want of the processor: only a removal may move them here.
	d := clustertest.New(t, 3, func(_ *clustertest.Node, o *cluster.Options) { o.HeartbeatTimeout = 2 * time.Second })
	leader, here, away := d.WaitLeader(), d.Followers()[0], d.Followers()[1]
	awayID, hereID := away.NodeID(), here.NodeID()
	d.Crash(away)
	for _, asked := range []*clustertest.Node{leader, here} {
		for _, id := range []string{hereID, leader.NodeID()} {
			err := asked.Remove(patient(t), id)
			require.ErrorIs(t, err, outcome.ErrRefused)
			require.ErrorContains(t, err, awayID)
		}
	}
	require.Same(t, leader, d.WaitLeader(), "nothing was handed over either")
	propose(t, here, "the district goes on")

	remove(t, here, awayID)
	remove(t, leader, hereID)
	propose(t, leader, "alone, by its own will")
}

// Whoever replaces nodes one after the other waits until each newcomer votes.
func TestRemove_WaitsForANewcomersVote(t *testing.T) {
	t.Parallel()
	d := clustertest.New(t, 1)
	leader := d.Nodes[0]
	d.Stop(leader)
	d.Start(leader, func(o *cluster.Options) { o.Stabilization = time.Hour })
	newcomer := d.Join(d.Invite())
	err := newcomer.Remove(patient(t), leader.NodeID())
	require.ErrorIs(t, err, outcome.ErrRefused)
	require.ErrorContains(t, err, newcomer.NodeID()+" has joined and does not vote yet")
	require.NoError(t, leader.Remove(patient(t), newcomer.NodeID()))
}

// Leadership moves several times within the time for which a newcomer is watched. It
// gets its vote all the same: each node has watched it.
func TestJoin_VotesThoughLeadersComeAndGo(t *testing.T) {
	t.Parallel()
	d := clustertest.New(t, 3)
	const watched = 4 * time.Second
	for _, n := range d.Nodes {
		d.Stop(n)
		d.Start(n, func(o *cluster.Options) { o.Stabilization = watched })
	}
	newcomer := d.Join(d.Invite())
	moves := time.NewTicker(1100 * time.Millisecond) // more than a look of the house apart
	defer moves.Stop()
	votes := func() bool {
		return slices.ContainsFunc(d.WaitLeader().Status().Peers, func(p peers.Peer) bool { return p.ID == newcomer.NodeID() && p.Voter })
	}
	for begun := time.Now(); !votes(); <-moves.C {
		require.Less(t, time.Since(begun), clustertest.Patience)
		_ = d.WaitLeader().Transfer(patient(t)) // it may have lost it meanwhile
	}
}

// Raft hands leadership to the first of those that have all of the log, also where that one is gone.
func TestTransfer_GoesToANodeThatAnswers(t *testing.T) {
	t.Parallel()
	d := clustertest.New(t, 3)
	propose(t, d.WaitLeader(), "before")
	d.WaitEqual()
	leader := d.WaitLeader()
	d.Crash(d.Followers()[0])
	require.NoError(t, leader.Transfer(patient(t)))
	require.False(t, leader.Leadership().Leader)
}
