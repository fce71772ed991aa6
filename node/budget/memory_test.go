package budget

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"almenara/storage/alert"
)

// An Update that waits for approvals replaces nothing until it has them: each is one alert more.
func TestTake_UpdatesThatWaitTakePlacesOfTheirOwn(t *testing.T) {
	w := newWorld(t)
	first := w.message("composer", alert.MsgTypeAlert, time.Hour)
	require.Nil(t, w.send(first, false, "d/e/one"))
	waits := func() *Refusal {
		w.pass(time.Second)
		e := w.message("composer", alert.MsgTypeUpdate, time.Hour, first.Key)
		e.Approvals = 1
		return w.send(e, true, "d/e/one")
	}
	for range 49 {
		require.Nil(t, waits())
	}
	require.Contains(t, waits().Sentence, "composer has 50 alerts in force or to come in d/e/one")
	require.Nil(t, w.send(w.message("composer", alert.MsgTypeUpdate, time.Hour, first.Key), false, "d/e/one"), "what waits for nobody replaces")
	require.Nil(t, w.send(w.message("other", alert.MsgTypeAlert, time.Hour), false, "d/e/two"))
	w.pass(time.Hour)
	require.Nil(t, w.send(w.message("composer", alert.MsgTypeAlert, time.Hour), false, "d/e/one"))
}

// However few the alerts are, what they say has bounds.
func TestTake_BytesInForceAreBounded(t *testing.T) {
	w := newWorld(t)
	w.hire("observatory", System)
	w.hire("chief", Administrator)
	w.size = 128 << 10
	send := func(author string, emergency bool) *Refusal {
		w.pass(2 * time.Second)
		return w.send(w.message(author, alert.MsgTypeAlert, 10*time.Hour), emergency)
	}
	fills := func(author string, emergency bool, n int) *Refusal {
		t.Helper()
		for range n {
			require.Nil(t, send(author, emergency))
		}
		why := send(author, emergency)
		require.NotNil(t, why, "%s has sent %d", author, n)
		require.Positive(t, why.Wait)
		return why
	}
	why := fills("composer", false, 32)
	require.Contains(t, why.Sentence, "it has 128 KiB, and composer has 4.0 MiB in force, to come or waiting; 4.0 MiB are the most that one sender may; cancel one or wait until")
	fills("composer", true, 16)
	fills("observatory", false, 96)
	w.size = 8 << 10
	require.Nil(t, send("composer", true), "who says little is heard")
	require.Nil(t, send("somebody", false))
	w.size = 128 << 10
	why = send("somebody", false)
	require.Contains(t, why.Sentence, "the district has 18.0 MiB in force")
	require.Nil(t, send("somebody", true), "there is room that is kept for emergencies")
	for _, author := range []string{"a", "b", "c"} {
		fills(author, true, 48)
	}
	why = fills("d", true, 30)
	require.Contains(t, why.Sentence, "the district has 39.9 MiB in force, to come or waiting; 40.0 MiB are the most that it holds of all senders")
	require.Contains(t, fills("chief", true, 192).Sentence, "administrators have 24.0 MiB")
	w.budget.last = nil // after a start, too
	require.NotNil(t, send("d", true))
	w.pass(10 * time.Hour)
	require.Nil(t, send("d", true))
}

// What replaces as much as it brings is always taken; what says more, or waits, needs room.
func TestTake_UpdatesNeedRoomForWhatTheyAdd(t *testing.T) {
	w := newWorld(t)
	w.size = 128 << 10
	var all []alert.Key
	for range 32 {
		w.pass(time.Second)
		e := w.message("composer", alert.MsgTypeAlert, 10*time.Hour)
		require.Nil(t, w.send(e, false))
		all = append(all, e.Key)
	}
	update := func(bytes, approvals int, in time.Duration, of alert.Key) *Refusal {
		w.pass(time.Second)
		w.size = bytes
		e := w.message("composer", alert.MsgTypeUpdate, 10*time.Hour, of)
		e.Approvals, e.Effective = approvals, e.Effective.Add(in)
		return w.send(e, false)
	}
	for range 5 {
		require.Nil(t, update(128<<10, 0, 0, all[0]))
	}
	require.NotNil(t, update(129<<10, 0, 0, all[0]), "it says more")
	require.NotNil(t, update(9<<10, 1, 0, all[0]), "what it is about goes on until it is approved")
	require.NotNil(t, update(1<<10, 0, time.Hour, all[0]), "what it is about goes on for an hour")
	require.Nil(t, update(64<<10, 0, 0, all[0]), "it says less")
	require.Nil(t, update(64<<10, 0, time.Hour, all[1]))
	require.NotNil(t, update(1<<10, 0, time.Hour, all[1]))
	require.Nil(t, update(192<<10, 0, 0, all[1]), "it replaces what was to come, too")

	w.size = 180 << 10
	draft := w.message("composer", alert.MsgTypeAlert, time.Hour)
	draft.Status = alert.StatusDraft
	require.Nil(t, w.send(draft, false), "what nobody is shown is not held")
	require.Nil(t, w.send(w.message("composer", alert.MsgTypeCancel, 0, all[3]), false), "an end is always taken")
	require.Nil(t, update(192<<10, 0, 0, all[4]), "and gives its room back")
}
