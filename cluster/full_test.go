package cluster_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"almenara/cluster/clustertest"
	"almenara/cluster/outcome"
	"almenara/cluster/raftlog"
)

func TestSetFull_LeaderHandsOverAndFollows(t *testing.T) {
	t.Parallel()
	d := clustertest.New(t, 3)
	propose(t, d.WaitLeader(), "before")
	full := d.WaitLeader()
	full.SetFull(true)
	d.Eventually(func() bool {
		l := d.WaitLeader()
		return l != full
	}, "the leader whose disk is full has not handed over")
	require.Contains(t, propose(t, full, "through another leader"), "through another leader")
	full.SetFull(false)
	d.WaitEqual()
}

func TestSetFull_NothingIsTakenAlone(t *testing.T) {
	t.Parallel()
	d := clustertest.New(t, 1)
	n := d.WaitLeader()
	propose(t, n, "before")
	n.SetFull(true)
	_, err := n.Propose(patient(t), []byte("refused"))
	require.ErrorIs(t, err, raftlog.ErrDiskFull)
	n.SetFull(false)
	propose(t, n, "after")
	require.Equal(t, []string{"before", "after"}, tail(d.WaitEqual(), 2))
}

// TestSetFull_LogStopsGrowing sends a follower whose disk is full more than the log may
// still take: it appends no further, and catches up when there is room.
func TestSetFull_LogStopsGrowing(t *testing.T) {
	t.Parallel()
	d := clustertest.New(t, 3)
	d.WaitVoters(3)
	full := d.Followers()[0]
	full.SetFull(true)
	big := strings.Repeat("x", 200<<10)
	for range 100 {
		proposeWithRoom(t, d, big)
	}
	last := d.WaitLeader().Status().CommitIndex
	for _, n := range d.Nodes {
		d.Eventually(func() bool { return n == full || n.Status().AppliedIndex >= last }, "%s has not caught up", n.NodeID())
	}
	require.Less(t, full.Status().AppliedIndex, last, "20 MB went to a log with room for 16 MiB")
	full.SetFull(false)
	d.Eventually(func() bool { return full.Status().AppliedIndex >= last }, "the follower has not caught up")
}

// proposeWithRoom is propose, again while the full node leads, until it has handed over.
func proposeWithRoom(t *testing.T, d *clustertest.District, command string) {
	t.Helper()
	for {
		_, err := d.WaitLeader().Propose(patient(t), []byte(command))
		if errors.Is(err, outcome.ErrUnknownOutcome) || errors.Is(err, raftlog.ErrDiskFull) {
			continue
		}
		require.NoError(t, err)
		return
	}
}

func tail(of []string, n int) []string { return of[len(of)-n:] }
