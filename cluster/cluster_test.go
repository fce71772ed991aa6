package cluster_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"almenara/cluster/clustertest"
	"almenara/cluster/internode"
	"almenara/cluster/outcome"
)

// TestMain runs more tests at a time than there are cores: they mostly wait for
// elections.
func TestMain(m *testing.M) {
	clustertest.Together(5)
	os.Exit(m.Run())
}

func patient(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), clustertest.Patience)
	t.Cleanup(cancel)
	return ctx
}

// propose repeats a command whose outcome is unknown, as every caller must: on a
// busy machine a lease can run out at any time.
func propose(t *testing.T, n *clustertest.Node, command string) string {
	t.Helper()
	for {
		answer, err := n.Propose(patient(t), []byte(command))
		if errors.Is(err, outcome.ErrUnknownOutcome) {
			continue
		}
		require.NoError(t, err)
		return string(answer)
	}
}

func TestPropose_ThroughFollowerAndLeaderIsAppliedEverywhere(t *testing.T) {
	t.Parallel()
	d := clustertest.New(t, 3)
	require.True(t, strings.HasSuffix(propose(t, d.Followers()[0], "by a follower"), ": by a follower"))
	require.True(t, strings.HasSuffix(propose(t, d.WaitLeader(), "by the leader"), ": by the leader"))
	commands := d.WaitEqual()
	require.Equal(t, []string{"by a follower", "by the leader"}, commands[len(commands)-2:])

	for _, n := range d.Nodes {
		var refused *outcome.CommandError
		require.ErrorAs(t, decided(t, n), &refused)
		require.Equal(t, clustertest.ErrRejected.Error(), refused.Text)
		_, err := n.Propose(patient(t), make([]byte, 256<<10+1))
		require.ErrorIs(t, err, internode.ErrTooLarge)
	}
	require.ErrorIs(t, decided(t, d.WaitLeader()), clustertest.ErrRejected)
}

// decided proposes what the state machine rejects until its outcome is known: on a
// busy machine leadership may be lost on the way, and then nobody knows.
func decided(t *testing.T, n *clustertest.Node) error {
	t.Helper()
	ctx := patient(t)
	for {
		_, err := n.Propose(ctx, []byte("reject"))
		if !errors.Is(err, outcome.ErrUnknownOutcome) || ctx.Err() != nil {
			return err
		}
	}
}

func TestCrashedLeader_IsReplacedAndCatchesUp(t *testing.T) {
	t.Parallel()
	d := clustertest.New(t, 3)
	propose(t, d.Nodes[0], "before")
	old := d.WaitLeader()
	d.Crash(old)
	propose(t, d.Followers()[0], "without it")
	d.Start(old)
	d.Eventually(func() bool { return old.Status().HasQuorum }, "old leader does not return")
	commands := d.WaitEqual()
	require.Equal(t, []string{"before", "without it"}, commands[len(commands)-2:])
}

func TestStop_HandsLeadershipOver(t *testing.T) {
	t.Parallel()
	d := clustertest.New(t, 3)
	old := d.WaitLeader()
	changes, cancel := old.Changes()
	defer cancel()
	require.True(t, (<-changes).Leader)
	old.HandOver(patient(t))
	require.NotEqual(t, "leader", old.Status().Role)
	select {
	case change := <-changes:
		require.False(t, change.Leader)
	case <-patient(t).Done():
		t.Fatal("the change is not told")
	}
	d.Stop(old)
	require.NotEqual(t, old.Addr, d.WaitLeader().Addr)
	propose(t, d.Followers()[0], "after")
}

func TestStop_TwiceAndRestartTwice(t *testing.T) {
	t.Parallel()
	d := clustertest.New(t, 3)
	n := d.Followers()[0]
	for i := range 2 {
		stopped := n.Cluster
		d.Stop(n)
		require.NoError(t, stopped.Stop(patient(t)))
		_, err := stopped.Propose(patient(t), []byte("too late"))
		require.ErrorIs(t, err, outcome.ErrStopped)
		propose(t, d.WaitLeader(), fmt.Sprintf("while away %d", i))
		d.Start(n)
		d.Eventually(func() bool { return n.Status().HasQuorum }, "does not return")
	}
	d.WaitEqual()
}

func TestWholeDistrict_RestartsAfterPowerCut(t *testing.T) {
	t.Parallel()
	d := clustertest.New(t, 3)
	propose(t, d.Nodes[1], "kept")
	for _, n := range d.Nodes {
		d.Crash(n)
	}
	for _, n := range d.Nodes {
		d.Start(n)
	}
	propose(t, d.Nodes[2], "again")
	commands := d.WaitEqual()
	require.Equal(t, []string{"kept", "again"}, commands[len(commands)-2:])
}

func TestIsolatedNode_KnowsThatItIsAlone(t *testing.T) {
	t.Parallel()
	d := clustertest.New(t, 3)
	lone := d.WaitLeader()
	d.Cut(lone)
	d.Eventually(func() bool { return !lone.Status().HasQuorum }, "isolated leader believes in its quorum")
	require.False(t, lone.Status().AloneSince.IsZero())
	d.Eventually(func() bool { return !lone.Status().Peers[1].Reachable || !lone.Status().Peers[0].Reachable }, "peers count as reachable")

	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	_, err := lone.Propose(ctx, []byte("nobody hears"))
	require.ErrorIs(t, err, outcome.ErrNoLeader)
	require.ErrorIs(t, lone.Linearizable(ctx), outcome.ErrNoLeader)

	propose(t, d.WaitLeader(), "majority goes on")
	d.Heal(lone)
	d.Eventually(func() bool { return lone.Status().HasQuorum && lone.Status().AloneSince.IsZero() }, "does not return")
	d.WaitEqual()
}

func TestPropose_LostLeadershipIsUnknownNotFailed(t *testing.T) {
	t.Parallel()
	d := clustertest.New(t, 3)
	for {
		leader := d.WaitLeader()
		d.Cut(leader)
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		_, err := leader.Propose(ctx, []byte("in the air"))
		cancel()
		d.Heal(leader)
		if errors.Is(err, outcome.ErrNoLeader) {
			continue // the lease ran out before the proposal: nothing happened, and it says so
		}
		require.ErrorIs(t, err, outcome.ErrUnknownOutcome)
		return
	}
}

func TestLinearizable_SeesWhatWasAnsweredBefore(t *testing.T) {
	t.Parallel()
	d := clustertest.New(t, 3)
	for i := range 20 {
		command := fmt.Sprintf("write %d", i)
		propose(t, d.Nodes[i%3], command)
		reader := d.Nodes[(i+1)%3]
		require.NoError(t, reader.Linearizable(patient(t)))
		require.Contains(t, reader.FSM.Commands(), command)
	}
	leader := d.WaitLeader()
	d.Crash(leader) // the new leader's first entry is invisible to the state machine
	require.NoError(t, d.Followers()[0].Linearizable(patient(t)))
}
