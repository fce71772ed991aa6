package notices

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"almenara/cluster/command"
	"almenara/storage"
	"almenara/storage/notice"
	"almenara/storage/rights"
	"almenara/storage/storagetest"
)

// log applies one command after the other.
type log struct {
	t     *testing.T
	store *storage.Store
	index uint64
	at    int64
	sweep bool
}

func (l *log) put(p command.PutNotice) (out command.Result) {
	l.t.Helper()
	l.index++
	storagetest.Update(l.t, l.store, func(txn *storage.Txn) (err error) {
		out, _, err = Put(txn, l.index, l.at, l.sweep, &p)
		return err
	})
	return out
}

func (l *log) get(id string) (n notice.Notice, said int) {
	l.t.Helper()
	require.NoError(l.t, l.store.View(func(txn *storage.Txn) (err error) {
		if n, _, err = notice.Notices.Get(txn, id); err != nil {
			return err
		}
		all, err := notice.Versions.All(txn)
		said = len(all)
		return err
	}))
	return n, said
}

func draft(id string, state notice.State) command.PutNotice {
	return command.PutNotice{
		Notice:  notice.Notice{ID: id, Author: "amy", State: state, Versions: 1, Levels: []rights.Level{{Role: "approver", Count: 1}}, Acts: []notice.Act{{Do: notice.Wrote, By: "amy", Version: 1}}},
		Version: &notice.Version{Notice: id, N: 1, Alert: []byte("{}")},
	}
}

// The state machine itself keeps what was locked, what is over, and what others changed meanwhile.
func TestPut_KeepsWhatWasLocked(t *testing.T) {
	l := &log{t: t, store: storagetest.Open(t)}
	require.Equal(t, command.KindNone, l.put(draft("n1", notice.Waiting)).Kind)
	n, said := l.get("n1")
	require.Equal(t, []any{uint64(1), 1}, []any{n.Index, said})
	require.Equal(t, command.KindConflict, l.put(draft("n1", notice.Waiting)).Kind, "it is not new any more")

	change := func(state notice.State, do func(*command.PutNotice)) command.Kind {
		n, _ := l.get("n1")
		p := command.PutNotice{Notice: n, Was: n.Index}
		p.Notice.State = state
		if do != nil {
			do(&p)
		}
		return l.put(p).Kind
	}
	stale := func(p *command.PutNotice) { p.Was-- }
	newer := func(p *command.PutNotice) {
		p.Notice.Versions++
		p.Version = &notice.Version{Notice: "n1", N: p.Notice.Versions, Alert: []byte("{}")}
	}
	require.Equal(t, command.KindConflict, change(notice.Waiting, stale))
	require.Equal(t, command.KindInvalid, change(notice.Waiting, func(p *command.PutNotice) { p.Notice.Author = "eve" }))
	require.Equal(t, command.KindInvalid, change(notice.Waiting, func(p *command.PutNotice) { p.Notice.Acts = nil }))
	require.Equal(t, command.KindInvalid, change(notice.Waiting, func(p *command.PutNotice) { p.Notice.Versions++ }))
	require.Equal(t, command.KindNone, change(notice.Waiting, newer))
	require.Equal(t, command.KindNone, change(notice.Locked, func(p *command.PutNotice) { p.Notice.Digest = []byte("d") }))
	for _, state := range []notice.State{notice.Waiting, notice.SentBack} {
		require.Equal(t, command.KindConflict, change(state, nil), "locked is locked")
	}
	require.Equal(t, command.KindConflict, change(notice.Locked, newer))
	require.Equal(t, command.KindConflict, change(notice.Sent, func(p *command.PutNotice) { p.Notice.Digest = []byte("e") }))
	require.Equal(t, command.KindNone, change(notice.Sent, nil))
	require.Equal(t, command.KindConflict, change(notice.Withdrawn, nil), "it is over")
	n, said = l.get("n1")
	require.Equal(t, []any{notice.Sent, 2}, []any{n.State, said})
}

// Which notices are open, and when the others were over, is known without reading all there ever were, and is
// what the notices themselves say.
func TestPut_KnowsWhichAreOpen(t *testing.T) {
	for seed := range uint64(40) {
		random := rand.New(rand.NewPCG(seed, 1))
		l := &log{t: t, store: storagetest.Open(t)}
		for step := range 60 {
			l.at += random.Int64N(40 * 24 * 3_600_000)
			p := draft(fmt.Sprintf("n%02d", random.IntN(20)), notice.Waiting)
			if n, _ := l.get(p.Notice.ID); n.ID != "" {
				p = command.PutNotice{Notice: n, Was: n.Index}
				p.Notice.State = notice.State(1 + random.IntN(int(notice.Failed)))
			}
			p.Notice.Since = l.at
			l.put(p)
			require.NoError(t, l.store.View(func(txn *storage.Txn) error {
				all, err := notice.Notices.All(txn)
				require.NoError(t, err)
				open, err := notice.Open(txn)
				require.NoError(t, err)
				past, err := notice.LastOver(txn, len(all))
				require.NoError(t, err)
				require.ElementsMatch(t, all, slices.Concat(open, past), "seed %d, step %d", seed, step)
				require.False(t, slices.ContainsFunc(open, func(n notice.Notice) bool { return n.State.Over() }))
				require.True(t, slices.IsSortedFunc(past, func(a, b notice.Notice) int { return cmp.Compare(b.Since, a.Since) }))
				return nil
			}))
		}
	}
}

// So many are open, and what was over for long goes with its texts.
func TestPut_IsBounded(t *testing.T) {
	l := &log{t: t, store: storagetest.Open(t)}
	for i := range notice.MaxOpen {
		require.Equal(t, command.KindNone, l.put(draft(fmt.Sprintf("n%03d", i), notice.Waiting)).Kind)
	}
	require.Equal(t, command.KindConflict, l.put(draft("more", notice.Waiting)).Kind)
	n, _ := l.get("n000")
	n.State, n.Since = notice.Withdrawn, 1
	require.Equal(t, command.KindNone, l.put(command.PutNotice{Notice: n, Was: n.Index}).Kind)
	require.Equal(t, command.KindNone, l.put(draft("more", notice.Waiting)).Kind)

	_, said := l.get("n000")
	require.Equal(t, notice.MaxOpen+1, said)
	l.at = 401 * 24 * 3_600_000
	n, _ = l.get("more")
	require.Equal(t, command.KindNone, l.put(command.PutNotice{Notice: n, Was: n.Index}).Kind)
	_, said = l.get("n000")
	require.Equal(t, notice.MaxOpen+1, said, "later software removes it by a command of its own")
	l.sweep = true
	n, _ = l.get("more")
	require.Equal(t, command.KindNone, l.put(command.PutNotice{Notice: n, Was: n.Index}).Kind)
	gone, said := l.get("n000")
	require.Empty(t, gone.ID)
	require.Equal(t, notice.MaxOpen, said)
	kept, _ := l.get("n001")
	require.Equal(t, "n001", kept.ID, "what is open stays")
}
