package node

import (
	"context"
	"errors"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"almenara/cluster"
	"almenara/storage"
)

// hermit is a solitude with a clock of its own. Quorum times are the system's, so the
// clock begins there.
type hermit struct {
	solitude
	at      time.Time
	records []storage.Alone
	refuse  error
}

func newHermit(path string) *hermit {
	h := &hermit{at: time.Now()}
	h.solitude = solitude{path: path, now: func() time.Time { return h.at }, record: func(_ context.Context, a storage.Alone) error {
		if h.refuse == nil {
			h.records = append(h.records, a)
		}
		return h.refuse
	}}
	return h
}

func (h *hermit) after(t *testing.T, d time.Duration, c cluster.Status) {
	h.at = h.at.Add(d)
	require.NoError(t, h.look(t.Context(), c, 41))
}

func TestSolitude_RecordsWhatLasts(t *testing.T) {
	h := newHermit(filepath.Join(t.TempDir(), "alone"))
	with := cluster.Status{ID: "c", HasQuorum: true}
	h.after(t, 0, with)
	without := cluster.Status{ID: "c", AloneSince: time.Now()}
	h.after(t, 0, without)
	h.after(t, 2*time.Second, without)
	h.after(t, 500*time.Millisecond, with)
	require.Empty(t, h.records, "an election is no split")

	h.after(t, 0, without)
	h.after(t, 3*time.Second, without)
	require.FileExists(t, h.path)
	without.Peers = []cluster.Peer{{ID: "c", Reachable: true, LastContact: time.Now().Add(time.Hour)}, {ID: "b", Reachable: true, LastContact: time.Now().Add(time.Hour)}}
	h.after(t, time.Second, without)
	without.Peers = append(without.Peers, cluster.Peer{ID: "a", Reachable: true, LastContact: time.Now().Add(time.Hour)})
	h.after(t, 10*time.Second, without)
	h.refuse = errors.New("disk")
	require.Error(t, h.look(t.Context(), with, 41), "tried again")
	h.refuse = nil
	h.after(t, time.Second, with)
	require.Len(t, h.records, 1)
	require.NoFileExists(t, h.path)
	got := h.records[0]
	require.Equal(t, []string{"b"}, got.Saw, "whom it met when the links healed does not count")
	require.InDelta(t, 15_000, got.To-got.From, 300)
	require.Equal(t, storage.AloneLost, got.Why)
	require.EqualValues(t, 41, got.Policy)
}

func TestSolitude_RecordsTheSpellOfACrash(t *testing.T) {
	path := filepath.Join(t.TempDir(), "alone")
	h := newHermit(path)
	h.after(t, 0, cluster.Status{ID: "c", AloneSince: time.Now()})
	h.after(t, 5*time.Second, cluster.Status{ID: "c", AloneSince: time.Now()})
	again := newHermit(path)
	again.at = h.at.Add(time.Minute)
	require.NoError(t, again.resume(t.Context()))
	require.Len(t, again.records, 1)
	require.Equal(t, storage.AloneEnded, again.records[0].Why)
	require.InDelta(t, 65_000, again.records[0].To-again.records[0].From, 300)
	require.NoError(t, again.resume(t.Context()))
	require.Len(t, again.records, 1)
}
