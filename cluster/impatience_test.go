package cluster

import (
	"context"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hashicorp/raft"
	"github.com/stretchr/testify/require"
)

const testHeartbeat = 300 * time.Millisecond

// follower is raft's, with a leader that the test plays and another voter before it.
type follower struct {
	t      *testing.T
	raft   *raft.Raft
	leader *raft.InmemTransport
	at     raft.ServerAddress
	term   uint64
}

func newFollower(t *testing.T) *follower {
	at, trans := raft.NewInmemTransport("follower")
	from, leader := raft.NewInmemTransport("leader")
	trans.Connect(from, leader)
	leader.Connect(at, trans)
	c := raft.DefaultConfig()
	c.LocalID, c.LogOutput = "follower", io.Discard
	c.HeartbeatTimeout, c.ElectionTimeout, c.LeaderLeaseTimeout = testHeartbeat, testHeartbeat, testHeartbeat/2
	store := raft.NewInmemStore()
	snaps := raft.NewInmemSnapshotStore()
	require.NoError(t, raft.BootstrapCluster(c, store, store, snaps, trans, raft.Configuration{Servers: []raft.Server{
		{ID: "another", Address: "another"}, {ID: "follower", Address: at}, {ID: "leader", Address: from},
	}}))
	r, err := raft.NewRaft(c, &raft.MockFSM{}, store, store, snaps, trans)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, r.Shutdown().Error()) })
	return &follower{t: t, raft: r, leader: leader, at: at, term: 2}
}

// beat has the leader heard.
func (f *follower) beat() {
	var answer raft.AppendEntriesResponse
	require.NoError(f.t, f.leader.AppendEntries("follower", f.at, &raft.AppendEntriesRequest{
		RPCHeader: raft.RPCHeader{ProtocolVersion: raft.ProtocolVersionMax, ID: []byte("leader"), Addr: []byte("leader")},
		Term:      f.term, PrevLogEntry: 1, PrevLogTerm: 1,
	}, &answer))
	require.True(f.t, answer.Success)
}

// noticed is how long after the last beat the follower has no leader any more.
func (f *follower) noticed() time.Duration {
	begun := time.Now()
	for {
		if _, leader := f.raft.LeaderWithID(); leader == "" {
			return time.Since(begun)
		}
		time.Sleep(time.Millisecond)
	}
}

// A silent leader is given up after a timeout at least, and when the turn of this voter has
// come at most; raft by itself takes up to three timeouts. One that is heard is never given
// up.
func TestImpatience_SilenceOfTheLeaderIsNoticed(t *testing.T) {
	for range 40 {
		synctest.Test(t, func(t *testing.T) {
			f := newFollower(t)
			ctx, cancel := context.WithCancel(t.Context())
			ended := make(chan struct{})
			go func() { defer close(ended); impatience{f.raft, "follower", testHeartbeat}.watch(ctx) }()
			defer func() { cancel(); <-ended }()
			for range 50 {
				f.beat()
				time.Sleep(testHeartbeat / 10)
				require.Equal(t, raft.Follower, f.raft.State())
			}
			f.beat()
			took := f.noticed()
			require.GreaterOrEqual(t, took, testHeartbeat)
			require.LessOrEqual(t, took, testHeartbeat*3/2+testHeartbeat/turnsPerTimeout+testHeartbeat/looksPerTimeout+time.Millisecond)
		})
	}
}

// A node that has just been started is more patient, as it may have been away for long.
func TestImpatience_NotWhileStarting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFollower(t)
		rc := f.raft.ReloadableConfig()
		rc.HeartbeatTimeout, rc.ElectionTimeout = 10*testHeartbeat, 10*testHeartbeat
		require.NoError(t, f.raft.ReloadConfig(rc))
		f.beat()
		impatience{f.raft, "follower", testHeartbeat}.nudge()
		require.Equal(t, 10*testHeartbeat, f.raft.ReloadableConfig().HeartbeatTimeout)
	})
}

// The voters that a dead leader leaves behind stand one after the other.
func TestImpatience_TurnsAreOfVotersThatAreLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFollower(t)
		turn := func(me raft.ServerID) time.Duration { return impatience{f.raft, me, testHeartbeat}.turn() }
		require.Equal(t, 3*testHeartbeat/turnsPerTimeout, turn("zz"), "nobody leads")
		f.beat()
		require.Zero(t, turn("another"))
		require.Equal(t, testHeartbeat/turnsPerTimeout, turn("follower"))
		require.Equal(t, 2*testHeartbeat/turnsPerTimeout, turn("zz"))
	})
}
