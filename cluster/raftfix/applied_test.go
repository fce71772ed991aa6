package raftfix

import (
	"context"
	"testing"
	"time"

	"github.com/hashicorp/raft"
	"github.com/stretchr/testify/require"
)

// sent says how far raft has sent entries to the state machine.
type sent uint64

func (s sent) AppliedIndex() uint64 { return uint64(s) }

func configuration(index uint64, ids ...raft.ServerID) *raft.Log {
	var c raft.Configuration
	for _, id := range ids {
		c.Servers = append(c.Servers, raft.Server{ID: id, Address: raft.ServerAddress(id), Suffrage: raft.Voter})
	}
	return &raft.Log{Index: index, Type: raft.LogConfiguration, Data: raft.EncodeConfiguration(c)}
}

func TestAppliedFSM_KnowsWhoIsAMemberAndWhoWasExpelled(t *testing.T) {
	f := NewAppliedFSM("new", &raft.MockFSM{}, raft.NewInmemSnapshotStore(), &raft.SnapshotMeta{})
	f.Apply(configuration(2, "a", "b"))
	require.False(t, f.Expelled(), "a configuration of before it joined")
	f.Apply(configuration(5, "a", "b", "new"))
	conf, index := f.Committed()
	require.Len(t, conf.Servers, 3)
	require.EqualValues(t, 5, index)
	require.False(t, f.Expelled())
	f.Apply(configuration(7, "a", "b"))
	require.True(t, f.Expelled())
	require.EqualValues(t, 7, f.Index())
}

func TestAppliedFSM_WaitsForTheStateMachineNotForRaft(t *testing.T) {
	log := raft.NewInmemStore()
	require.NoError(t, log.StoreLogs([]*raft.Log{
		{Index: 1, Type: raft.LogCommand, Data: []byte("x")}, {Index: 2, Type: raft.LogNoop},
	}))
	f := NewAppliedFSM("a", &raft.MockFSM{}, raft.NewInmemSnapshotStore(), &raft.SnapshotMeta{})
	short, cancel := context.WithTimeout(t.Context(), 30*time.Millisecond)
	defer cancel()
	require.ErrorIs(t, f.WaitFor(short, sent(2), log, 2), context.DeadlineExceeded, "raft says that it is applied, and nothing is")

	done := make(chan error, 1)
	go func() { done <- f.WaitFor(t.Context(), sent(2), log, 2) }()
	f.Apply(&raft.Log{Index: 1, Type: raft.LogCommand, Data: []byte("x")})
	require.NoError(t, <-done, "2 is raft's own, which no state machine sees")
	require.EqualValues(t, 1, f.Index())
}
