package budget

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"almenara/storage/alert"
	"almenara/storage/alert/board"
)

// world is a node's messages, kept simply.
type world struct {
	t       testing.TB
	now     time.Time
	board   *board.Board
	entries map[string]board.Entry
	blocks  map[string][]string
	classes map[string]Class
	budget  *Budget
	count   int
	size    int // of each message
}

func newWorld(t testing.TB) *world {
	w := &world{t: t, now: time.Date(2026, 7, 20, 12, 0, 0, 0, time.UTC), board: board.New(),
		entries: map[string]board.Entry{}, blocks: map[string][]string{}, classes: map[string]Class{}}
	w.budget = New(w, func() time.Time { return w.now })
	return w
}

func (w *world) Standing(fact string, now time.Time) (board.Standing, alert.ID) {
	e := w.entries[fact]
	id, _ := w.board.AlertOf(e.Key)
	return w.board.Judge(e, now), id
}

func (w *world) AlertOf(k alert.Key) (alert.ID, bool) {
	if _, ok := w.board.Standing(k); !ok {
		return "", false
	}
	return w.board.AlertOf(k)
}

func (w *world) Blocks(fact string) []string { return w.blocks[fact] }
func (w *world) ClassOf(author string) Class { return w.classes[author] }
func (w *world) pass(d time.Duration)        { w.now = w.now.Add(d) }
func (w *world) hire(name string, c Class)   { w.classes[name] = c }
func (w *world) some(n int) (names []string) {
	for i := range n {
		names = append(names, fmt.Sprintf("d/e/b%03d", i))
	}
	return names
}

// message is one that author would send now.
func (w *world) message(author string, m alert.MsgType, life time.Duration, refs ...alert.Key) board.Entry {
	w.count++
	a := &alert.Alert{Sender: author, Identifier: fmt.Sprint(w.count), Sent: alert.NewDateTime(w.now), Status: alert.StatusActual,
		MsgType: m, References: refs}
	if m != alert.MsgTypeCancel {
		a.Infos = []alert.Info{{Expires: alert.NewDateTime(w.now.Add(life))}}
	}
	e := board.EntryOf(a, fmt.Sprint("digest", w.count), w.now.Add(time.Duration(w.count)*time.Millisecond), fmt.Sprint("fact", w.count))
	e.Author = author
	return e
}

// send takes the message if the budget lets it.
func (w *world) send(e board.Entry, emergency bool, blocks ...string) *Refusal {
	why := w.budget.Take(Request{Author: e.Author, Class: w.classes[e.Author], Emergency: emergency, Entry: e, Bytes: w.size,
		Blocks: func() []string { return blocks }}, false)
	if why == nil {
		w.force(e, blocks...)
	}
	return why
}

// force takes it as from another node.
func (w *world) force(e board.Entry, blocks ...string) {
	w.board.Add(e)
	w.entries[e.Fact], w.blocks[e.Fact] = e, blocks
	w.budget.Add(e, w.size)
}

// flood sends n alerts of one author, and says how many were taken and the first refusal.
func (w *world) flood(author string, n int, emergency bool, blocks ...string) (taken int, first *Refusal) {
	for range n {
		if why := w.send(w.message(author, alert.MsgTypeAlert, time.Hour), emergency, blocks...); why == nil {
			taken++
		} else if first == nil {
			first = why
		}
	}
	return taken, first
}

func TestTake_OneSenderCannotFillABlock(t *testing.T) {
	w := newWorld(t)
	taken, why := w.flood("composer", 500, false, "d/e/one")
	require.Equal(t, 40, taken)
	require.Equal(t, "nothing was sent: composer has 40 alerts in force or to come in d/e/one, the most that one sender may; cancel one or wait until 13:00 UTC on 20 July", why.Sentence)
	require.Equal(t, time.Hour, why.Wait)
	taken, _ = w.flood("composer", 500, true, "d/e/one")
	require.Equal(t, 10, taken, "a share is kept for the fire that comes after the notices")
	require.Nil(t, w.send(w.message("other", alert.MsgTypeAlert, time.Hour), false, "d/e/one"))
	w.pass(61 * time.Minute)
	require.Nil(t, w.send(w.message("composer", alert.MsgTypeAlert, time.Hour), false, "d/e/one"))
}

func TestTake_SharesAreKeptForSystemsEmergenciesAndAdministrators(t *testing.T) {
	w := newWorld(t)
	for i := range 8 { // as many composers as an attacker can have
		w.flood(fmt.Sprint("composer", i), 200, false, w.some(40)...)
	}
	require.NotNil(t, w.send(w.message("one-more", alert.MsgTypeAlert, time.Hour), false, "d/e/one"))
	w.hire("observatory", System)
	taken, _ := w.flood("observatory", 500, false, w.some(40)...)
	require.Equal(t, 400-256, taken)
	require.Nil(t, w.send(w.message("one-more", alert.MsgTypeAlert, time.Hour), true, "d/e/one"))
	for i := range 8 {
		w.flood(fmt.Sprint("composer", i), 200, true, w.some(40)...)
	}
	require.NotNil(t, w.send(w.message("one-more", alert.MsgTypeAlert, time.Hour), true, "d/e/one"))
	w.hire("chief", Administrator)
	taken, why := w.flood("chief", 1200, false, w.some(40)...)
	require.Equal(t, AdministratorAlerts, taken)
	require.Contains(t, why.Sentence, "cancel some")
}

func TestTake_FivePartsOfADistrictStayBelowWhatADeviceRemembers(t *testing.T) {
	const device = 4096 // channels/device
	require.Less(t, 5*(district.emergency+districtUnknown)+AdministratorAlerts, device)
}

func TestTake_OrdinaryUseMeetsNoLimit(t *testing.T) {
	w := newWorld(t)
	w.hire("observatory", System)
	for range 30 { // the warnings of a storm, updated every ten minutes for a day
		e := w.message("observatory", alert.MsgTypeAlert, 2*time.Hour)
		require.Nil(t, w.send(e, true, w.some(40)...))
		for range 20 {
			w.pass(time.Second)
			next := w.message("observatory", alert.MsgTypeUpdate, 2*time.Hour, e.Key)
			require.Nil(t, w.send(next, true, w.some(40)...))
			e = next
		}
	}
	for _, name := range w.some(100) { // a drill
		require.Nil(t, w.send(w.message("duty", alert.MsgTypeAlert, time.Hour), false, name))
	}
}

func TestTake_EndsAndCorrectionsOfOnesOwnAreAlwaysTaken(t *testing.T) {
	w := newWorld(t)
	var own []board.Entry
	for range 40 {
		e := w.message("composer", alert.MsgTypeAlert, 10*24*time.Hour)
		require.Nil(t, w.send(e, false, "d/e/one"))
		own = append(own, e)
	}
	w.flood("composer", 500, false, "d/e/two") // everything is used up
	for _, e := range own {
		require.Nil(t, w.send(w.message("composer", alert.MsgTypeUpdate, time.Hour, e.Key), false, "d/e/one"))
	}
	require.Contains(t, w.send(w.message("composer", alert.MsgTypeUpdate, time.Hour, own[0].Key), false, "d/e/two").Sentence,
		"in d/e/two", "an update does not go where a new alert could not")
	for _, e := range own {
		require.Nil(t, w.send(w.message("composer", alert.MsgTypeCancel, 0, e.Key), false))
	}
}

func TestTake_BeginningAndEndingForEverIsBounded(t *testing.T) {
	w := newWorld(t)
	taken := 0
	for range 1000 {
		w.pass(2 * time.Second)
		e := w.message("composer", alert.MsgTypeAlert, 24*time.Hour)
		if why := w.send(e, false, "d/e/one"); why != nil {
			require.Contains(t, why.Sentence, "ends that devices are still told")
			break
		}
		taken++
		require.Nil(t, w.send(w.message("composer", alert.MsgTypeCancel, 0, e.Key), false))
	}
	require.Equal(t, 104, taken)
}

func TestTake_ReferencesToWhatWasNeverSeenAreBounded(t *testing.T) {
	w := newWorld(t)
	unseen := func(n int) (keys []alert.Key) {
		for range n {
			keys = append(keys, w.message("nobody", alert.MsgTypeAlert, time.Hour).Key)
		}
		return keys
	}
	require.Contains(t, w.send(w.message("composer", alert.MsgTypeCancel, 0, unseen(1000)...), false).Sentence, "100 is the most")
	require.Contains(t, w.send(w.message("composer", alert.MsgTypeCancel, 0, unseen(26)...), false).Sentence, "nobody here has seen")
	require.Nil(t, w.send(w.message("composer", alert.MsgTypeCancel, 0, unseen(25)...), false))
	require.NotNil(t, w.send(w.message("composer", alert.MsgTypeCancel, 0, unseen(1)...), false))
	for i := range 10 {
		w.send(w.message(fmt.Sprint("composer", i), alert.MsgTypeUpdate, time.Hour, unseen(25)...), false, "d/e/one")
	}
	require.Contains(t, w.send(w.message("another", alert.MsgTypeCancel, 0, unseen(1)...), false).Sentence, "the district remembers 100")
	mine := w.message("composer", alert.MsgTypeAlert, time.Hour)
	require.Nil(t, w.send(mine, false, "d/e/one"))
	require.Nil(t, w.send(w.message("composer", alert.MsgTypeCancel, 0, mine.Key), false), "what is known costs nothing")
	w.pass(33 * 24 * time.Hour)
	require.Nil(t, w.send(w.message("composer", alert.MsgTypeCancel, 0, unseen(1)...), false))
}

func TestTake_ASenderHasARate(t *testing.T) {
	w := newWorld(t)
	over := 0
	for range 200 { // they are over when they come in, so that nothing else bounds them
		e := w.message("composer", alert.MsgTypeAlert, -time.Minute)
		if why := w.send(e, false, "d/e/one"); why != nil {
			require.Equal(t, time.Second, why.Wait)
			over++
		}
	}
	require.Equal(t, 80, over)
	w.pass(time.Second)
	require.Nil(t, w.send(w.message("composer", alert.MsgTypeAlert, -time.Minute), false, "d/e/one"))
}

func TestTake_AnAlertHasSoManyMessages(t *testing.T) {
	w := newWorld(t)
	w.hire("chief", Administrator)
	e := w.message("chief", alert.MsgTypeAlert, time.Hour)
	require.Nil(t, w.send(e, false, "d/e/one"))
	var why *Refusal
	for range 600 {
		if why = w.send(w.message("chief", alert.MsgTypeUpdate, time.Hour, e.Key), false, "d/e/one"); why != nil {
			break
		}
	}
	require.Contains(t, why.Sentence, "500 messages")
	require.Nil(t, w.send(w.message("chief", alert.MsgTypeCancel, 0, e.Key), false))
}

// Nobody is shown a draft, and every node holds it until it has run out.
func TestTake_DraftsAreBoundedAndTakeNoPlaceOfAWarning(t *testing.T) {
	for _, status := range []alert.Status{alert.StatusDraft, alert.StatusSystem} {
		w := newWorld(t)
		draft := func(m alert.MsgType, refs ...alert.Key) *Refusal {
			w.pass(time.Second)
			e := w.message("composer", m, 31*24*time.Hour, refs...)
			e.Status = status
			return w.send(e, false, "d/e/one")
		}
		first := w.message("composer", alert.MsgTypeAlert, time.Hour)
		require.Nil(t, w.send(first, false, "d/e/one"))
		for i := range 128 {
			if i%2 == 0 {
				require.Nil(t, draft(alert.MsgTypeAlert))
			} else {
				require.Nil(t, draft(alert.MsgTypeUpdate, first.Key), "each message counts")
			}
		}
		require.Contains(t, draft(alert.MsgTypeAlert).Sentence, "composer has 128 messages that nobody is shown")
		require.NotNil(t, draft(alert.MsgTypeUpdate, first.Key))
		require.Nil(t, w.send(w.message("composer", alert.MsgTypeAlert, time.Hour), true, "d/e/one"))
		require.Nil(t, w.send(w.message("composer", alert.MsgTypeUpdate, time.Hour, first.Key), true, "d/e/one"))
		require.Nil(t, w.send(w.message("other", alert.MsgTypeAlert, time.Hour), false, "d/e/one"))
		w.budget.last = nil // after a start, too
		require.NotNil(t, draft(alert.MsgTypeAlert))
		w.pass(31 * 24 * time.Hour)
		require.Nil(t, draft(alert.MsgTypeAlert))
	}
}

// An Update of a drill that continues something real is shown to nobody.
func TestTake_DrillsOfSomethingRealAreBounded(t *testing.T) {
	w := newWorld(t)
	w.hire("observatory", System)
	real := w.message("observatory", alert.MsgTypeAlert, 24*time.Hour)
	require.Nil(t, w.send(real, true, "d/e/one"))
	taken := 0
	for range 500 {
		w.pass(time.Second)
		e := w.message("observatory", alert.MsgTypeUpdate, 24*time.Hour, real.Key)
		e.Status = alert.StatusExercise
		if w.send(e, false, "d/e/one") == nil {
			taken++
		}
	}
	require.Equal(t, 200, taken)
	require.Nil(t, w.send(w.message("observatory", alert.MsgTypeUpdate, time.Hour, real.Key), true, "d/e/one"))
}

func TestTake_ATrialCountsNothing(t *testing.T) {
	w := newWorld(t)
	for range 1000 {
		e := w.message("composer", alert.MsgTypeAlert, time.Hour)
		require.Nil(t, w.budget.Take(Request{Author: "composer", Entry: e, Blocks: func() []string { return nil }}, true))
	}
}

// What came from elsewhere, and what was taken before a start, counts like the node's own.
func TestAdd_CountsWhateverTheNodeHas(t *testing.T) {
	w := newWorld(t)
	for range 100 {
		w.force(w.message("composer", alert.MsgTypeAlert, time.Hour), "d/e/one")
	}
	require.NotNil(t, w.send(w.message("composer", alert.MsgTypeAlert, time.Hour), true, "d/e/one"))
	w.pass(2 * time.Hour)
	require.Nil(t, w.send(w.message("composer", alert.MsgTypeAlert, time.Hour), true, "d/e/one"))
	require.Len(t, w.budget.items, 1)
}
