package cluster

import (
	"context"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hashicorp/raft"
	"github.com/stretchr/testify/require"
)

// stuckLog is a log store whose writes wait.
type stuckLog struct {
	LogStore
	wait chan struct{}
}

func (s stuckLog) StoreLogs([]*raft.Log) error { <-s.wait; return nil }

func TestWatchdog_HaltsOnceWhenTheDiskStalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dog := newWatchdog(nil)
		store := watchedStore{LogStore: stuckLog{wait: make(chan struct{})}, dog: dog}
		ctx, cancel := context.WithCancel(t.Context())
		var halts []error
		var running sync.WaitGroup
		running.Go(func() {
			dog.run(ctx, slog.New(slog.DiscardHandler), func(err error) { halts = append(halts, err) })
		})
		time.Sleep(time.Minute)
		synctest.Wait()
		require.Empty(t, halts)

		writing := make(chan error, 1)
		go func() { writing <- store.StoreLog(&raft.Log{Index: 1}) }()
		time.Sleep(stallHalt - time.Second)
		require.Empty(t, halts)
		require.Greater(t, dog.stalled(), stallWarning, "proposals are refused as busy")
		time.Sleep(time.Minute)
		synctest.Wait()
		require.Len(t, halts, 1)
		require.ErrorIs(t, halts[0], ErrDiskStalled)

		close(store.LogStore.(stuckLog).wait)
		require.NoError(t, <-writing, "the write itself is left alone")
		require.Zero(t, dog.stalled())
		cancel()
		running.Wait()
	})
}

func TestWatchdog_HaltsWhenTheStateMachineStalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begun := time.Now()
		dog := newWatchdog(func() time.Duration { return time.Since(begun) })
		halted := make(chan error, 1)
		ctx, cancel := context.WithCancel(t.Context())
		var running sync.WaitGroup
		running.Go(func() { dog.run(ctx, slog.New(slog.DiscardHandler), func(err error) { halted <- err }) })
		require.ErrorIs(t, <-halted, ErrDiskStalled)
		require.Greater(t, time.Since(begun), stallHalt)
		cancel()
		running.Wait()
	})
}

func TestApply_RefusesWhenTheDiskStallsOrTooMuchIsInFlight(t *testing.T) {
	c := singleNode(t)
	end := c.dog.begin()
	c.dog.mu.Lock()
	for n := range c.dog.running {
		c.dog.running[n] = time.Now().Add(-stallWarning - time.Second)
	}
	c.dog.mu.Unlock()
	_, err := c.Propose(t.Context(), []byte("x"))
	require.ErrorIs(t, err, ErrBusy)
	end()
	_, err = c.Propose(t.Context(), []byte("x"))
	require.NoError(t, err)

	require.Eventually(t, func() bool { return c.inFlight.TryAcquire(maxInFlightBytes) }, 10*time.Second, time.Millisecond,
		"what was answered is in flight no more")
	_, err = c.Propose(t.Context(), []byte("x"))
	require.ErrorIs(t, err, ErrBusy)
	c.inFlight.Release(maxInFlightBytes)
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

func nodeWith(t *testing.T, fsm raft.FSM) *Cluster {
	t.Helper()
	d, err := NewDistrict("On Ting")
	require.NoError(t, err)
	id, err := NewIdentity(d, nil)
	require.NoError(t, err)
	c, err := Start(Options{
		Dir: t.TempDir(), Identity: id, Listen: "127.0.0.1:0", Bootstrap: true,
		FSM: fsm, Snapshots: raft.NewInmemSnapshotStore(), HeartbeatTimeout: 50 * time.Millisecond,
	})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, c.Stop(context.Background())) })
	require.NoError(t, c.Barrier(t.Context()))
	return c
}

func TestPropose_SettingsOfRaft(t *testing.T) {
	c := singleNode(t)
	require.Eventually(t, func() bool {
		return c.raft.ReloadableConfig().HeartbeatTimeout == 50*time.Millisecond
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
	before := c.raft.AppliedIndex()
	proposed := make(chan error, 1)
	go func() {
		_, err := c.Propose(t.Context(), []byte("slow"))
		proposed <- err
	}()
	require.Eventually(t, func() bool { return c.raft.AppliedIndex() > before }, 10*time.Second, time.Millisecond)
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	require.ErrorIs(t, c.Linearizable(ctx), context.DeadlineExceeded)
	close(fsm.apply)
	require.NoError(t, <-proposed)
	require.NoError(t, c.Linearizable(t.Context()))
}
