package cluster_test

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"almenara/cluster/clustertest"
	"almenara/cluster/outcome"
	"almenara/cluster/raftlog"
)

// TestDamagedLog_QuarantinesTheNode flips a byte in a follower's log, running and
// stopped: it agrees to nothing any more, says why, and does not come back.
func TestDamagedLog_QuarantinesTheNode(t *testing.T) {
	t.Parallel()
	d := clustertest.New(t, 3)
	d.WaitVoters(3)
	propose(t, d.WaitLeader(), "evacuate block 3")
	d.WaitEqual()
	bad := d.Followers()[0]
	clustertest.Rot(t, filepath.Join(bad.Dir, "raft", "*.wal"), "evacuate block 3")
	require.ErrorIs(t, bad.CheckLog(t.Context()), raftlog.ErrDamaged)
	<-bad.Quarantined()
	require.Nil(t, bad.Quarantine().By)
	require.Contains(t, bad.Quarantine().Reason, "checksum")
	_, err := bad.Propose(patient(t), []byte("x"))
	require.ErrorIs(t, err, outcome.ErrQuarantined)
	propose(t, d.WaitLeader(), "the others go on")
	d.Stop(bad)
	d.Start(bad)
	<-bad.Quarantined()
	require.NotEmpty(t, bad.Quarantine().Reason)

	other := d.Followers()[0]
	if other == bad {
		other = d.Followers()[1]
	}
	require.NotEqual(t, bad, other)
	d.Stop(other)
	clustertest.Rot(t, filepath.Join(other.Dir, "raft", "*.wal"), "evacuate block 3")
	d.Start(other)
	<-other.Quarantined()
	require.Contains(t, other.Quarantine().Reason, "checksum")
}
