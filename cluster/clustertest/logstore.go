package clustertest

import (
	"fmt"
	"testing"

	"github.com/hashicorp/raft"
	"github.com/stretchr/testify/require"

	"almenara/cluster/raftlog"
)

// RunLogStore holds a log store to what raft needs of it. open is called again on
// the same directory after a close, and after a copy of the files was taken.
func RunLogStore(t *testing.T, open func(dir string) (raftlog.Store, error)) {
	for name, test := range map[string]func(*testing.T, *logRig){
		"append and read":                   appendAndRead,
		"truncated tail, restarted":         truncateTail,
		"truncated tail, several segments":  truncateFar,
		"compacted head":                    compactHead,
		"everything compacted, then a jump": compactAll,
		"only monotonic":                    onlyMonotonic,
		"stable values":                     stableValues,
	} {
		t.Run(name, func(t *testing.T) {
			rig := &logRig{t: t, dir: t.TempDir(), open: open}
			rig.reopen()
			t.Cleanup(func() { _ = rig.store.Close() })
			test(t, rig)
		})
	}
}

type logRig struct {
	t     *testing.T
	dir   string
	open  func(string) (raftlog.Store, error)
	store raftlog.Store
}

func (r *logRig) reopen() {
	r.t.Helper()
	if r.store != nil {
		require.NoError(r.t, r.store.Close())
	}
	var err error
	r.store, err = r.open(r.dir)
	require.NoError(r.t, err)
}

func (r *logRig) append(from, to, term uint64, size int) {
	r.t.Helper()
	for first := from; first <= to; first += 64 {
		var logs []*raft.Log
		for i := first; i < first+64 && i <= to; i++ {
			logs = append(logs, &raft.Log{Index: i, Term: term, Type: raft.LogCommand, Data: data(i, term, size)})
		}
		require.NoError(r.t, r.store.StoreLogs(logs))
	}
}

func data(index, term uint64, size int) []byte {
	b := make([]byte, size)
	copy(b, fmt.Sprintf("%d/%d", index, term))
	return b
}

// holds checks bounds and every entry, now and after a restart.
func (r *logRig) holds(first, last uint64, term func(uint64) uint64) {
	r.t.Helper()
	for range 2 {
		f, err := r.store.FirstIndex()
		require.NoError(r.t, err)
		l, err := r.store.LastIndex()
		require.NoError(r.t, err)
		require.Equal(r.t, [2]uint64{first, last}, [2]uint64{f, l})
		for i := max(first, 1); i <= last; i++ {
			var log raft.Log
			require.NoError(r.t, r.store.GetLog(i, &log))
			require.Equal(r.t, [2]uint64{i, term(i)}, [2]uint64{log.Index, log.Term})
			require.Equal(r.t, data(i, term(i), len(log.Data)), log.Data)
		}
		var log raft.Log
		require.ErrorIs(r.t, r.store.GetLog(last+1, &log), raft.ErrLogNotFound)
		r.reopen()
	}
}

func always(term uint64) func(uint64) uint64 { return func(uint64) uint64 { return term } }

func appendAndRead(_ *testing.T, r *logRig) {
	r.holds(0, 0, always(0))
	r.append(1, 200, 3, 100)
	r.holds(1, 200, always(3))
	r.append(201, 210, 4, 100)
	r.holds(1, 210, func(i uint64) uint64 {
		if i > 200 {
			return 4
		}
		return 3
	})
}

func truncateTail(t *testing.T, r *logRig) {
	r.append(1, 100, 1, 100)
	require.NoError(t, r.store.DeleteRange(51, 100))
	r.holds(1, 50, always(1))
	r.append(51, 60, 2, 100) // what another leader wrote there
	r.holds(1, 60, func(i uint64) uint64 {
		if i > 50 {
			return 2
		}
		return 1
	})
}

func truncateFar(t *testing.T, r *logRig) {
	r.append(1, 192, 1, 64<<10) // 12 MiB: more than a segment
	require.NoError(t, r.store.DeleteRange(11, 192))
	r.holds(1, 10, always(1))
	r.append(11, 20, 1, 100)
	r.holds(1, 20, always(1))
}

func compactHead(t *testing.T, r *logRig) {
	r.append(1, 192, 1, 64<<10)
	require.NoError(t, r.store.DeleteRange(1, 180))
	r.holds(181, 192, always(1))
	var log raft.Log
	require.ErrorIs(t, r.store.GetLog(180, &log), raft.ErrLogNotFound)
}

func compactAll(t *testing.T, r *logRig) {
	r.append(1, 50, 1, 100)
	require.NoError(t, r.store.DeleteRange(1, 50))
	r.reopen()
	r.append(1000, 1010, 2, 100) // after a snapshot was installed
	r.holds(1000, 1010, always(2))
}

func onlyMonotonic(t *testing.T, r *logRig) {
	m, ok := r.store.(raft.MonotonicLogStore)
	if !ok || !m.IsMonotonic() {
		return // raft then may leave gaps in it
	}
	r.append(1, 10, 1, 100)
	require.Error(t, r.store.StoreLog(&raft.Log{Index: 12, Term: 1}))
	require.Error(t, r.store.StoreLog(&raft.Log{Index: 10, Term: 1}))
	r.append(11, 12, 1, 100) // a refused write leaves no trace
	r.holds(1, 12, always(1))
}

func stableValues(t *testing.T, r *logRig) {
	v, err := r.store.GetUint64([]byte("CurrentTerm"))
	require.NoError(t, err)
	require.Zero(t, v)
	b, err := r.store.Get([]byte("LastVoteCand"))
	require.NoError(t, err)
	require.Empty(t, b)
	require.NoError(t, r.store.SetUint64([]byte("CurrentTerm"), 7))
	require.NoError(t, r.store.Set([]byte("LastVoteCand"), []byte("someone")))
	r.reopen()
	v, err = r.store.GetUint64([]byte("CurrentTerm"))
	require.NoError(t, err)
	require.Equal(t, uint64(7), v)
	b, err = r.store.Get([]byte("LastVoteCand"))
	require.NoError(t, err)
	require.Equal(t, "someone", string(b))
}
