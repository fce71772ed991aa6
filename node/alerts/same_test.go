package alerts

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"almenara/storage/alert"
	"almenara/storage/alert/board"
	"almenara/storage/audience"
	"almenara/storage/factbody"
)

// twins are two books of the same messages: one gives texts up, the other keeps all.
type twins struct {
	*testing.T
	random      *rand.Rand
	now         time.Time
	log         log
	giving      *Book
	keeping     *Book
	all         []*Message
	approvals   []board.Approval
	given, held int // stubs and whole messages that were compared
}

// TestBook_WithTextsGivenUpAnswersAsOneThatKeepsThem lays random messages on two books, lets
// them be agreed, approved, contradicted and cancelled in any order, moves the clock both ways
// and starts again, and asks both books everything after each step.
func TestBook_WithTextsGivenUpAnswersAsOneThatKeepsThem(t *testing.T) {
	var given, held int
	for seed := range uint64(25) {
		w := &twins{T: t, random: rand.New(rand.NewPCG(seed, 7)), now: midday, log: log{}, keeping: NewBook(nil)}
		w.giving = NewBook(w.log)
		for range 50 {
			w.step()
			w.same()
		}
		given, held = given+w.given, held+w.held
	}
	require.Greater(t, given, held/4, "enough was given up to prove anything")
	require.Greater(t, held, given/20)
}

func (w *twins) step() {
	switch n := w.random.IntN(20); {
	case n < 10:
		w.send()
	case n < 13 && len(w.all) > 0:
		w.agree(w.all[w.random.IntN(len(w.all))])
	case n < 15 && len(w.all) > 0:
		w.approve(w.all[w.random.IntN(len(w.all))])
	case n < 18:
		w.now = w.now.Add(time.Duration(w.random.IntN(40)-8) * time.Minute)
	case n < 19:
		w.restart()
	default:
		w.giving.GiveUpTexts(w.now)
	}
}

// send makes a message of any sort about some of those that there are.
func (w *twins) send() {
	some := func(n int) (out []*Message) {
		for range 1 + w.random.IntN(n) {
			out = append(out, w.all[max(0, len(w.all)-1-w.random.IntN(6))])
		}
		return out
	}
	fact := fmt.Sprintf("%03d", len(w.all))
	minutes := int(w.now.Sub(midday) / time.Minute)
	change := func(a *alert.Alert, i *factbody.Issue) {}
	switch n := w.random.IntN(6); {
	case len(w.all) == 0:
	case n < 3:
		change = of(alert.MsgTypeUpdate, some(2)...)
	case n == 3:
		change = of(alert.MsgTypeCancel, some(1)...)
	}
	m := written(w.T, fact, minutes, func(a *alert.Alert, i *factbody.Issue) {
		change(a, i)
		i.Accepted += int64(len(w.all)) // no two at one moment: of those it matters which came first
		i.Author = []string{"amy", "ben"}[w.random.IntN(2)]
		a.Status = []alert.Status{alert.StatusActual, alert.StatusActual, alert.StatusExercise, alert.StatusDraft}[w.random.IntN(4)]
		for n := range a.Infos {
			a.Infos[n].Expires = alert.NewDateTime(w.now.Add(time.Duration(5+w.random.IntN(120)) * time.Minute))
			if w.random.IntN(5) == 0 {
				a.Infos[n].Effective = alert.NewDateTime(w.now.Add(20 * time.Minute))
			}
			if w.random.IntN(8) == 0 {
				a.Infos[n].Headline = strings.Repeat("long ", briefMost)
			}
		}
		if a.MsgType != alert.MsgTypeCancel && w.random.IntN(3) == 0 {
			i.Approvals = 1
		}
		if a.MsgType == alert.MsgTypeAlert && w.random.IntN(3) == 0 {
			i.Scenario, i.Incident = "fire", fmt.Sprint(w.random.IntN(2))
		}
		if len(i.Targets) > 0 && w.random.IntN(2) == 0 {
			i.Targets = append(i.Targets, audience.Target{Select: []string{"kind = phone", "has care"}[w.random.IntN(2)]})
		}
		if len(w.all) > 0 && w.random.IntN(8) == 0 { // another message under a name that is taken
			other := w.all[w.random.IntN(len(w.all))].Alert
			a.Identifier, a.Sender, a.Sent = other.Identifier, other.Sender, other.Sent
		}
	})
	w.add(m)
	if w.random.IntN(3) > 0 {
		w.agree(m)
	}
}

func (w *twins) add(m *Message) {
	w.all = append(w.all, m)
	one, fresh := w.giving.Add(m)
	other, alike := w.keeping.Add(m)
	require.Equal(w, other, one)
	require.Equal(w, alike, fresh)
}

func (w *twins) agree(m *Message) {
	w.log[m.Fact] = m.Issue
	if w.random.IntN(3) > 0 { // else it finds out
		w.giving.Agreed(m.Fact, w.now)
	}
}

func (w *twins) approve(m *Message) {
	a := board.Approval{Fact: m.Fact, Digest: m.Entry.Digest, By: "cat", At: w.now, Expires: m.Entry.Expires}
	w.approvals = append(w.approvals, a)
	w.giving.Approve(a)
	w.keeping.Approve(a)
}

// restart reads what was agreed, in any order, and then what only the journal has.
func (w *twins) restart() {
	w.giving = NewBook(w.log)
	order := w.random.Perm(len(w.all))
	for _, agreed := range []bool{true, false} {
		for _, i := range order {
			m := w.all[i]
			if w.log.Has(m.Fact) != agreed {
				continue
			}
			again, err := read(m.Fact, m.Issue)
			require.NoError(w, err)
			w.giving.Add(again)
			if agreed {
				w.giving.Agreed(m.Fact, w.now)
			}
			if w.random.IntN(4) == 0 {
				w.giving.GiveUpTexts(w.now)
			}
		}
	}
	for _, a := range w.approvals {
		w.giving.Approve(a)
	}
}

// same asks both books everything.
func (w *twins) same() {
	one, other := w.giving.At(w.now), w.keeping.At(w.now)
	require.NoError(w, one.Err)
	require.Equal(w, other.Ended, one.Ended)
	require.Equal(w, other.Next, one.Next)
	require.Len(w, one.InForce, len(other.InForce))
	for i, l := range other.InForce {
		require.Equal(w, l.Active, one.InForce[i].Active)
		require.Equal(w, l.Message, one.InForce[i].Message)
		w.alike(l.Also, one.InForce[i].Also)
	}
	require.Equal(w, w.keeping.Count(w.now), w.giving.Count(w.now))
	require.ElementsMatch(w, w.keeping.Open(w.now), w.giving.Open(w.now))
	for _, author := range []string{"amy", "ben"} {
		for _, status := range []alert.Status{alert.StatusActual, alert.StatusExercise} {
			w.alike(inOrder(w.keeping.Recent(author, status, w.now.Add(-time.Hour), w.now)), inOrder(w.giving.Recent(author, status, w.now.Add(-time.Hour), w.now)))
		}
	}
	byID := func(r []Running) []Running {
		slices.SortFunc(r, func(a, b Running) int { return strings.Compare(string(a.ID), string(b.ID)) })
		return r
	}
	running, alike := byID(w.keeping.Running(w.now)), byID(w.giving.Running(w.now))
	require.Len(w, alike, len(running))
	for i := range running {
		require.Equal(w, running[i].Card, alike[i].Card)
		w.alike(running[i].Messages, alike[i].Messages)
	}
	for range min(4, len(w.all)) {
		w.sameOf(w.all[w.random.IntN(len(w.all))])
	}
	w.small()
}

// sameOf asks both books everything about one message and its alert.
func (w *twins) sameOf(m *Message) {
	standing, id := w.keeping.Standing(m, w.now)
	same, sameID := w.giving.Standing(m, w.now)
	require.Equal(w, standing, same)
	require.Equal(w, id, sameID)
	for _, digest := range []string{m.Entry.Digest, "unheard"} {
		known, equal, err := w.keeping.Known(m.Entry.Key, digest)
		require.NoError(w, err)
		found, alike, err := w.giving.Known(m.Entry.Key, digest)
		require.NoError(w, err)
		require.Equal(w, known, found)
		require.Equal(w, equal, alike)
	}
	card, ok := w.keeping.Card(id)
	sameCard, known := w.giving.Card(id)
	require.Equal(w, ok, known)
	require.Equal(w, card, sameCard)
	w.alike(w.keeping.Of(card.Messages), w.giving.Of(card.Messages))
	w.alike(w.keeping.Of(card.Cancels), w.giving.Of(card.Cancels))
	w.alike(w.keeping.Of(card.Lost), w.giving.Of(card.Lost))
	require.Equal(w, w.keeping.MessageCount(id), w.giving.MessageCount(id))
	sources, complete := w.keeping.MessagesOf(id)
	others, whole := w.giving.MessagesOf(id)
	require.Equal(w, complete, whole)
	require.Len(w, others, len(sources))
	for i := range sources {
		require.Equal(w, sources[i].Fact, others[i].Fact)
		require.Equal(w, sources[i].Revision, others[i].Revision)
		wanted, err := sources[i].Targets()
		require.NoError(w, err)
		read, err := others[i].Targets()
		require.NoError(w, err)
		require.Equal(w, wanted, read)
	}
	preview, of := w.keeping.With(m).Standing(m, w.now)
	samePreview, sameOf := w.giving.With(m).Standing(m, w.now)
	require.Equal(w, preview, samePreview)
	require.Equal(w, of, sameOf)
}

// alike holds messages of the two books against each other.
func (w *twins) alike(wanted, got []*Message) {
	w.Helper()
	require.Len(w, got, len(wanted))
	for i, m := range wanted {
		require.Equal(w, m.Entry, got[i].Entry)
		whole, err := got[i].Whole()
		require.NoError(w, err)
		require.Equal(w, m, whole)
		brief, err := m.Brief()
		require.NoError(w, err)
		same, err := got[i].Brief()
		require.NoError(w, err)
		require.Equal(w, brief, same)
		require.Equal(w, m.Personal(), got[i].Personal())
		targets, err := got[i].Targets()
		require.NoError(w, err)
		require.Equal(w, m.Issue.Targets, targets)
		if got[i].Alert == nil {
			w.given++
		} else {
			w.held++
		}
	}
}

// small proves that texts are held of nothing but what stands and what is not known to be agreed.
func (w *twins) small() {
	for fact, m := range w.giving.messages {
		standing, _ := w.giving.Standing(m, w.now)
		_, fresh := w.giving.fresh[fact]
		stands := standing == board.InForce || standing == board.Future || standing == board.Pending
		if m.Alert != nil {
			require.True(w, stands || fresh, "%s is %s", fact, standing)
			require.Contains(w, w.giving.texts.held, fact)
		} else {
			require.Contains(w, w.log, fact, "nobody else has it")
			require.NotContains(w, w.giving.texts.held, fact)
		}
	}
}

func inOrder(all []*Message) []*Message {
	slices.SortFunc(all, func(a, b *Message) int { return strings.Compare(a.Fact, b.Fact) })
	return all
}

// One alert with hundreds of long Updates is one long message in memory, and stubs.
func TestBook_OfAnAlertWithManyUpdatesHoldsTheLast(t *testing.T) {
	const updates, size, bound = 500, 170 << 10, 6 << 20
	d, agreed := NewBook(nil), disk{}
	d.agreed = agreed
	last := written(t, "first", 0, nil)
	d.Add(last)
	before := heap()
	for i := range updates {
		m := written(t, fmt.Sprintf("%064d", i), 0, func(a *alert.Alert, issue *factbody.Issue) {
			of(alert.MsgTypeUpdate, last)(a, issue)
			a.Sent = alert.NewDateTime(midday.Add(time.Duration(i+1) * time.Second))
			issue.Accepted = a.Sent.Time().UnixMilli()
			a.Infos[0].Description = strings.Repeat("Water rises. ", size/13)
			issue.Targets[0].Addresses = []string{strings.Repeat("x", 1000)}
		})
		require.Greater(t, len(m.Issue.Message), size)
		d.Add(m)
		d.Agreed(m.Fact, midday.Add(time.Hour/2))
		d.At(midday.Add(time.Hour / 2))
		last = m
	}
	require.Less(t, heap()-before, int64(bound), "%d messages of %d bytes", updates, size)
	require.True(t, last == d.At(midday.Add(time.Hour / 2)).InForce[0].Message)
	require.Len(t, d.messages, updates+1)
	runtime.KeepAlive(d)
}

// disk has everything, and gives nothing.
type disk struct{}

func (disk) Has(string) bool                       { return true }
func (disk) Issue(string) (*factbody.Issue, error) { return nil, nil }

func heap() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
