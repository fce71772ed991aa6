package stories_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"almenara/cluster/agreed"
	"almenara/node/alerts"
	"almenara/node/wire"
	"almenara/storage/alert"
	"almenara/storage/alert/board"
)

// What is said of an alert that is over is the same while the book has it and when only the
// log does.
func TestState_IsTheSameOnTheBookAndInTheLog(t *testing.T) {
	for name, c := range map[string]struct {
		status    alert.Status
		approvals int
		cancelled bool
		at, after wire.State
	}{
		"in force":              {alert.StatusActual, 0, false, wire.StateInForce, wire.StateExpired},
		"a drill":               {alert.StatusExercise, 0, false, wire.StateInForce, wire.StateExpired},
		"a draft":               {alert.StatusDraft, 0, false, wire.StateRecorded, wire.StateRecorded},
		"of systems":            {alert.StatusSystem, 0, false, wire.StateRecorded, wire.StateRecorded},
		"never approved":        {alert.StatusActual, 1, false, wire.StatePending, wire.StateRecorded},
		"a drill not approved":  {alert.StatusExercise, 1, false, wire.StatePending, wire.StateRecorded},
		"cancelled":             {alert.StatusActual, 0, true, wire.StateCancelled, wire.StateCancelled},
		"cancelled before that": {alert.StatusActual, 1, true, wire.StateCancelled, wire.StateCancelled},
	} {
		m := saying(1, 0, func(a *alert.Alert) { a.Status = c.status })
		m.Entry.Approvals, m.Entry.Author = c.approvals, "amy"
		id, on := m.Entry.Key.ID(), []*alerts.Message{m}
		view := agreed.AlertView{ID: id, Status: c.status, Messages: []agreed.AlertMessage{{Entry: m.Entry, CAP: m.Alert, Issue: m.Issue}}}
		if c.approvals > 0 {
			view.Pending = []string{m.Fact}
		}
		if c.cancelled {
			end := saying(2, 1, func(a *alert.Alert) { cancel(m)(a); a.Status = c.status })
			on = append(on, end)
			view.Cancels = []agreed.AlertMessage{{Entry: end.Entry, CAP: end.Alert, Issue: end.Issue}}
		}
		f := finder(state{}, noon.Add(5*time.Minute), on...)
		require.Equal(t, c.at, f.State(f.OnBook(id)), name)
		f = finder(state{}, noon.Add(2*time.Hour), on...)
		require.Equal(t, c.after, f.State(f.OnBook(id)), name+", run out")
		f = finder(state{alerts: map[alert.ID]agreed.AlertView{id: view}}, noon.Add(40*24*time.Hour))
		s, err := f.Of(id)
		require.NoError(t, err)
		require.Equal(t, c.after, f.State(s), name+", in the log")
	}
}

// An Update that was never approved in time was not what was shown last, also in the log.
func TestStory_InTheLogIsWhatWasShown(t *testing.T) {
	first := saying(1, 0, nil)
	held := saying(2, 1, update(first))
	id := first.Entry.Key.ID()
	given := []board.Approval{{Fact: first.Fact, By: "bob", At: noon}}
	s, err := finder(state{alerts: map[alert.ID]agreed.AlertView{id: {
		ID: id, Status: alert.StatusActual, Pending: []string{held.Fact}, Messages: []agreed.AlertMessage{
			{Entry: first.Entry, CAP: first.Alert, Issue: first.Issue, Approvers: given}, {Entry: held.Entry, CAP: held.Alert, Issue: held.Issue},
		},
	}}}, noon.Add(40*24*time.Hour)).Of(id)
	require.NoError(t, err)
	require.Equal(t, first.Fact, s.Current().Fact)
	require.Equal(t, given, s.Approved[first.Fact])
}
