package raftfix

import (
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/raft"
	"github.com/stretchr/testify/require"

	"almenara/cluster/raftlog"
)

// slowTerm writes one term slowly: not before a higher one was written, if that can be.
type slowTerm struct {
	raft.StableStore
	slow  uint64
	begun chan struct{}

	mu      sync.Mutex
	written []uint64
	higher  chan struct{}
}

func (s *slowTerm) SetUint64(key []byte, value uint64) error {
	if string(key) == string(raftlog.KeyTerm) && value == s.slow {
		close(s.begun)
		select {
		case <-s.higher:
		case <-time.After(300 * time.Millisecond): // raft itself waits for this write
		}
	}
	err := s.StableStore.SetUint64(key, value)
	if string(key) == string(raftlog.KeyTerm) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.written = append(s.written, value)
		if value > s.slow {
			close(s.higher)
		}
	}
	return err
}

// A candidate hears of a leader of the next term, and, while that is written to a slow
// disk, from another voter that the term is higher still. The term must not fall.
func TestInTurn_AHeartbeatDoesNotLowerTheTerm(t *testing.T) {
	trans := NewInTurn(listen(t))
	t.Cleanup(func() { require.NoError(t, trans.Close()) })
	leader := listen(t)
	store := raft.NewInmemStore()
	conf := raft.Configuration{Servers: []raft.Server{{ID: "f", Address: trans.LocalAddr()}, {ID: "l", Address: leader.LocalAddr()}}}
	require.NoError(t, store.StoreLogs([]*raft.Log{{Index: 1, Term: 1, Type: raft.LogConfiguration, Data: raft.EncodeConfiguration(conf)}}))
	require.NoError(t, store.SetUint64(raftlog.KeyTerm, 22))
	terms := &slowTerm{StableStore: store, slow: 23, begun: make(chan struct{}), higher: make(chan struct{})}
	config := raft.DefaultConfig()
	config.LocalID, config.Logger = "f", hclog.NewNullLogger()
	config.HeartbeatTimeout, config.ElectionTimeout, config.LeaderLeaseTimeout = 50*time.Millisecond, 10*time.Second, 50*time.Millisecond
	r, err := raft.NewRaft(config, recorder{make(chan uint64, 20)}, store, terms, raft.NewInmemSnapshotStore(), trans)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, r.Shutdown().Error()) })
	trans.raft.Store(r)

	asked := <-leader.Consumer() // it is a candidate now, and asks before it takes a term
	beaten := make(chan error, 1)
	go func() {
		beaten <- leader.AppendEntries("f", trans.LocalAddr(), &raft.AppendEntriesRequest{
			RPCHeader: raft.RPCHeader{ProtocolVersion: raft.ProtocolVersionMax, ID: []byte("l"), Addr: leader.EncodePeer("l", leader.LocalAddr())},
			Term:      23,
		}, &raft.AppendEntriesResponse{})
	}()
	<-terms.begun
	asked.Respond(&raft.RequestPreVoteResponse{RPCHeader: raft.RPCHeader{ProtocolVersion: raft.ProtocolVersionMax}, Term: 25}, nil)
	require.NoError(t, <-beaten)
	require.Eventually(t, func() bool { return r.CurrentTerm() >= 23 }, 5*time.Second, time.Millisecond)
	terms.mu.Lock()
	defer terms.mu.Unlock()
	require.True(t, slices.IsSorted(terms.written), "%v", terms.written)
	require.EqualValues(t, slices.Max(terms.written), r.CurrentTerm())
}

// Heartbeats of the leader still pass beside raft: one that waits for its disk hears them.
func TestInTurn_AFollowerHearsItsLeaderWhileItWrites(t *testing.T) {
	trans := NewInTurn(listen(t))
	t.Cleanup(func() { require.NoError(t, trans.Close()) })
	var beside, inTurn int
	trans.SetHeartbeatHandler(func(rpc raft.RPC) { beside++; rpc.Respond(&raft.AppendEntriesResponse{}, nil) })
	go func() {
		for rpc := range trans.Consumer() {
			inTurn++
			rpc.Respond(&raft.AppendEntriesResponse{}, nil)
		}
	}()
	store := raft.NewInmemStore()
	config := raft.DefaultConfig()
	config.LocalID, config.Logger, config.HeartbeatTimeout, config.ElectionTimeout = "f", hclog.NewNullLogger(), time.Minute, time.Minute
	require.NoError(t, store.SetUint64(raftlog.KeyTerm, 4))
	_, own := raft.NewInmemTransport("f")
	r, err := raft.NewRaft(config, recorder{make(chan uint64, 20)}, store, store, raft.NewInmemSnapshotStore(), own)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, r.Shutdown().Error()) })
	leader := listen(t)
	beat := func(term uint64) {
		require.NoError(t, leader.AppendEntries("f", trans.LocalAddr(), &raft.AppendEntriesRequest{
			RPCHeader: raft.RPCHeader{ProtocolVersion: raft.ProtocolVersionMax, ID: []byte("l"), Addr: leader.EncodePeer("l", leader.LocalAddr())}, Term: term,
		}, &raft.AppendEntriesResponse{}))
	}
	beat(4)
	require.Equal(t, 1, inTurn, "raft does not run yet")
	trans.raft.Store(r)
	beat(4)
	require.Equal(t, 1, beside)
	beat(5)
	require.Equal(t, 2, inTurn, "it changes the term")
}

func TestRising_ATermThatFallsIsNotWritten(t *testing.T) {
	store := raft.NewInmemStore()
	s := &rising{StableStore: store}
	require.NoError(t, s.SetUint64(raftlog.KeyTerm, 25))
	require.ErrorIs(t, s.SetUint64(raftlog.KeyTerm, 23), errTermFell)
	require.NoError(t, s.SetUint64([]byte("LastVoteTerm"), 1))
	held, err := store.GetUint64(raftlog.KeyTerm)
	require.NoError(t, err)
	require.EqualValues(t, 25, held)
}

func TestRising_RecordsTheFirstTermBeforeRaftGoesOn(t *testing.T) {
	marks := 0
	var fault error
	s := &rising{StableStore: raft.NewInmemStore(), begun: func() error { marks++; return fault }}
	require.NoError(t, s.SetUint64([]byte("LastVoteTerm"), 1))
	require.Zero(t, marks)
	fault = errors.New("the disk is full")
	require.ErrorIs(t, s.SetUint64(raftlog.KeyTerm, 1), fault)
	fault = nil
	require.NoError(t, s.SetUint64(raftlog.KeyTerm, 1))
	require.NoError(t, s.SetUint64(raftlog.KeyTerm, 2))
	require.Equal(t, 2, marks, "once, after the attempt that failed")
}
