package followup_test

import (
	"encoding/hex"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"almenara/node/alerts"
	"almenara/node/followup"
	"almenara/storage/alert"
	"almenara/storage/alert/board"
	"almenara/storage/factbody"
)

// Two halves of a district may call the same group, and a mark may be taken back on one of them: every node
// says the same of it in the end.
func TestBook_CallsAndTakesBackTheSameInEveryOrder(t *testing.T) {
	after := func(minutes int) int64 { return noon.Add(time.Duration(minutes) * time.Minute).UnixMilli() }
	fact := make([]byte, 32)
	of := func(f factbody.FollowUp) factbody.FollowUp {
		f.Alert, f.Revision = string(id), 1
		return f
	}
	all := []factbody.FollowUp{
		of(factbody.FollowUp{What: factbody.Call, Fact: fact, Group: 1, Answered: 1, By: "amy", At: after(11)}),
		of(factbody.FollowUp{What: factbody.Call, Fact: fact, Group: 1, Answered: 0, By: "amy", At: after(10)}),
		of(factbody.FollowUp{What: factbody.Call, Fact: fact, Group: 2, Answered: 1, By: "amy", At: after(20)}),
		of(factbody.FollowUp{What: factbody.Told, Members: []uint32{1, 2, 3}, By: "amy", At: after(1)}),
		of(factbody.FollowUp{What: factbody.TakeBack, Members: []uint32{1, 2}, By: "bob", At: after(2)}),
		of(factbody.FollowUp{What: factbody.Told, Members: []uint32{2}, By: "cyd", At: after(3)}),
		of(factbody.FollowUp{What: factbody.Told, Members: []uint32{2}, By: "dan", At: after(4)}),
		of(factbody.FollowUp{What: factbody.TakeBack, Members: []uint32{3}, By: "bob", At: after(1)}),
	}
	for range 20 {
		rand.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
		b := followup.NewBook(nil, at(noon.Add(time.Hour)))
		learn(t, b, all...)
		learn(t, b, all[0])
		require.Equal(t, []followup.Call{{1, noon.Add(10 * time.Minute), 0}, {2, noon.Add(20 * time.Minute), 1}}, b.Calls(hex.EncodeToString(fact)))
		require.Equal(t, 2, b.Called(hex.EncodeToString(fact)))
		require.Zero(t, b.Called("another"))
		require.Equal(t, map[uint32]followup.Told{2: {By: "cyd", At: noon.Add(3 * time.Minute)}}, told(t, b, id, 1), "of one time, what takes back stands")
	}
}

// What a message says of reminders holds from when it is shown, until a person says otherwise.
func TestRemindersOf_TheMessageUntilAPersonSaysOtherwise(t *testing.T) {
	b := followup.NewBook(nil, at(noon.Add(time.Hour)))
	m := &alerts.Message{Issue: factbody.Issue{Remind: 5}, Alert: &alert.Alert{}}
	m.Entry.Accepted, m.Entry.Revision = noon, 1
	reminders := func(now time.Time) []time.Time {
		last, next, _ := b.RemindersOf([]alert.ID{id}, m, func() []board.Approval { return nil }, now)
		return []time.Time{last, next}
	}
	require.Equal(t, []time.Time{{}, noon.Add(5 * time.Minute)}, reminders(noon.Add(4*time.Minute)), "not at the beginning: it has just sounded")
	require.Equal(t, []time.Time{noon.Add(10 * time.Minute), noon.Add(15 * time.Minute)}, reminders(noon.Add(14*time.Minute)))
	require.Equal(t, []time.Time{{}, noon.Add(5 * time.Minute)}, reminders(noon.Add(-time.Minute)), "a clock that is behind")
	learn(t, b, factbody.FollowUp{Alert: string(id), Revision: 1, What: factbody.Remind, By: "amy", At: noon.Add(11 * time.Minute).UnixMilli()})
	require.Equal(t, []time.Time{noon.Add(11 * time.Minute), {}}, reminders(noon.Add(14*time.Minute)), "a person ended them")
}

// Of all that is in force this is asked each time that devices are handed it, and few messages ask for reminders.
func TestRemindersOf_AsksForNothingWhereThereAreNone(t *testing.T) {
	b := followup.NewBook(nil, at(noon))
	m := &alerts.Message{Alert: &alert.Alert{}}
	_, next, every := b.RemindersOf([]alert.ID{id}, m, func() []board.Approval { t.Error("who approved it was asked"); return nil }, noon)
	require.Zero(t, every)
	require.True(t, next.IsZero())
}
