package board

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"almenara/storage/alert"
)

// needing makes an entry that lacks approvals.
func needing(e Entry, approvals int) Entry {
	e.Approvals, e.Author = approvals, "amy"
	return e
}

func approval(e Entry, by string, h float64) Approval {
	return Approval{Fact: e.Fact, Digest: e.Digest, By: by, At: hour(h), Expires: hour(24)}
}

func TestBoard_WhatLacksApprovalsHasNoEffect(t *testing.T) {
	rain := needing(otherAlert, 1)
	b := boardOf(rain)
	require.Empty(t, b.InForce(hour(1)))
	require.Empty(t, b.Ended(hour(1)))
	require.Equal(t, Pending, b.Judge(rain, hour(1)))
	card, ok := b.Card(rain.Key.ID())
	require.True(t, ok)
	require.Equal(t, []string{rain.Fact}, card.Pending)
	b.Approve(approval(rain, "bob", 1))
	require.Equal(t, map[alert.ID]string{rain.Key.ID(): "rain"}, inForce(b, hour(1)))
	require.Equal(t, InForce, b.Judge(rain, hour(1)))
	require.Len(t, b.Approvers(rain), 1)
}

func TestBoard_APendingUpdateChangesNothingOfWhatItReferences(t *testing.T) {
	update := needing(entry(message(alert.MsgTypeUpdate, "both", 1, signal8.Key, otherAlert.Key)), 1)
	b := boardOf(signal8, otherAlert, update)
	want := map[alert.ID]string{signalID: "TC8", otherAlert.Key.ID(): "rain"}
	require.Equal(t, want, inForce(b, hour(1)))
	require.Empty(t, b.Ended(hour(1)), "it merges nothing")
	id, ok := b.AlertOf(update.Key)
	require.True(t, ok)
	require.Equal(t, update.Key.ID(), id, "it is shown by itself")
	b.Approve(approval(update, "bob", 1))
	require.Equal(t, map[alert.ID]string{signalID: "both"}, inForce(b, hour(1)))
}

func TestBoard_WhichApprovalsCount(t *testing.T) {
	rain := needing(otherAlert, 2)
	for name, c := range map[string]struct {
		approvals []Approval
		enough    bool
	}{
		"two others":            {[]Approval{approval(rain, "bob", 1), approval(rain, "carol", 2)}, true},
		"one other":             {[]Approval{approval(rain, "bob", 1)}, false},
		"one other twice":       {[]Approval{approval(rain, "bob", 1), approval(rain, "bob", 2)}, false},
		"the author":            {[]Approval{approval(rain, "bob", 1), approval(rain, "amy", 2)}, false},
		"nobody":                {[]Approval{approval(rain, "bob", 1), approval(rain, "", 2)}, false},
		"of another digest":     {[]Approval{approval(rain, "bob", 1), {Fact: rain.Fact, Digest: "x", By: "carol", At: hour(1), Expires: hour(9)}}, false},
		"of another fact":       {[]Approval{approval(rain, "bob", 1), {Fact: "x", Digest: rain.Digest, By: "carol", At: hour(1), Expires: hour(9)}}, false},
		"one lapsed before":     {[]Approval{{Fact: rain.Fact, Digest: rain.Digest, By: "bob", At: hour(1), Expires: hour(2)}, approval(rain, "carol", 3)}, false},
		"one lapsed afterwards": {[]Approval{{Fact: rain.Fact, Digest: rain.Digest, By: "bob", At: hour(1), Expires: hour(2)}, approval(rain, "carol", 1.5)}, true},
		"after the alert":       {[]Approval{approval(rain, "bob", 1), approval(rain, "carol", 23)}, false},
	} {
		permute(len(c.approvals)+1, func(order []int) {
			b := New()
			for _, i := range order {
				if i == len(c.approvals) {
					b.Add(rain)
				} else {
					b.Approve(c.approvals[i])
				}
			}
			require.Equal(t, c.enough, len(b.InForce(hour(3.5))) == 1, "%s %v", name, order)
		})
	}
}

func TestBoard_AnApprovalStartsNothingThatIsOver(t *testing.T) {
	rain := needing(otherAlert, 1)
	stop := entry(message(alert.MsgTypeCancel, "stop", 2, rain.Key))
	permute(3, func(order []int) {
		b := New()
		for _, i := range order {
			[]func(){func() { b.Add(rain) }, func() { b.Add(stop) }, func() { b.Approve(approval(rain, "bob", 3)) }}[i]()
		}
		require.Empty(t, b.InForce(hour(3)), order)
		require.Equal(t, Cancelled, b.Judge(rain, hour(3)))
		require.Equal(t, WhyCancelled, ended(b, hour(3))[rain.Key.ID()], "other nodes may show it")
	})
	withdrawn := needing(entry(message(alert.MsgTypeUpdate, "more", 1, signal8.Key)), 1)
	b := boardOf(signal8, withdrawn, entry(message(alert.MsgTypeCancel, "not more", 2, withdrawn.Key)))
	require.Equal(t, map[alert.ID]string{signalID: "TC8"}, inForce(b, hour(2)), "withdrawing it ends nothing else")
	late := boardOf(rain)
	require.Equal(t, Lapsed, late.Judge(rain, rain.Expires), "it never stood, so it has not expired")
	late.Approve(approval(rain, "bob", 23))
	require.Empty(t, late.InForce(rain.Expires))
}

func TestBoard_ACancelNeverWaits(t *testing.T) {
	rain := otherAlert
	stop := needing(entry(message(alert.MsgTypeCancel, "stop", 2, rain.Key)), 3)
	require.Equal(t, WhyCancelled, ended(boardOf(stop), hour(3))[rain.Key.ID()], "also of what was never seen here")
	permute(2, func(order []int) {
		b := New()
		for _, i := range order {
			b.Add([]Entry{rain, stop}[i])
		}
		require.Empty(t, b.InForce(hour(3)), order)
		require.Equal(t, Ends, b.Judge(stop, hour(3)))
		require.Equal(t, WhyCancelled, ended(b, hour(3))[rain.Key.ID()])
	})
}

func TestBoard_EqualContentThatNeedsNobodyStandsFirst(t *testing.T) {
	held, free := needing(otherAlert, 1), otherAlert
	free.Fact, free.Accepted = "of the observatory", held.Accepted.Add(time.Minute)
	b := boardOf(held, free)
	require.Equal(t, "of the observatory", b.InForce(hour(1))[0].Fact, "whom the other addresses is not approved")
	other := free
	other.Digest, other.Fact = "other content", "contradicts"
	b = boardOf(held, other)
	require.Equal(t, "other content", b.InForce(hour(1))[0].Digest, "what waits does not stand in the way")
}

// pressed is the scenario of an incident, made on some node.
func pressed(name string, h float64, incident string, status alert.Status) Entry {
	e := entryWith(alert.MsgTypeAlert, status, name, h)
	e.Root = alert.IncidentKey("flood", incident, status)
	return e
}

func TestBoard_OneIncidentIsOneAlertWhereverItWasPressed(t *testing.T) {
	for _, status := range []alert.Status{alert.StatusActual, alert.StatusExercise} {
		one, two := pressed("one", 1, "i7", status), pressed("two", 1.5, "i7", status)
		id := one.Root.ID()
		require.Equal(t, map[alert.ID]string{id: "one"}, inForce(boardOf(one), hour(2)), "the id is the same before they meet")
		require.Equal(t, map[alert.ID]string{id: "two"}, inForce(boardOf(two), hour(2)))
		for _, b := range []*Board{boardOf(one, two), boardOf(two, one)} {
			active := b.InForce(hour(2))
			require.Len(t, active, 1)
			require.Equal(t, id, active[0].ID)
			require.Equal(t, two.Revision, active[0].Revision)
			require.Equal(t, []string{one.Fact}, active[0].Also, "the union is addressed")
			require.Empty(t, b.Ended(hour(2)))
		}
		b := boardOf(one, two, pressed("other", 1.2, "i8", status))
		require.Len(t, b.InForce(hour(2)), 2, "another incident is another alert")
		correction := entryWith(alert.MsgTypeUpdate, status, "correction", 2, two.Key)
		b.Add(correction)
		require.Equal(t, "correction", inForce(b, hour(2.5))[id])
		require.Empty(t, b.InForce(hour(2.5))[0].Also, "an update says anew whom it addresses")
	}
}

func TestBoard_ACancelOfAnIncidentEndsWhatIsStillToCome(t *testing.T) {
	one, two := pressed("one", 1, "i7", alert.StatusActual), pressed("two", 1.5, "i7", alert.StatusActual)
	card, ok := boardOf(one).Card(one.Root.ID())
	require.True(t, ok)
	require.Len(t, card.Keys, 2, "the incident's own key is one of them")
	stop := entry(message(alert.MsgTypeCancel, "stop", 2, card.Keys...))
	b := boardOf(stop, two)
	require.Empty(t, b.InForce(hour(3)))
	require.Equal(t, WhyCancelled, ended(b, hour(3))[one.Root.ID()])
	drill := pressed("drill", 1, "i7", alert.StatusExercise)
	b.Add(drill)
	require.Len(t, b.InForce(hour(3)), 1, "a drill of it is another alert")
}
