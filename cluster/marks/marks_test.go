package marks

import (
	"log/slog"
	"testing"
	"time"

	"github.com/hashicorp/raft"
	"github.com/stretchr/testify/require"

	"almenara/cluster/identity"
	"almenara/cluster/raftlog"
)

func TestCheckLog_KnowsALogThatIsLost(t *testing.T) {
	dir, log, states := t.TempDir(), raftlog.NewEmpty(), raft.NewInmemSnapshotStore()
	_, err := CheckLog(dir, states, log)
	require.NoError(t, err, "a new node")
	require.NoError(t, MarkBegun(dir, "a"))
	require.Equal(t, "a", BegunBy(dir))
	_, err = CheckLog(dir, states, log)
	require.ErrorIs(t, err, ErrAmnesia, "it has had a log")
	require.NoError(t, log.SetUint64(raftlog.KeyTerm, 3))
	_, err = CheckLog(dir, states, log)
	require.NoError(t, err)
}

func TestMarks_AreClearedForANewBeginning(t *testing.T) {
	d, err := identity.NewDistrict("On Ting")
	require.NoError(t, err)
	dir := t.TempDir()
	require.NoError(t, MarkQuarantined(dir, CauseLog, "a byte rotted", d, time.Unix(1, 0)))
	require.NoError(t, MarkQuarantined(dir, CauseState, "later", d, time.Unix(2, 0)))
	require.NoError(t, MarkRemoved(dir, "a"))
	q, err := LoadQuarantine(dir, d)
	require.NoError(t, err)
	require.Equal(t, CauseLog, q.Cause, "a mark that is there stays")
	require.True(t, WasRemoved(dir))
	require.NoError(t, Clear(dir))
	q, err = LoadQuarantine(dir, d)
	require.NoError(t, err)
	require.Nil(t, q)
	require.False(t, WasRemoved(dir))
}

func TestRestoredCopies_AreKeptAndBounded(t *testing.T) {
	var c RestoredCopies
	dir, log := t.TempDir(), slog.New(slog.DiscardHandler)
	c.Load(dir, log)
	require.NoError(t, c.Add("first"))
	for i := range maxNotHeard {
		require.NoError(t, c.Add(string(rune('A'+i))))
	}
	var again RestoredCopies
	again.Load(dir, log)
	require.True(t, again.Has("A"))
	require.False(t, again.Has("first"), "the oldest go first")
}
