package cluster

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hashicorp/raft"
	"github.com/stretchr/testify/require"

	"almenara/cluster/identity"
	"almenara/cluster/outcome"
	"almenara/cluster/proposals"
)

func TestApply_RefusesWhenTheDiskStallsOrTooMuchIsInFlight(t *testing.T) {
	var stalled atomic.Bool
	c := nodeWith(t, nothing{&raft.MockFSM{}}, func(o *Options) {
		o.Stalled = func() time.Duration {
			if stalled.Load() {
				return 3 * time.Second
			}
			return 0
		}
	})
	stalled.Store(true)
	_, err := c.Propose(t.Context(), []byte("x"))
	require.ErrorIs(t, err, outcome.ErrBusy)
	stalled.Store(false)
	_, err = c.Propose(t.Context(), []byte("x"))
	require.NoError(t, err)

	var release func()
	require.Eventually(t, func() (ok bool) {
		release, ok = c.proposals.Reserve(proposals.MaxInFlightBytes)
		return ok
	}, 10*time.Second, time.Millisecond, "what was answered is in flight no more")
	_, err = c.Propose(t.Context(), []byte("x"))
	require.ErrorIs(t, err, outcome.ErrBusy)
	release()
	_, err = c.Propose(t.Context(), []byte("x"))
	require.NoError(t, err)
}

// nothing is a state machine that forgets and answers nothing.
type nothing struct{ *raft.MockFSM }

func (nothing) Apply(*raft.Log) any { return nil }

func singleNode(t *testing.T) *Cluster {
	t.Helper()
	return nodeWith(t, nothing{&raft.MockFSM{}})
}

func nodeWith(t *testing.T, fsm raft.FSM, changes ...func(*Options)) *Cluster {
	t.Helper()
	d, err := identity.NewDistrict("On Ting")
	require.NoError(t, err)
	id, err := identity.New(d, nil)
	require.NoError(t, err)
	o := Options{
		Dir: t.TempDir(), Identity: id, Listen: "127.0.0.1:0", Bootstrap: true,
		FSM: fsm, Snapshots: raft.NewInmemSnapshotStore(), HeartbeatTimeout: 50 * time.Millisecond,
	}
	for _, change := range changes {
		change(&o)
	}
	c, err := Start(o)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, c.Stop(context.Background())) })
	require.NoError(t, c.Linearizable(t.Context()))
	return c
}

func TestPropose_SettingsOfRaft(t *testing.T) {
	c := singleNode(t)
	require.Eventually(t, func() bool {
		return c.group.Raft.ReloadableConfig().HeartbeatTimeout == 50*time.Millisecond
	}, 5*time.Second, 10*time.Millisecond, "the start's tripled timeouts end with the first leader")
	config := Options{Identity: c.Identity(), HeartbeatTimeout: 300 * time.Millisecond, Logger: c.options.Logger}.raftConfig(nil)
	require.Equal(t, 900*time.Millisecond, config.HeartbeatTimeout)
	require.Equal(t, 200*time.Millisecond, config.LeaderLeaseTimeout)
	require.False(t, config.PreVoteDisabled)
	var transport raft.Transport = c.trans
	_, ok := transport.(raft.WithPreVote)
	require.True(t, ok, "a wrapped transport would silently switch pre-vote off")
	require.NoError(t, raft.ValidateConfig(config))
}

// slow is a state machine that applies when it is told to.
type slow struct {
	nothing
	apply chan struct{}
}

func (s slow) Apply(*raft.Log) any { <-s.apply; return nil }

func TestLinearizable_WaitsForTheStateMachineNotForRaft(t *testing.T) {
	fsm := slow{nothing{&raft.MockFSM{}}, make(chan struct{})}
	c := nodeWith(t, fsm)
	before := c.group.Raft.AppliedIndex()
	proposed := make(chan error, 1)
	go func() {
		_, err := c.Propose(t.Context(), []byte("slow"))
		proposed <- err
	}()
	require.Eventually(t, func() bool { return c.group.Raft.AppliedIndex() > before }, 10*time.Second, time.Millisecond)
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	require.ErrorIs(t, c.Linearizable(ctx), context.DeadlineExceeded)
	close(fsm.apply)
	require.NoError(t, <-proposed)
	require.NoError(t, c.Linearizable(t.Context()))
}
