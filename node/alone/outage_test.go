package alone

import (
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"almenara/cluster"
	"almenara/cluster/peers"
	"almenara/storage/factbody"
)

// hermit is a outageRecorder with a clock of its own. Quorum times are the system's, so the
// clock begins there.
type hermit struct {
	outageRecorder
	at      time.Time
	records []factbody.Alone
	refuse  error
}

func newHermit(path string) *hermit {
	h := &hermit{at: time.Now()}
	h.outageRecorder = outageRecorder{path: path, now: func() time.Time { return h.at }, record: func(_ context.Context, a factbody.Alone) error {
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

func TestOutageRecorder_RecordsWhatLasts(t *testing.T) {
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
	without.Peers = []peers.Peer{{ID: "c", Reachable: true, LastContact: time.Now().Add(time.Hour)}, {ID: "b", Reachable: true, LastContact: time.Now().Add(time.Hour)}}
	h.after(t, time.Second, without)
	without.Peers = append(without.Peers, peers.Peer{ID: "a", Reachable: true, LastContact: time.Now().Add(time.Hour)})
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
	require.Equal(t, factbody.AloneLost, got.Why)
	require.EqualValues(t, 41, got.Policy)
}

func TestOutageRecorder_RecordsTheSpellOfACrash(t *testing.T) {
	path := filepath.Join(t.TempDir(), "alone")
	h := newHermit(path)
	h.after(t, 0, cluster.Status{ID: "c", AloneSince: time.Now()})
	h.after(t, 5*time.Second, cluster.Status{ID: "c", AloneSince: time.Now()})
	again := newHermit(path)
	again.at = h.at.Add(time.Minute)
	require.NoError(t, again.resume(t.Context()))
	require.Len(t, again.records, 1)
	require.Equal(t, factbody.AloneEnded, again.records[0].Why)
	require.InDelta(t, 65_000, again.records[0].To-again.records[0].From, 300)
	require.NoError(t, again.resume(t.Context()))
	require.Len(t, again.records, 1)
}

// link is a majority that the test takes away and gives back.
type link struct {
	mu   sync.Mutex
	gone time.Time
}

func (l *link) HasQuorum() bool { l.mu.Lock(); defer l.mu.Unlock(); return l.gone.IsZero() }

func (l *link) Status() cluster.Status {
	l.mu.Lock()
	defer l.mu.Unlock()
	return cluster.Status{HasQuorum: l.gone.IsZero(), AloneSince: l.gone}
}

func (l *link) set(gone time.Time) { l.mu.Lock(); defer l.mu.Unlock(); l.gone = gone }

// One watch says that the node is alone and puts the outage on record when it ends.
func TestWatch_TellsAndRecordsAnOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		records, turned := make(chan factbody.Alone, 1), 0
		w := Open(Options{
			Dir: t.TempDir(), Clock: time.Now, Logger: slog.New(slog.DiscardHandler), Applied: func() uint64 { return 41 },
			Record: func(_ context.Context, a factbody.Alone) error { records <- a; return nil }, Turned: func() { turned++ },
		})
		l := &link{}
		done := make(chan struct{})
		go func() { defer close(done); w.Run(ctx, l) }()
		pass(time.Second)
		require.False(t, w.Now().Alone)
		begun := time.Now()
		l.set(begun)
		pass(time.Minute)
		require.True(t, w.Now().Alone)
		require.WithinDuration(t, begun, w.Now().Since, look)
		require.Empty(t, records, "it lasts")
		l.set(time.Time{})
		a := <-records
		require.EqualValues(t, 41, a.Policy)
		require.Equal(t, factbody.AloneLost, a.Why)
		pass(time.Second)
		require.False(t, w.Now().Alone)
		require.Equal(t, 2, turned)
		cancel()
		<-done
	})
}
