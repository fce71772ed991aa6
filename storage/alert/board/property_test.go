package board

import (
	"crypto/sha256"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"almenara/storage/alert"
)

// answers is everything a board says, at a series of instants.
type answers struct {
	Active    [][]Active
	Ended     [][]End
	Next      []time.Time
	Standings [][]Standing
	Conflicts []contradiction
	Cards     []Card
	IDs       []alert.ID
}

func instants(from time.Time) []time.Time {
	var list []time.Time
	for h := 0.0; h < 60; h += 2.5 {
		list = append(list, from.Add(time.Duration(h*float64(time.Hour))))
	}
	for d := 3; d < 40; d += 3 {
		list = append(list, from.Add(time.Duration(d)*24*time.Hour))
	}
	return list
}

func ask(b *Board, about []Entry) answers {
	var a answers
	for _, t := range instants(hour(-1)) {
		a.Active = append(a.Active, b.InForce(t))
		a.Ended = append(a.Ended, b.Ended(t))
		next, _ := b.NextChange(t)
		a.Next = append(a.Next, next)
		var standings []Standing
		for _, e := range about {
			standings = append(standings, b.Judge(e, t))
		}
		a.Standings = append(a.Standings, standings)
	}
	for _, e := range about {
		id, _ := b.AlertOf(e.Key)
		card, _ := b.Card(e.Key.ID())
		for _, revision := range []alert.Revision{0, e.Revision, e.Revision + 1} {
			listed := slices.ContainsFunc(card.Messages, func(m Entry) bool { return m.Revision == revision })
			if known := b.Knows(e.Key.ID(), revision); listed && !known || known && revision == 0 {
				panic(fmt.Sprintf("what is listed of %s %d is not known", e.Key.ID(), revision))
			}
		}
		a.IDs, a.Cards = append(a.IDs, id), append(a.Cards, card)
	}
	a.Conflicts = conflicts(b)
	return a
}

// wildHours are when nobody sends: centuries and offsets away.
var wildHours = []float64{-2000 * 365 * 24, -40 * 24, -14, -8, 8.5, 14, 20 * 24, 7900 * 365 * 24}

// randomEntries makes messages that reference each other at random, also
// themselves and what is never added, in all statuses, some twice under one key,
// some accepted twice, and some with times that nobody should believe.
func randomEntries(r *rand.Rand) []Entry {
	keys := make([]alert.Key, 3+r.IntN(6))
	taken := make([]time.Time, len(keys))
	for i := range keys {
		h := float64(r.IntN(8))
		taken[i] = hour(h)
		if r.IntN(4) == 0 {
			h += wildHours[r.IntN(len(wildHours))]
		}
		keys[i] = keyAt(fmt.Sprint("m", i), h)
	}
	types := []alert.MsgType{alert.MsgTypeAlert, alert.MsgTypeAlert, alert.MsgTypeUpdate, alert.MsgTypeUpdate, alert.MsgTypeUpdate, alert.MsgTypeCancel}
	quiet := []alert.Status{alert.StatusExercise, alert.StatusTest, alert.StatusDraft, alert.StatusSystem}
	var list []Entry
	for range 2 + r.IntN(9) {
		n := r.IntN(len(keys))
		k := keys[n]
		a := &alert.Alert{Sender: k.Sender, Identifier: k.Identifier, Sent: k.Sent, Status: alert.StatusActual, MsgType: types[r.IntN(len(types))]}
		if r.IntN(3) == 0 {
			a.Status = quiet[r.IntN(len(quiet))]
		}
		for range r.IntN(3) {
			a.References = append(a.References, keys[r.IntN(len(keys))])
		}
		from := a.Sent.Time()
		if r.IntN(3) == 0 {
			from = taken[n]
		}
		from = from.Add(time.Duration(r.IntN(4)-1) * time.Hour)
		a.Infos = []alert.Info{{Effective: alert.NewDateTime(from), Expires: alert.NewDateTime(from.Add(time.Duration(r.IntN(30)) * time.Hour))}}
		if r.IntN(4) == 0 {
			a.Infos[0].Effective = alert.DateTime{}
		}
		accepted := taken[n].Add(time.Duration(r.IntN(3)) * time.Minute)
		e := EntryOf(a, fmt.Sprint("digest-", len(list)), accepted, fmt.Sprint("fact-", len(list)))
		e.Author = "amy"
		if r.IntN(3) == 0 {
			e.Approvals = 1 + r.IntN(2)
		}
		if r.IntN(3) == 0 {
			e.Root = alert.IncidentKey("flood", fmt.Sprint(r.IntN(2)), e.Status)
		}
		list = append(list, e)
		if r.IntN(3) == 0 {
			again := EntryOf(a, e.Digest, accepted.Add(time.Duration(r.IntN(5)-2)*time.Minute), e.Fact+"-again")
			again.Author, again.Root, again.Approvals = e.Author, e.Root, r.IntN(2)
			list = append(list, again)
		}
	}
	return list
}

// approvalsOf gives about half of the persons who could approve each message, always the
// same ones, and some who cannot.
func approvalsOf(entries []Entry) (list []Approval) {
	for _, e := range entries {
		for i, who := range []string{"amy", "bob", "carol", "dan"} {
			sum := sha256.Sum256([]byte(e.Fact + who))
			at := e.Accepted.Add(time.Duration(sum[1]%4) * time.Hour)
			a := Approval{Fact: e.Fact, Digest: e.Digest, By: who, At: at, Expires: at.Add(time.Duration(sum[2]%6) * time.Hour)}
			if i == 3 {
				a.Digest = "another"
			}
			if sum[0]%2 == 0 {
				list = append(list, a)
			}
		}
	}
	return list
}

// approvedBoard has the entries and their approvals.
func approvedBoard(entries []Entry) *Board {
	b := boardOf(entries...)
	for _, a := range approvalsOf(entries) {
		b.Approve(a)
	}
	return b
}

func shuffled(r *rand.Rand, entries []Entry) *Board {
	b := New()
	approvals := approvalsOf(entries)
	for range 1 + r.IntN(3) {
		for _, i := range r.Perm(len(entries) + len(approvals)) {
			if i >= len(entries) {
				b.Approve(approvals[i-len(entries)])
				continue
			}
			b.Add(entries[i])
			if r.IntN(4) == 0 {
				b.InForce(hour(float64(r.IntN(10)))) // asking on the way must change nothing
			}
		}
	}
	return b
}

func TestBoard_AnswersDependOnTheSetAlone(t *testing.T) {
	for seed := range uint64(120) {
		r := rand.New(rand.NewPCG(seed, 1))
		entries := randomEntries(r)
		want := ask(approvedBoard(entries), entries)
		for range 4 {
			require.Equal(t, want, ask(shuffled(r, entries), entries), "seed %d", seed)
		}
	}
}

func TestBoard_AnswersAreSound(t *testing.T) {
	for seed := range uint64(300) {
		entries := randomEntries(rand.New(rand.NewPCG(seed, 2)))
		b := approvedBoard(entries)
		for _, now := range instants(hour(-1)) {
			over := map[alert.ID]bool{}
			for _, e := range b.Ended(now) {
				require.False(t, over[e.ID], "seed %d: one end per id", seed)
				over[e.ID] = true
			}
			active := map[alert.ID]bool{}
			for _, a := range b.InForce(now) {
				require.False(t, over[a.ID] || active[a.ID], "seed %d: an id has one state", seed)
				active[a.ID] = true
				require.True(t, !now.Before(a.Effective) && now.Before(a.Expires), "seed %d", seed)
				require.True(t, alert.Presentable(a.Status), "seed %d", seed)
			}
			requireJudgeAgrees(t, b, entries, now)
		}
	}
}

// requireJudgeAgrees checks that exactly the messages listed as in force are
// judged so, and that no Actual Cancel that references one was ignored.
func requireJudgeAgrees(t *testing.T, b *Board, entries []Entry, now time.Time) {
	t.Helper()
	listed := map[string]bool{}
	for _, a := range b.InForce(now) {
		listed[a.Digest] = true
		for _, c := range entries {
			if c.MsgType != alert.MsgTypeCancel || c.Status != alert.StatusActual {
				continue
			}
			for _, ref := range c.References {
				require.False(t, ref.Same(a.Key), "%s is in force and cancelled", a.Key)
			}
		}
	}
	for _, e := range entries {
		require.Equal(t, listed[e.Digest], b.Judge(e, now) == InForce, "%s %s", e.Key, e.Digest)
	}
}

// What takes the place of a message must not be over because of it.
func TestBoard_NoUpdateGivesWayToWhatItReferences(t *testing.T) {
	judged := 0
	for seed := range uint64(2000) {
		r := rand.New(rand.NewPCG(seed, 5))
		entries := randomEntries(r)
		for i := range entries {
			if e := &entries[i]; r.IntN(2) == 0 { // the clock of the node that took it is behind
				e.Accepted = e.Accepted.Add(-time.Duration(r.IntN(6)) * time.Hour)
				e.Revision = min(e.Revision, alert.Revision(e.Accepted.UnixMilli()))
			}
		}
		b := approvedBoard(entries)
		for _, now := range instants(hour(-1)) {
			for _, a := range b.InForce(now) {
				stands, _ := b.Standing(a.Key)
				card, _ := b.Card(a.ID)
				for _, e := range card.Messages {
					replaces := e.MsgType == alert.MsgTypeUpdate && e.Status == a.Status && !slices.Contains(card.Pending, e.Fact) &&
						!e.Effective.After(now) && claimsBefore(&stands, &e) < 0
					if replaces {
						judged++
						require.False(t, slices.ContainsFunc(e.References, a.Key.Same), "seed %d: %s stands, which %s replaced", seed, a.Key, e.Key)
					}
				}
			}
		}
	}
	require.Greater(t, judged, 200)
}

func TestBoard_RealEndsAreForEver(t *testing.T) {
	for seed := range uint64(300) {
		r := rand.New(rand.NewPCG(seed, 3))
		entries := randomEntries(r)
		b, over := New(), map[alert.ID]bool{}
		for _, e := range entries {
			if e.Status != alert.StatusActual {
				continue // a drill's end is lifted when the real thing takes its id
			}
			b.Add(e)
			for _, a := range b.InForce(hour(6)) {
				require.False(t, over[a.ID], "seed %d: %s came back", seed, a.ID)
			}
			for _, end := range b.Ended(hour(6)) {
				over[end.ID] = over[end.ID] || end.Why != WhyExpired
			}
		}
	}
}

func TestBoard_NextChangeIsExact(t *testing.T) {
	for seed := range uint64(120) {
		b := approvedBoard(randomEntries(rand.New(rand.NewPCG(seed, 4))))
		now := hour(-2)
		for steps := 0; ; steps++ {
			require.Less(t, steps, 200)
			next, ok := b.NextChange(now)
			last := hour(24 * 60)
			if ok {
				last = next.Add(-time.Nanosecond)
			}
			for _, mid := range []time.Time{now.Add(last.Sub(now) / 2), last} {
				require.Equal(t, b.InForce(now), b.InForce(mid), "seed %d", seed)
				require.Equal(t, b.Ended(now), b.Ended(mid), "seed %d", seed)
			}
			if !ok {
				break
			}
			before := [2]any{b.InForce(now), b.Ended(now)}
			require.NotEqual(t, before, [2]any{b.InForce(next), b.Ended(next)}, "seed %d", seed)
			now = next
		}
		require.Empty(t, b.InForce(now))
		require.Empty(t, b.Ended(now))
	}
}

func TestBoard_PruneChangesNoAnswer(t *testing.T) {
	for seed := range uint64(120) {
		r := rand.New(rand.NewPCG(seed, 5))
		entries := randomEntries(r)
		for _, now := range []time.Time{hour(12), hour(40), hour(24 * 30), hour(24 * 32.3), hour(24 * 40)} {
			whole, pruned := approvedBoard(entries), approvedBoard(entries)
			pruned.Prune(now, nil)
			for _, at := range instants(now) {
				require.Equal(t, whole.InForce(at), pruned.InForce(at), "seed %d", seed)
				require.Equal(t, whole.Ended(at), pruned.Ended(at), "seed %d", seed)
			}
		}
		b := approvedBoard(entries)
		b.Prune(hour(24*60), nil)
		require.Empty(t, b.approvals)
		require.Empty(t, b.nodes)
		require.Empty(t, b.families)
	}
}

// BenchmarkBoard is a district's busy month: 2,000 alerts of five messages each,
// asked after every message.
func BenchmarkBoard(b *testing.B) {
	for b.Loop() {
		board := New()
		for i := range 2000 {
			var refs []alert.Key
			for n := range 5 {
				m := alert.MsgTypeUpdate
				if n == 0 {
					m = alert.MsgTypeAlert
				}
				e := entry(message(m, fmt.Sprint(i, "-", n), float64(n), refs...))
				refs = append(refs, e.Key)
				board.Add(e)
				board.Judge(e, hour(3))
			}
		}
		board.InForce(hour(3))
		board.NextChange(hour(3))
	}
}

// contradiction is one key under which the district got different messages.
type contradiction struct {
	Key  alert.Key
	Won  Entry
	Lost []Entry // in the order in which they would have won
}

// conflicts lists the keys under which different messages came in, by key.
func conflicts(b *Board) []contradiction {
	var list []contradiction
	for _, n := range b.nodes {
		if len(n.versions) < 2 {
			continue
		}
		c := contradiction{Key: n.key, Won: n.versions[0].Entry}
		for _, v := range n.versions[1:] {
			c.Lost = append(c.Lost, v.Entry)
		}
		list = append(list, c)
	}
	slices.SortFunc(list, func(x, y contradiction) int { return x.Key.Compare(y.Key) })
	return list
}
