package originals

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"math/rand/v2"
	"net/http/httptest"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"almenara/node/wire"
	"almenara/storage/alert"
	"almenara/storage/factbody"
)

// world is some nodes' keepers that call each other.
type world struct {
	t       *testing.T
	keepers map[string]*Keeper
	mu      sync.Mutex
	calls   int
	broken  func(peer string, call int, answer []byte) ([]byte, error) // spoils answers
	now     time.Time
	room    error
}

func newWorld(t *testing.T, nodes ...string) *world {
	w := &world{t: t, keepers: map[string]*Keeper{}, now: time.Unix(1_800_000_000, 0)}
	for _, id := range nodes {
		k, err := Open(w.options(id, t.TempDir()))
		require.NoError(t, err)
		w.keepers[id] = k
	}
	return w
}

func (w *world) options(id, dir string) Options {
	return Options{
		Dir: dir, Node: id, Clock: func() time.Time { return w.now },
		Understood: func(context.Context) error { return nil }, Room: func() error { return w.room },
		Listed: func(uint64, uint16) ([]Listed, error) { return nil, nil },
		Peers: func() (peers []string) {
			for other := range w.keepers {
				if other != id {
					peers = append(peers, other)
				}
			}
			return peers
		},
		Call: w.call,
	}
}

func (w *world) call(ctx context.Context, peer, path string, body []byte) ([]byte, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.calls++
	answer := httptest.NewRecorder()
	req := httptest.NewRequestWithContext(ctx, "POST", path, bytes.NewReader(body))
	w.keepers[peer].Handlers()["POST "+path].ServeHTTP(answer, req)
	if answer.Code != 200 {
		return nil, errors.New(answer.Body.String())
	}
	if w.broken != nil {
		return w.broken(peer, w.calls, answer.Body.Bytes())
	}
	return answer.Body.Bytes(), nil
}

// message is content of so many bytes that no other call gives.
func message(n int, salt byte) []byte {
	b := make([]byte, n)
	_, _ = rand.NewChaCha8([32]byte{salt}).Read(b) // never fails
	return b
}

func (w *world) issueOf(raw []byte) factbody.Issue {
	sum := sha256.Sum256(raw)
	return factbody.Issue{Author: "amy", Accepted: w.now.UnixMilli(), Original: &factbody.Original{
		SHA256: sum[:], Size: int64(len(raw)), Kept: true, Until: w.now.Add(25 * time.Hour).UnixMilli(),
	}}
}

// put lets a node have a message, and all know of it.
func (w *world) put(id string, raw []byte) factbody.Issue {
	issue := w.issueOf(raw)
	release, err := w.keepers[id].put(sha256.Sum256(raw), raw)
	require.NoError(w.t, err)
	for _, k := range w.keepers {
		k.Learn(id, issue)
	}
	release()
	return issue
}

func TestFetch_GoesOnWhereALinkBroke(t *testing.T) {
	w := newWorld(t, "a", "b")
	raw := message(4<<20, 'x')
	issue := w.put("a", raw)
	w.broken = func(_ string, call int, answer []byte) ([]byte, error) {
		if call > 10 {
			return nil, errors.New("the link is cut")
		}
		return answer, nil
	}
	o, _ := read("a", issue)
	require.ErrorIs(t, w.keepers["b"].fetch(t.Context(), o), errNowhere)
	require.Equal(t, wire.CopyMissing, w.keepers["b"].Copy(issue).Copy)

	again, err := Open(w.options("b", w.keepers["b"].o.Dir)) // after a restart, too
	require.NoError(t, err)
	w.keepers["b"], w.broken, w.calls = again, nil, 0
	again.Learn("a", issue)
	again.fetchMissing(t.Context())
	require.Equal(t, 16-10, w.calls, "what had come is not fetched again")
	got, err := again.Read(t.Context(), issue)
	require.NoError(t, err)
	require.True(t, bytes.Equal(raw, got))
	require.Equal(t, wire.CopyHere, again.Copy(issue).Copy)
}

func TestFetch_RefusesWhatIsNotTheMessage(t *testing.T) {
	w := newWorld(t, "a", "b", "c")
	raw := message(600<<10, 'x')
	issue := w.put("a", raw)
	require.NoError(t, w.keepers["b"].store.put(sha256.Sum256(raw), raw))
	w.broken = func(peer string, _ int, answer []byte) ([]byte, error) {
		if peer == "a" {
			answer[0] ^= 1
		}
		return answer, nil
	}
	got, err := w.keepers["c"].Read(t.Context(), issue)
	require.NoError(t, err, "the other node has it")
	require.True(t, bytes.Equal(raw, got))

	// The beginning that a liar gave is not blamed on who is honest.
	w.keepers["c"].store.remove(sha256.Sum256(raw))
	w.keepers["c"].store.keepPart(sha256.Sum256(raw), message(256<<10, 'y'))
	delete(w.keepers, "a")
	_, err = w.keepers["c"].Read(t.Context(), issue)
	require.NoError(t, err)

	// Answers without an end, or longer than the fact says, end.
	w.keepers["c"].store.remove(sha256.Sum256(raw))
	w.broken = func(_ string, _ int, answer []byte) ([]byte, error) { return append(answer, answer...), nil }
	_, err = w.keepers["c"].Read(t.Context(), issue)
	require.Error(t, err)
	w.broken = func(string, int, []byte) ([]byte, error) { return nil, nil }
	_, err = w.keepers["c"].Read(t.Context(), issue)
	require.Error(t, err)
}

func TestRead_FindsDamageOnTheDisk(t *testing.T) {
	w := newWorld(t, "a", "b")
	raw := message(300<<10, 'x')
	issue := w.put("a", raw)
	k := w.keepers["a"]
	sum := Sum(sha256.Sum256(raw))
	require.NoError(t, os.WriteFile(k.store.path(sum), raw[1:], 0o600))
	_, err := k.Read(t.Context(), issue)
	require.Error(t, err, "nobody else has it")
	require.NoFileExists(t, k.store.path(sum))
	require.Equal(t, wire.CopyMissing, k.Copy(issue).Copy)
	require.NoError(t, w.keepers["b"].store.put(sum, raw))
	k.next = map[Sum]retry{}
	k.fetchMissing(t.Context())
	require.FileExists(t, k.store.path(sum))

	require.NoError(t, os.WriteFile(k.store.path(sum), raw[1:], 0o600))
	require.Equal(t, 1, k.store.check(), "the daily check finds it, too")
}

func TestSweep_KeepsWhatAFactNamesOrIsAboutTo(t *testing.T) {
	w := newWorld(t, "a")
	k := w.keepers["a"]
	named, pinned, stray := message(300<<10, 'n'), message(300<<10, 'p'), message(300<<10, 's')
	issue := w.put("a", named)
	release, err := k.put(sha256.Sum256(pinned), pinned)
	require.NoError(t, err)
	require.NoError(t, k.store.put(sha256.Sum256(stray), stray))
	k.sweep()
	require.True(t, k.store.has(sha256.Sum256(stray)), "a node that came back may not know the fact yet")
	k.begun = time.Now().Add(-2 * time.Hour)
	k.sweep()
	require.False(t, k.store.has(sha256.Sum256(stray)))
	require.True(t, k.store.has(sha256.Sum256(pinned)))
	release()
	require.False(t, k.store.has(sha256.Sum256(pinned)), "no fact came of it")

	require.True(t, k.store.has(sha256.Sum256(named)))
	w.now = w.now.Add(KeptFor + 48*time.Hour)
	k.sweep()
	require.False(t, k.store.has(sha256.Sum256(named)))
	_, err = k.Read(t.Context(), issue)
	require.ErrorContains(t, err, "was not kept")
}

func TestList_OldOnesGiveWayAndProtectedOnesDoNot(t *testing.T) {
	l := newList()
	now := time.Unix(1_800_000_000, 0)
	const size = 4 << 20
	for i := range 200 { // 800 MiB, of which the first 80 are over
		o := Original{Sum: Sum{byte(i)}, Size: size, Author: "amy", Accepted: now.Add(time.Duration(i-200) * time.Hour), Until: now.Add(time.Hour)}
		if i < 80 {
			o.Until = now.Add(-time.Duration(i) * time.Minute)
		}
		require.True(t, l.add(o))
		require.False(t, l.add(o))
	}
	kept := l.keep(now.Add(time.Second))
	require.Len(t, kept, MostKept/size)
	for i, o := range kept {
		require.Equal(t, i >= 120, o.over(now.Add(time.Second)), i)
	}
	require.Equal(t, Sum{79}, kept[120].Sum, "the newest of those that are over")
	all, own := l.protected("amy", now)
	require.EqualValues(t, 121*size, all, "the first ends right now")
	require.EqualValues(t, all, own)
	_, own = l.protected("ben", now)
	require.Zero(t, own)
}

func TestTake_HoldsEachAuthorToAShare(t *testing.T) {
	w := newWorld(t, "a")
	k := w.keepers["a"]
	take := func(author string, salt byte) (*Large, error) {
		a := &alert.Alert{Identifier: "i", Sender: "s", Sent: alert.NewDateTime(w.now), Status: "Actual", MsgType: "Alert", Scope: "Public"}
		return k.Take(t.Context(), factbody.Issue{Author: author, Accepted: w.now.UnixMilli(), Message: message(MaxBytes, salt)}, a, false, false)
	}
	fill := func(author string, n int) {
		for i := range n {
			k.list.add(Original{Sum: Sum{byte(len(author)), byte(i)}, Size: MaxBytes, Author: author, Accepted: w.now, Until: w.now.Add(time.Hour)})
		}
	}
	fill("amy", MostOfAuthor/MaxBytes)
	k.list.by[Sum{3, 0}] = Original{Sum: Sum{3, 0}, Size: MaxBytes, Author: "amy", Accepted: w.now, Until: w.now.Add(time.Minute)}
	_, err := take("amy", 1)
	require.ErrorContains(t, err, "nothing was sent")
	var refused *wire.Problem
	require.ErrorAs(t, err, &refused)
	require.Equal(t, wire.KindOverBudget, refused.Kind, "its own share, so that a feed backs off; the node is not busy")
	require.Equal(t, 61, refused.RetryAfter, "when enough of it is long over")
	w.now = w.now.Add(time.Duration(refused.RetryAfter) * time.Second)
	l, err := take("amy", 1)
	require.NoError(t, err)
	l.Done()
	w.now = w.now.Add(-time.Duration(refused.RetryAfter) * time.Second)
	l, err = take("ben", 2)
	require.NoError(t, err, "of another author nothing is taken away")
	require.Empty(t, l.Warnings)
	l.Done()
	fill("charlie", MostProtected/MaxBytes-MostOfAuthor/MaxBytes)
	l, err = take("dora", 3)
	require.NoError(t, err, "nobody's alert is refused for what others have sent")
	require.Contains(t, l.Warnings[0].Text, "is not kept")
	l.Done()
	w.now = w.now.Add(2 * time.Hour)
	w.room = errors.New("tight")
	l, err = take("dora", 4)
	require.NoError(t, err)
	require.Contains(t, l.Warnings[0].Text, "no room")
	issue, err := factbody.DecodeIssue(l.Body)
	require.NoError(t, err)
	require.False(t, issue.Original.Kept)
	require.Equal(t, wire.CopyNotKept, k.Copy(issue).Copy)
}

// What is urgent is taken whatever its author has sent before: only the original is not kept.
func TestTake_WhatIsUrgentIsNeverRefusedForItsOriginal(t *testing.T) {
	w := newWorld(t, "a")
	k := w.keepers["a"]
	a := &alert.Alert{Sender: "amy", Identifier: "1", Sent: alert.NewDateTime(w.now), Status: alert.StatusActual, MsgType: alert.MsgTypeUpdate,
		References: []alert.Key{{Sender: "amy", Identifier: "0", Sent: alert.NewDateTime(w.now)}},
		Scope:      alert.ScopePublic, Infos: []alert.Info{{Categories: []string{"Met"}, Event: "flood", Urgency: "Future", Severity: "Minor", Certainty: "Likely",
			Expires: alert.NewDateTime(w.now.Add(time.Hour))}}}
	notKept := 0
	for i := range 40 {
		raw := message(1_700_000, byte(i))
		l, err := k.Take(t.Context(), factbody.Issue{Author: "amy", Accepted: w.now.UnixMilli(), Message: raw}, a, true, false)
		require.NoError(t, err, i)
		issue, err := factbody.DecodeIssue(l.Body)
		require.NoError(t, err)
		if k.Learn("a", issue); !issue.Original.Kept {
			require.Contains(t, l.Warnings[0].Text, "is not kept")
			require.Equal(t, wire.CopyNotKept, k.Copy(issue).Copy)
			notKept++
		}
		l.Done()
	}
	require.Equal(t, 40-MostOfAuthor/1_700_000, notKept)
}

func TestArchive_HoldsEveryMessageAndNothingElse(t *testing.T) {
	w := newWorld(t, "a")
	k := w.keepers["a"]
	var all [][]byte
	for i := range 3 {
		all = append(all, message(200<<10+i, byte(i)))
		release, err := k.put(sha256.Sum256(all[i]), all[i])
		require.NoError(t, err)
		defer release()
	}
	a := k.Archive()
	raw, err := io.ReadAll(a)
	require.NoError(t, err)
	require.EqualValues(t, a.Size, len(raw))
	require.NoError(t, a.Close())
	require.NoError(t, a.Close())
	dir := t.TempDir()
	require.NoError(t, Unpack(dir, bytes.NewReader(raw)))
	require.NoError(t, Unpack(dir, bytes.NewReader(raw)), "again, after a crash")
	s, err := openStore(dir)
	require.NoError(t, err)
	for _, m := range all {
		got, err := s.get(sha256.Sum256(m))
		require.NoError(t, err)
		require.Equal(t, m, got)
	}
	for i := 0; i < len(raw); i += 9_973 {
		altered := bytes.Clone(raw)
		altered[i] ^= 1
		_, err := ReadArchive(bytes.NewReader(altered), func(Sum, []byte) error { return nil })
		require.ErrorIs(t, err, ErrArchive, i)
	}
	_, err = ReadArchive(bytes.NewReader(raw[:len(raw)-1]), func(Sum, []byte) error { return nil })
	require.ErrorIs(t, err, ErrArchive)

	require.NoError(t, os.WriteFile(k.store.path(sha256.Sum256(all[1])), all[0], 0o600))
	_, err = io.ReadAll(k.Archive())
	require.ErrorIs(t, err, ErrAbsent, "what is damaged is not passed on")
	raw, err = io.ReadAll(k.Archive())
	require.NoError(t, err, "and not there the next time")
	n, err := ReadArchive(bytes.NewReader(raw), func(Sum, []byte) error { return nil })
	require.NoError(t, err)
	require.Equal(t, 2, n)
}

func TestOpen_RemovesWhatIsNoMessage(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(dir+"/.abc.123", []byte("half written"), 0o600))
	_, err := openStore(dir)
	require.NoError(t, err)
	left, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Empty(t, left)
}
