package raftfix_test

import (
	"errors"
	"io"
	"testing"

	"github.com/hashicorp/raft"
	"github.com/stretchr/testify/require"

	"almenara/cluster/clustertest"
	"almenara/cluster/raftfix"
)

// TestReceivedDumps_AreNeverOlderThanTheLog: raft would delete the log for one.
func TestReceivedDumps_AreNeverOlderThanTheLog(t *testing.T) {
	t.Parallel()
	leader := clustertest.NewFSM()
	leader.Apply(&raft.Log{Index: 7, Term: 2, Type: raft.LogCommand, Data: []byte("x")})
	receive := func(held uint64) (*clustertest.FSM, error) {
		follower := clustertest.NewFSM()
		meta, dump, err := leader.Open("")
		require.NoError(t, err)
		sink, err := raftfix.NewReceivedDumps(follower, func() uint64 { return held }).Create(raft.SnapshotVersionMax, meta.Index, meta.Term, meta.Configuration, meta.ConfigurationIndex, nil)
		require.NoError(t, err)
		if _, err = io.Copy(sink, dump); err != nil {
			return follower, errors.Join(err, sink.Cancel())
		}
		return follower, sink.Close()
	}
	follower, err := receive(8)
	require.ErrorContains(t, err, "older than the log: it ends at 7, the log holds 8")
	require.Empty(t, follower.Commands())
	follower, err = receive(7)
	require.NoError(t, err)
	require.Equal(t, []string{"x"}, follower.Commands())
}
