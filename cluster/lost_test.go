package cluster_test

import (
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"almenara/cluster"
	"almenara/cluster/clustertest"
	"almenara/cluster/peers"
)

// disk is a copy of all that a node has.
type disk struct {
	dir   string
	state io.ReadCloser
}

// copyDisk takes it of a node that is down.
func copyDisk(t *testing.T, n *clustertest.Node) disk {
	t.Helper()
	c := disk{dir: t.TempDir()}
	require.NoError(t, os.CopyFS(filepath.Join(c.dir, "copy"), os.DirFS(n.Dir)))
	_, state, err := n.FSM.Open("")
	require.NoError(t, err)
	c.state = state
	return c
}

// putBack puts the copy in the place of what the node has now.
func (c disk) putBack(t *testing.T, n *clustertest.Node) {
	t.Helper()
	wipe(t, n)
	require.NoError(t, os.CopyFS(n.Dir, os.DirFS(filepath.Join(c.dir, "copy"))))
	require.NoError(t, n.FSM.Restore(c.state))
}

// wipe leaves a node that is down with its identity alone, which the rig keeps.
func wipe(t *testing.T, n *clustertest.Node) {
	t.Helper()
	entries, err := os.ReadDir(n.Dir)
	require.NoError(t, err)
	for _, e := range entries {
		require.NoError(t, os.RemoveAll(filepath.Join(n.Dir, e.Name())))
	}
	n.FSM = clustertest.NewFSM()
}

// remembered waits until the peer was told all that the node has now.
func remembered(t *testing.T, d *clustertest.District, peer, n *clustertest.Node) {
	t.Helper()
	d.Eventually(func() bool {
		p := seenBy(peer, n)
		return p.Held > 0 && p.Held >= n.Status().CommitIndex
	}, "%s does not know of %s", peer.Addr, n.Addr)
}

// seenBy is what one node knows of another.
func seenBy(n, peer *clustertest.Node) (found peers.Peer) {
	for _, p := range n.Status().Peers {
		if p.ID == peer.NodeID() {
			found = p
		}
	}
	return found
}

// outOfIt waits until the node has quarantined itself.
func outOfIt(t *testing.T, n *clustertest.Node) {
	t.Helper()
	select {
	case <-n.Quarantined():
	case <-patient(t).Done():
		require.FailNow(t, "it still takes part")
	}
}

// TestLostLog_AWipedNodeElectsNobody: of three nodes one missed an entry that the other
// two agreed on. One of these is down, and the other lost its log, with every mark that
// it had one. Its vote would make the one that missed the entry the leader.
func TestLostLog_AWipedNodeElectsNobody(t *testing.T) {
	t.Parallel()
	d := clustertest.New(t, 3)
	behind := d.Followers()[0]
	d.Stop(behind)
	d.Start(behind, func(o *cluster.Options) { o.Stabilization = time.Minute }) // it pings every second, and elects sooner
	leader := d.WaitLeader()
	for leader == behind { // on a busy machine
		_ = leader.Transfer(patient(t))
		leader = d.WaitLeader()
	}
	wiped := d.Nodes[3-indexOf(d, leader)-indexOf(d, behind)]
	propose(t, leader, "all have this")
	d.WaitEqual()
	remembered(t, d, behind, wiped)
	d.Cut(behind)
	propose(t, leader, "evacuate block 3")
	d.Eventually(func() bool { return wiped.FSM.Hash() == leader.FSM.Hash() }, "not applied")
	d.Crash(leader)
	d.Crash(wiped)
	wipe(t, wiped)

	d.Start(wiped)
	d.Heal(behind)
	d.Eventually(func() bool { return behind.Leadership().Leader || wiped.Quarantine() != nil }, "nothing happens")
	require.False(t, behind.Leadership().Leader, "elected by a node without a memory, and what was acknowledged is lost: %q", behind.FSM.Commands())
	outOfIt(t, wiped)
	require.Contains(t, wiped.Quarantine().Reason, "the raft log ended at 0 when this node started, and "+behind.NodeID()+" knows")
	d.Eventually(func() bool { return seenBy(behind, wiped).LostLog }, "the peer does not show it")
	require.False(t, behind.Leadership().Leader, "elected by a node without a memory")
	d.Stop(wiped)
	d.Start(leader)
	require.Contains(t, d.WaitEqual(), "evacuate block 3", "an acknowledged entry is lost")
}

// TestLostLog_ADiskPutBackIsNotHeard puts a node's disk back to an earlier moment, with
// the peers as they are, and once more with peers that were started anew meanwhile.
func TestLostLog_ADiskPutBackIsNotHeard(t *testing.T) {
	t.Parallel()
	d := clustertest.New(t, 3)
	propose(t, d.WaitLeader(), "before")
	d.WaitEqual()
	n := d.Followers()[0]
	d.Stop(n)
	first, second := copyDisk(t, n), copyDisk(t, n)
	d.Start(n)
	propose(t, d.WaitLeader(), "after")
	d.WaitEqual()
	for _, peer := range d.Nodes {
		if peer != n {
			remembered(t, d, peer, n)
		}
	}
	d.Stop(n)
	first.putBack(t, n)
	refused := func() {
		t.Helper()
		d.Start(n)
		outOfIt(t, n)
		require.Contains(t, n.Quarantine().Reason, "when this node started, and ")
		d.Stop(n)
	}
	refused()
	propose(t, d.WaitLeader(), "the others go on")
	second.putBack(t, n)
	for _, peer := range d.Nodes {
		if peer != n {
			d.Stop(peer)
		}
	}
	for _, peer := range d.Nodes {
		if peer != n {
			d.Start(peer)
		}
	}
	refused()
	require.Contains(t, d.WaitEqual(), "after")
}

// TestLostLog_TheFirstNodeDoesNotBeginAnew: the first node of a district, wiped and
// started with the command line of its first day, would agree with itself.
func TestLostLog_TheFirstNodeDoesNotBeginAnew(t *testing.T) {
	t.Parallel()
	d := clustertest.New(t, 3)
	n := d.Nodes[0]
	propose(t, d.WaitLeader(), "the district's")
	d.WaitEqual()
	remembered(t, d, d.Nodes[1], n)
	d.Stop(n)
	d.WaitLeader()
	wipe(t, n)
	d.Start(n, func(o *cluster.Options) { o.Bootstrap = true })
	outOfIt(t, n)
}

// TestLostLog_PutBackWhileItRan: a virtual machine that is put back with its memory goes
// on as the same run.
func TestLostLog_PutBackWhileItRan(t *testing.T) {
	t.Parallel()
	d := clustertest.New(t, 1)
	n := d.Nodes[0]
	propose(t, n, "x")
	n.Recall("somebody", n.Status().CommitIndex, n.Status().Term)
	require.Nil(t, n.Quarantine())
	n.Recall("somebody", n.Status().CommitIndex+1, 0)
	outOfIt(t, n)
	require.Contains(t, n.Quarantine().Reason, " now, and somebody knows")
}

// TestLostLog_AnUncommittedTailIsNotTold: what another leader may cut off is no promise.
func TestLostLog_AnUncommittedTailIsNotTold(t *testing.T) {
	t.Parallel()
	d := clustertest.New(t, 3)
	n := d.WaitLeader()
	propose(t, n, "agreed")
	d.WaitEqual()
	d.Eventually(func() bool { return n.LastIndex() == n.Status().CommitIndex }, "not committed")
	d.Cut(n)
	before := n.LastIndex()
	_, err := n.Propose(patient(t), []byte("nobody hears this"))
	require.Error(t, err)
	if n.LastIndex() > before { // it still led when it was asked
		require.Less(t, seenBy(n, n).Held, n.LastIndex())
	}
	d.Heal(n)
	propose(t, d.WaitLeader(), "instead")
	d.WaitEqual()
	d.Stop(n)
	d.Start(n)
	propose(t, d.WaitLeader(), "with all of them")
	d.WaitEqual()
	require.Nil(t, n.Quarantine())
}

// TestLostLog_HealthyNodesAreNeverRefused stops, crashes and starts nodes by seed, two at
// a time now and then, with entries between: all of them are members to the end.
func TestLostLog_HealthyNodesAreNeverRefused(t *testing.T) {
	t.Parallel()
	d := clustertest.New(t, 3)
	r := rand.New(rand.NewPCG(3, 9))
	for range 6 {
		down := []*clustertest.Node{d.Nodes[r.IntN(3)]}
		if r.IntN(3) == 0 {
			down = append(down, d.Nodes[(r.IntN(2)+1+indexOf(d, down[0]))%3])
		}
		for _, n := range down {
			if r.IntN(2) == 0 {
				d.Crash(n)
			} else {
				d.Stop(n)
			}
			if n.Cluster == nil && r.IntN(3) == 0 { // its own memory of the others is lost
				require.NoError(t, os.RemoveAll(filepath.Join(n.Dir, "peers.held")))
			}
		}
		if len(down) == 1 {
			propose(t, d.WaitLeader(), "meanwhile")
		}
		for _, n := range down {
			d.Start(n)
		}
		propose(t, d.WaitLeader(), "again")
	}
	d.WaitEqual()
	for _, n := range d.Nodes {
		require.Nil(t, n.Quarantine())
		for _, p := range n.Status().Peers {
			require.False(t, p.LostLog)
		}
	}
}

func indexOf(d *clustertest.District, n *clustertest.Node) int {
	for i, other := range d.Nodes {
		if other == n {
			return i
		}
	}
	return -1
}
