package raftfix

import (
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/raft"
	"github.com/stretchr/testify/require"
)

// recorder is a state machine that knows the last index applied to it.
type recorder struct{ applied chan uint64 }

func (r recorder) Apply(l *raft.Log) any              { r.applied <- l.Index; return nil }
func (recorder) Snapshot() (raft.FSMSnapshot, error)  { return nil, io.EOF }
func (recorder) Restore(snapshot io.ReadCloser) error { return snapshot.Close() }

// A follower has nine entries of term 1 that its new leader has too, and three of term 2
// that it has not. The leader, of term 3, sends it entries 2 to 5 again, which it does
// after failures, and says that up to 12 all is committed, of its own log. Only what
// matched may be applied.
func TestMatched_AnUnmatchedTailIsNeverCommitted(t *testing.T) {
	follower := listen(t)
	store := raft.NewInmemStore()
	conf := raft.Configuration{Servers: []raft.Server{{ID: "f", Address: follower.LocalAddr()}, {ID: "l", Address: "l"}, {ID: "x", Address: "x"}}}
	logs := []*raft.Log{{Index: 1, Term: 1, Type: raft.LogConfiguration, Data: raft.EncodeConfiguration(conf)}}
	for i := uint64(2); i <= 12; i++ {
		logs = append(logs, &raft.Log{Index: i, Term: 1 + i/10, Type: raft.LogCommand, Data: fmt.Append(nil, i)})
	}
	require.NoError(t, store.StoreLogs(logs))
	require.NoError(t, store.SetUint64([]byte("CurrentTerm"), 2))
	config := raft.DefaultConfig()
	config.LocalID, config.Logger = "f", hclog.NewNullLogger()
	config.HeartbeatTimeout, config.ElectionTimeout = time.Minute, time.Minute
	applied := recorder{make(chan uint64, 20)}
	r, err := raft.NewRaft(config, applied, store, store, raft.NewInmemSnapshotStore(), follower)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, r.Shutdown().Error()) })

	leader := listen(t)
	addr := leader.EncodePeer("l", leader.LocalAddr())
	request := raft.AppendEntriesRequest{
		RPCHeader: raft.RPCHeader{ProtocolVersion: raft.ProtocolVersionMax, ID: []byte("l"), Addr: addr},
		Term:      3, PrevLogEntry: 1, PrevLogTerm: 1, Entries: logs[1:5], LeaderCommitIndex: 12,
	}
	var answer raft.AppendEntriesResponse
	require.NoError(t, matched{leader}.AppendEntries("f", follower.LocalAddr(), &request, &answer))
	require.True(t, answer.Success)
	require.EqualValues(t, 5, r.CommitIndex())
	for want := range uint64(4) {
		require.Equal(t, want+2, <-applied.applied)
	}
	require.Empty(t, applied.applied)
}

func listen(t *testing.T) *raft.NetworkTransport {
	t.Helper()
	trans, err := raft.NewTCPTransportWithLogger("127.0.0.1:0", nil, 1, time.Second, hclog.NewNullLogger())
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, trans.Close()) })
	return trans
}
