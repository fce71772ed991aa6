package personal

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"almenara/cluster/command"
	"almenara/cluster/fact"
	"almenara/storage"
	"almenara/storage/personal"
	"almenara/storage/storagetest"
)

// files are those of a node, in memory.
type files struct {
	first, applied uint64
	padded         atomic.Int64
	journal        int
	kept           bool // a photo that came just now is left
	fails          error
	emergency      atomic.Bool
	now            time.Time
	gone           []uint32
}

func (f *files) Forget(erased func(member uint32) bool, before func(personal.What) int64) (n int) {
	for _, m := range []uint32{3, 4} {
		if erased(m) || before(personal.OldReports) > 10 {
			f.gone, n = append(f.gone, m), n+1
		}
	}
	return n
}
func (f *files) Relearn(fact.Fact)                       {}
func (f *files) Photos() [][]byte                        { return nil }
func (f *files) ForgetPhotos(func(sum []byte) bool) bool { return !f.kept }

func (f *files) leftovers(t *testing.T, s *storage.Store, dir string) *leftovers {
	return openLeftovers(Options{
		Dir: dir, Store: s, Books: []Book{f}, Photos: f, Emergency: func() bool { return f.emergency.Load() }, Clock: func() time.Time { return f.now }, Logger: slog.New(slog.DiscardHandler),
		Log:     func() (uint64, uint64) { return f.first, f.applied },
		Journal: func() error { f.journal++; return f.fails },
		Propose: func(_ context.Context, entry []byte) ([]byte, error) {
			c, err := command.Decode(entry)
			require.NoError(t, err)
			require.Empty(t, c.RequestID, "answers to requests keep their room")
			f.padded.Add(int64(len(c.Payload.(*command.Pad).Zeros)))
			return nil, nil
		},
	})
}

var night = time.Date(2026, 7, 20, 3, 0, 0, 0, time.Local)

func erasure(t *testing.T, s *storage.Store, phase personal.Phase, doneAt uint64) {
	t.Helper()
	storagetest.Update(t, s, func(tx *storage.Txn) error {
		return personal.Erasures.Put(tx, personal.Erasure{Pseudonym: "erased-abcdefghijklmnop", Ordinal: 3, Phase: phase, DoneAt: doneAt, At: night.UnixMilli()})
	})
}

func TestLeftovers_SayThatFilesAreClearedOnlyWhenAllOfThemAre(t *testing.T) {
	s, dir, f := storagetest.Open(t), t.TempDir(), &files{first: 1, applied: 500, kept: true, now: night}
	l := f.leftovers(t, s, dir)
	clear := func() uint64 {
		require.NoError(t, l.clear())
		return l.done()
	}
	require.Zero(t, clear())
	require.Zero(t, f.journal, "nobody was erased")
	erasure(t, s, personal.AuditLines, 0)
	require.Zero(t, clear())
	require.Equal(t, []uint32{3}, f.gone, "what is in memory goes at once")
	require.Zero(t, f.journal, "the search is not done")
	erasure(t, s, personal.Finished, 400)
	f.kept = false
	require.Zero(t, clear(), "the log still has the entries")
	require.Equal(t, 1, f.journal)
	f.first, f.kept = 401, true
	erasure(t, s, personal.Finished, 401)
	f.first = 402
	require.Zero(t, clear(), "a photo is left")
	erasure(t, s, personal.Finished, 400)
	f.kept, f.fails = false, errors.New("disk")
	require.Error(t, l.clear())
	require.Zero(t, l.done(), "the journal was not overwritten")
	f.fails = nil
	require.EqualValues(t, 400, clear())
	require.EqualValues(t, 400, f.leftovers(t, s, dir).done(), "a start remembers it")
}

func TestLeftovers_TheLogMovesOnFarEnoughAndNoFurther(t *testing.T) {
	s, f := storagetest.Open(t), &files{applied: 500, now: night}
	l := f.leftovers(t, s, t.TempDir())
	require.NoError(t, l.moveLog(t.Context()))
	require.Zero(t, f.padded.Load())
	erasure(t, s, personal.Finished, 400)
	l.o.Log = func() (uint64, uint64) { return 1, 400 + uint64(f.padded.Load()/padBytes) }
	require.NoError(t, l.moveLog(t.Context()))
	require.GreaterOrEqual(t, f.padded.Load(), int64(16<<20), "two files of the log")
	require.Less(t, f.padded.Load(), int64(18<<20))
	before := f.padded.Load()
	require.NoError(t, l.moveLog(t.Context()))
	require.Equal(t, before, f.padded.Load())
}

// While an emergency is in force neither the log nor the files are written for this; it comes when that is over, also in
// the middle, and 72 hours after the person was erased in any case.
func TestLeftovers_WaitForTheEndOfAnEmergency(t *testing.T) {
	s, f := storagetest.Open(t), &files{first: 402, applied: 500, now: night.Add(time.Hour)}
	f.emergency.Store(true)
	l := f.leftovers(t, s, t.TempDir())
	l.o.Log = func() (uint64, uint64) { return f.first, 400 + uint64(f.padded.Load()/padBytes) }
	erasure(t, s, personal.Finished, 400)
	round := func() (written, cleared bool) {
		before := f.padded.Load()
		require.NoError(t, l.moveLog(t.Context()))
		require.NoError(t, l.clear())
		return f.padded.Load() > before, l.done() == 400
	}
	for range 2 {
		written, cleared := round()
		require.False(t, written)
		require.False(t, cleared)
	}
	require.Equal(t, []uint32{3, 3}, f.gone, "what is in memory goes at once")
	p := &Personal{o: l.o, leftovers: l}
	all, err := p.erasures()
	require.NoError(t, err)
	require.Equal(t, []bool{true, false, true}, []bool{all[0].Agreed, all[0].Files, all[0].Waits})

	propose := l.o.Propose
	l.o.Propose = func(ctx context.Context, entry []byte) ([]byte, error) {
		if f.padded.Load() > 1<<20 { // one begins in the middle
			f.emergency.Store(true)
		}
		return propose(ctx, entry)
	}
	padAgain := func() int64 { require.NoError(t, l.moveLog(t.Context())); return f.padded.Load() }
	f.emergency.Store(false)
	stopped := padAgain()
	require.Greater(t, stopped, int64(1<<20))
	require.Less(t, stopped, int64(2<<20))
	require.Equal(t, stopped, padAgain())
	f.now = night.Add(MostWait)
	written, cleared := round()
	require.True(t, written, "it must come some day")
	require.True(t, cleared)
	require.Less(t, f.padded.Load(), int64(18<<20), "it went on where it had stopped")
}
