package cluster_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"almenara/cluster"
	"almenara/cluster/clustertest"
	"almenara/cluster/identity"
)

// recorded is a district of three whose record of addresses is what it was on the first
// day: a node that moved cannot renew it before the others find it.
func recorded(t *testing.T) *clustertest.District {
	t.Helper()
	record := map[string]string{}
	d := clustertest.New(t, 3)
	for _, n := range d.Nodes {
		record[n.NodeID()] = n.Addr
	}
	d.With(func(_ *clustertest.Node, o *cluster.Options) {
		o.Address = func(id string) (string, bool) { a, ok := record[id]; return a, ok }
	})
	for _, n := range d.Nodes {
		d.Stop(n)
		d.Start(n)
	}
	d.WaitLeader()
	return d
}

// move starts a node that is down at another address.
func move(t *testing.T, d *clustertest.District, n *clustertest.Node, with ...func(*cluster.Options)) {
	t.Helper()
	n.Addr = clustertest.FreeAddr(t)
	d.Start(n, with...)
}

// whole waits until every node leads or follows, is answered by every other, and is in the
// configuration with its address of today.
func whole(d *clustertest.District) {
	d.Eventually(func() bool {
		today := map[string]string{}
		for _, n := range d.Nodes {
			today[n.NodeID()] = n.Addr
		}
		for _, n := range d.Nodes {
			s := n.Status()
			if !s.HasQuorum || len(s.Peers) != len(d.Nodes) {
				return false
			}
			for _, p := range s.Peers {
				if !p.Reachable || p.Addr != today[p.ID] {
					return false
				}
			}
		}
		return true
	}, "the district is not whole")
}

// answered says that the others call the node, and it answers.
func answered(d *clustertest.District, n *clustertest.Node) bool {
	for _, other := range without(d.Nodes, n) {
		for _, p := range other.Status().Peers {
			if p.ID == n.NodeID() && (!p.Reachable || p.Addr != n.Addr) {
				return false
			}
		}
	}
	return true
}

func TestAddress_ANodeThatMovesIsFoundAgainstTheRecord(t *testing.T) {
	t.Parallel()
	d := recorded(t)
	n := d.Followers()[0]
	d.Stop(n)
	move(t, d, n)
	whole(d)
	propose(t, n, "from the new address")
}

func TestAddress_TheLeaderMoves(t *testing.T) {
	t.Parallel()
	d := recorded(t)
	n := d.WaitLeader()
	d.Stop(n)
	move(t, d, n)
	whole(d)
	propose(t, n, "from the new address")
}

// A and B know each other's old address only; C stays, and tells each of the other.
func TestAddress_TwoOfThreeMoveAtOnce(t *testing.T) {
	t.Parallel()
	d := recorded(t)
	for _, n := range d.Nodes[:2] {
		d.Stop(n)
	}
	for _, n := range d.Nodes[:2] {
		move(t, d, n)
	}
	whole(d)
	propose(t, d.Nodes[0], "from the new address")
}

func TestAddress_AllMoveOneAfterTheOther(t *testing.T) {
	t.Parallel()
	d := recorded(t)
	for range 2 {
		for _, n := range d.Nodes {
			d.Stop(n)
			move(t, d, n)
			d.Eventually(func() bool { return answered(d, n) }, "nobody found it") // agreed or not
		}
	}
	whole(d)
	propose(t, d.Nodes[0], "from the new address")
}

// What a node said is known after a restart, too: C learns where A and B are, and moves
// before any of it could be agreed.
func TestAddress_TheLastOneMovesBeforeAnythingIsAgreed(t *testing.T) {
	t.Parallel()
	d := recorded(t)
	a, b, c := d.Nodes[0], d.Nodes[1], d.Nodes[2]
	d.Stop(a)
	d.Stop(b)
	move(t, d, a)
	saved := func(n *clustertest.Node) bool {
		raw, err := os.ReadFile(filepath.Join(c.Dir, "peers.addresses"))
		return err == nil && len(raw) > 0 && bytes.Contains(raw, []byte(n.Addr))
	}
	d.Eventually(func() bool { return saved(a) }, "c does not keep where a is")
	d.Stop(c)
	move(t, d, c)
	move(t, d, b, func(o *cluster.Options) { o.Seek = []string{a.Addr} })
	whole(d)
}

// Nobody knows anybody any more, and one is told where another is.
func TestAddress_AllMoveAtOnceAndOneIsNamed(t *testing.T) {
	t.Parallel()
	d := recorded(t)
	for _, n := range d.Nodes {
		d.Stop(n)
	}
	move(t, d, d.Nodes[0])
	for _, n := range d.Nodes[1:] {
		move(t, d, n, func(o *cluster.Options) { o.Seek = []string{d.Nodes[0].Addr} })
	}
	whole(d)
}

// That a node calls us does not mean that it answers: its listener is elsewhere than it says.
func TestStatus_ANodeThatCannotBeCalledIsNotReachable(t *testing.T) {
	t.Parallel()
	d := clustertest.New(t, 3)
	n := d.Followers()[0]
	d.Stop(n)
	listen := clustertest.FreeAddr(t)
	d.Start(n, func(o *cluster.Options) { o.Listen = listen })
	others := without(d.Nodes, n)
	d.Eventually(func() bool {
		for _, p := range others[0].Status().Peers {
			if p.ID == n.NodeID() {
				return !p.LastContact.IsZero() && time.Since(p.LastContact) < time.Second && !p.Reachable
			}
		}
		return false
	}, "a node that cannot be called counts as reachable")
}

func TestStart_RefusesAnAddressThatIsEverybodys(t *testing.T) {
	t.Parallel()
	for _, addr := range []string{"0.0.0.0:8470", "[::]:8470", ":8470"} {
		district, err := identity.NewDistrict("On Ting")
		require.NoError(t, err)
		id, err := identity.New(district, nil)
		require.NoError(t, err)
		fsm := clustertest.NewFSM()
		_, err = cluster.Start(cluster.Options{Dir: t.TempDir(), Identity: id, Listen: "127.0.0.1:0", Advertise: addr, FSM: fsm, Snapshots: fsm})
		require.ErrorContains(t, err, "no address at which other nodes could reach", addr)
	}
}
