package cluster_test

import (
	"context"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"almenara/cluster"
	"almenara/cluster/clustertest"
	"almenara/cluster/identity"
	"almenara/cluster/marks"
	"almenara/cluster/outcome"
)

// lost is a district of three of which one survives: the first. The others are down.
func lost(t *testing.T) (d *clustertest.District, survivor *clustertest.Node, old []*clustertest.Node) {
	d = clustertest.New(t, 3)
	propose(t, d.Nodes[0], "agreed by three")
	d.WaitEqual()
	for _, n := range d.Nodes {
		d.Crash(n)
	}
	return d, d.Nodes[0], d.Nodes[1:]
}

func TestRecover_OneOfThreeGoesOnAndTakesNewMembers(t *testing.T) {
	t.Parallel()
	d, a, _ := lost(t)
	d.Recover(a)
	d.Nodes = d.Nodes[:1]
	d.Start(a, func(o *cluster.Options) { o.Bootstrap = true }) // as its command line still says
	propose(t, a, "agreed by one")
	require.EqualValues(t, 2, a.Status().Incarnation)
	d.Join(d.Invite())
	d.Join(d.Invite())
	d.WaitVoters(3)
	propose(t, d.Nodes[2], "agreed by three again")
	commands := d.WaitEqual()
	require.Contains(t, commands, "agreed by three")
	require.Contains(t, commands, "agreed by one")
	for _, n := range d.Nodes {
		require.EqualValues(t, 2, n.Status().Incarnation)
	}
}

func TestRecover_CommitsWhatWasOnlyInTheLog(t *testing.T) {
	t.Parallel()
	d := clustertest.New(t, 3)
	propose(t, d.WaitLeader(), "agreed")
	d.WaitEqual()
	leader := strand(t, d, "never answered")
	for _, n := range d.Nodes {
		if n != leader {
			d.Crash(n)
		}
	}
	require.NotContains(t, leader.FSM.Commands(), "never answered")
	d.Crash(leader)
	d.Recover(leader)
	require.Contains(t, leader.FSM.Commands(), "never answered")
}

func TestIncarnation_TheOldMajorityIsFencedAndQuarantined(t *testing.T) {
	t.Parallel()
	d, a, old := lost(t)
	d.Recover(a)
	d.Start(a)
	propose(t, a, "new one") // leads alone

	d.Cut(a)
	for _, n := range old {
		d.Start(n)
	}
	b, c := old[0], old[1]
	propose(t, b, "accepted by the old majority")
	require.Nil(t, b.Quarantine())
	d.Heal(a)
	for _, n := range old {
		select {
		case <-n.Quarantined():
		case <-patient(t).Done():
			t.Fatal("not quarantined")
		}
		q := n.Quarantine()
		require.EqualValues(t, 2, q.By.Number)
		require.Equal(t, a.NodeID(), q.By.By)
		require.Equal(t, "stopped", n.Status().Role)
		_, err := n.Propose(patient(t), []byte("too late"))
		require.ErrorIs(t, err, outcome.ErrQuarantined)
		require.ErrorIs(t, n.Linearizable(patient(t)), outcome.ErrQuarantined)
	}
	d.Eventually(func() bool { // nodes of the old incarnation still talk
		_, err := b.Call(patient(t), c.NodeID(), "/cluster/ping", nil)
		return err == nil
	}, "the old nodes do not talk")
	_, err := b.Call(patient(t), a.NodeID(), "/cluster/ping", nil)
	require.ErrorIs(t, err, identity.ErrIncarnation)
	_, err = a.Call(patient(t), b.NodeID(), "/cluster/ping", nil)
	require.Error(t, err)
	require.Nil(t, a.Quarantine())
	require.NotContains(t, a.FSM.Commands(), "accepted by the old majority")

	d.Stop(b) // and for good
	d.Cut(a)
	d.Start(b)
	require.EqualValues(t, 2, b.Quarantine().By.Number)
	require.Equal(t, "stopped", b.Status().Role)
}

func TestIncarnation_OfTwoRecoveriesOneGivesWay(t *testing.T) {
	t.Parallel()
	d, a, old := lost(t)
	b := old[0]
	d.Recover(a)
	d.Recover(b)
	address := map[string]string{}
	for _, n := range []*clustertest.Node{a, b} {
		address[d.Options(n).Identity.NodeID] = n.Addr
	}
	acquainted := func(o *cluster.Options) {
		o.Former = func() []string { return slices.Sorted(maps.Keys(address)) }
		o.Address = func(id string) (string, bool) { addr, ok := address[id]; return addr, ok }
	}
	d.Start(a, acquainted)
	d.Start(b, acquainted)
	d.Eventually(func() bool {
		return a.Quarantine() != nil || b.Quarantine() != nil
	}, "two districts under one number")
	require.False(t, a.Quarantine() != nil && b.Quarantine() != nil)
}

func TestRecover_IsRefusedForALogThatIsGone(t *testing.T) {
	t.Parallel()
	d, a, _ := lost(t)
	d.Nodes = d.Nodes[:1]
	require.NoError(t, os.RemoveAll(filepath.Join(a.Dir, "raft")))
	d.Incarnate(a, d.Statement(a))
	_, err := d.TryRecover(a, false)
	require.ErrorIs(t, err, marks.ErrAmnesia)

	term := leadTerm(t, a)
	d.Rename(a)
	d.RecoverAs(a, true)
	d.Start(a)
	propose(t, a, "under a new id")
	require.Greater(t, a.Status().Term, term)
	require.Contains(t, a.FSM.Commands(), "agreed by three")
}

// leadTerm is the term of the last entry that the state machine holds.
func leadTerm(t *testing.T, n *clustertest.Node) uint64 {
	metas, err := n.FSM.List()
	require.NoError(t, err)
	return metas[0].Term
}

func TestRecover_MayBeRepeatedAfterACrash(t *testing.T) {
	t.Parallel()
	d, a, _ := lost(t)
	d.Recover(a)
	d.RecoverAs(a, false)
	d.RecoverAs(a, false)
	d.Nodes = d.Nodes[:1]
	d.Start(a)
	propose(t, a, "once")
	require.EqualValues(t, 2, a.Status().Incarnation)
}

func TestIncarnation_StatementOfAnotherDistrictIsNotBelieved(t *testing.T) {
	t.Parallel()
	mine, err := identity.NewDistrict("On Ting")
	require.NoError(t, err)
	other, err := identity.NewDistrict("On Ting")
	require.NoError(t, err)
	i, err := identity.Incarnation{Number: 2, By: "x", Why: "recover", At: time.Now().UnixMilli()}.Sign(mine)
	require.NoError(t, err)
	require.NoError(t, i.Verify(mine))
	require.ErrorIs(t, i.Verify(other), identity.ErrIncarnation)
	forged := *i
	forged.Number = 3
	require.ErrorIs(t, forged.Verify(mine), identity.ErrIncarnation)
	require.Equal(t, 1, i.Compare(nil))
	require.Equal(t, -1, (*identity.Incarnation)(nil).Compare(i))
	require.Equal(t, 0, i.Compare(i))
}

// strand leaves a command in the log of the leader alone, which is cut off then.
func strand(t *testing.T, d *clustertest.District, command string) *clustertest.Node {
	t.Helper()
	for {
		leader := d.WaitLeader()
		d.Cut(leader)
		ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
		_, err := leader.Propose(ctx, []byte(command))
		cancel()
		if errors.Is(err, outcome.ErrUnknownOutcome) {
			return leader
		}
		require.ErrorIs(t, err, outcome.ErrNoLeader, "it had stepped down before it was asked")
		d.Heal(leader)
	}
}
