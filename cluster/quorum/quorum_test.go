package quorum

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/hashicorp/raft"
	"github.com/stretchr/testify/require"
)

// scripted is a raft that says what it is told to.
type scripted struct {
	state   raft.RaftState
	leader  raft.ServerID
	contact time.Time
}

func (s *scripted) State() raft.RaftState { return s.state }

func (s *scripted) LeaderWithID() (raft.ServerAddress, raft.ServerID) { return "", s.leader }

func (s *scripted) LastContact() time.Time { return s.contact }

func (s *scripted) ReloadableConfig() raft.ReloadableConfig {
	return raft.ReloadableConfig{HeartbeatTimeout: 300 * time.Millisecond}
}

func look(w *Watch) State {
	seen, _ := w.Look()
	return seen
}

func TestWatch_JudgesByRoleLeaderAndContact(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &scripted{state: raft.Follower}
		w := New(r)
		require.Equal(t, Alone, w.State())
		require.Equal(t, Alone, look(w), "a follower of nobody")

		r.leader, r.contact = "b", time.Now()
		require.Equal(t, Alone, w.State(), "only a look changes what was seen")
		require.Equal(t, Following, look(w))
		require.Equal(t, Following, w.State())
		time.Sleep(600 * time.Millisecond)
		require.Equal(t, Alone, look(w), "the leader was not heard for two heartbeat timeouts")

		for state, want := range map[raft.RaftState]State{raft.Leader: Leading, raft.Candidate: Alone, raft.Shutdown: Alone} {
			r.state = state
			require.Equal(t, want, look(w), "%s", state)
		}
	})
}

func TestWatch_KnowsSinceWhen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, begun := &scripted{state: raft.Candidate}, time.Now()
		w := New(r)
		time.Sleep(time.Second)
		_, since := w.Look()
		require.Equal(t, begun, since, "alone from the beginning")
		require.Zero(t, w.Unbroken())

		r.state = raft.Leader
		_, since = w.Look()
		won := time.Now()
		require.Zero(t, since)
		require.Equal(t, won, w.Unbroken())

		time.Sleep(time.Minute)
		lost := time.Now()
		r.state = raft.Candidate
		w.Look()
		time.Sleep(BreakAtMost)
		_, since = w.Look()
		require.Equal(t, lost, since)
		require.Equal(t, won, w.Unbroken(), "an election is no break")
		r.state = raft.Leader
		w.Look()
		require.Equal(t, won, w.Unbroken())

		r.state = raft.Candidate
		w.Look()
		time.Sleep(BreakAtMost + time.Millisecond)
		w.Look()
		require.Zero(t, w.Unbroken())
	})
}

func TestState_HasAWord(t *testing.T) {
	require.Equal(t, []string{"alone", "following", "leading", "unknown"},
		[]string{Alone.String(), Following.String(), Leading.String(), State(9).String()})
	require.False(t, Alone.Has())
	require.True(t, Following.Has() && Leading.Has())
}
