package board

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"almenara/storage/alert"
	"almenara/storage/alert/check"
)

// sentAt is a message as message makes it, sent with another clock than noon's.
func sentAt(m alert.MsgType, name, sent string, refs ...alert.Key) *alert.Alert {
	a := message(m, name, 0, refs...)
	a.Sent, _ = alert.ParseDateTime(sent)
	return a
}

func taken(a *alert.Alert, h float64) Entry {
	return EntryOf(a, "digest-"+a.Identifier, hour(h), "fact-"+a.Identifier)
}

func TestBoard_EndsOfNothingNeverOutliveWhatTheyCouldEnd(t *testing.T) {
	nothing := sentAt(alert.MsgTypeAlert, "nothing", "9999-12-31T23:59:59-14:00").Key()
	b := boardOf(signal8, taken(sentAt(alert.MsgTypeCancel, "cancel", "9999-12-31T23:59:59-14:00", nothing), 1))
	require.Equal(t, map[alert.ID]string{signalID: "TC8"}, inForce(b, hour(2)))
	ends := b.Ended(hour(2))
	require.Len(t, ends, 1)
	require.True(t, ends[0].At.Equal(hour(1)), "it ended when it came in")
	require.True(t, ends[0].Expires.Equal(hour(1).Add(alert.MaxLifetime)))
	require.LessOrEqual(t, ends[0].Revision, alert.Revision(hour(1).UnixMilli()))
	_, err := json.Marshal(ends)
	require.NoError(t, err)
	require.Empty(t, b.Ended(hour(1).Add(alert.MaxLifetime+alert.EndMemory)))
	b.Prune(hour(1).Add(alert.MaxLifetime+alert.EndMemory), nil)
	require.Empty(t, b.nodes)
}

func TestBoard_EndsOfWhatWasOverLongAgoAreListedNowhere(t *testing.T) {
	ancient := sentAt(alert.MsgTypeAlert, "ancient", "2001-01-01T00:00:00-00:00").Key()
	b := boardOf(taken(message(alert.MsgTypeCancel, "cancel", 1, ancient), 1))
	require.Empty(t, b.Ended(hour(1)))
	require.Equal(t, Added, b.Add(taken(sentAt(alert.MsgTypeAlert, "ancient", "2001-01-01T00:00:00-00:00"), 2)))
	require.Empty(t, b.InForce(hour(2)))
}

func TestBoard_WhoClaimsTheFutureReplacesNothingThatComesLater(t *testing.T) {
	wild := taken(sentAt(alert.MsgTypeUpdate, "wild", "9999-01-01T00:00:00-00:00", signal8.Key), 1)
	b := boardOf(signal8, wild)
	require.Equal(t, map[alert.ID]string{signalID: "wild"}, inForce(b, hour(1)), "it is effective when it came in")
	b.Add(taken(message(alert.MsgTypeUpdate, "right", 2, signal8.Key), 2))
	require.Equal(t, map[alert.ID]string{signalID: "right"}, inForce(b, hour(2)))
}

func TestBoard_AWrongOffsetIsOvercomeByAcceptance(t *testing.T) {
	ahead := message(alert.MsgTypeAlert, "ahead", 8)
	first := taken(ahead, 0)
	require.True(t, first.Effective.Equal(hour(0)))
	require.True(t, first.Expires.Equal(hour(12)), "what a sender says of the end stays")
	b := boardOf(first)
	require.Equal(t, []string{"ahead"}, slices.Collect(maps.Values(inForce(b, hour(0)))))
	for i, sent := range []float64{0.1, 0.2, 8.3, 0.4} { // two people, the same sender again, a person
		name := fmt.Sprint("update-", i)
		b.Add(taken(message(alert.MsgTypeUpdate, name, sent, ahead.Key()), float64(i+1)/10))
		require.Equal(t, []string{name}, slices.Collect(maps.Values(inForce(b, hour(float64(i+1)/10)))))
	}
}

func TestEntryOf_WhatIsPlannedWaitsAsLongAsItsSenderSays(t *testing.T) {
	a := message(alert.MsgTypeAlert, "planned", 8)
	a.Infos[0].Effective, a.Infos[0].Expires = alert.NewDateTime(hour(10)), alert.NewDateTime(hour(20))
	require.True(t, taken(a, 8).Effective.Equal(hour(10)))
	require.True(t, taken(a, 0).Effective.Equal(hour(2)), "the clock that is 8 hours ahead wrote both")
	a.Infos[0].Effective = a.Sent
	require.True(t, taken(a, 0).Effective.Equal(hour(0)))
}

func TestCheckTimes(t *testing.T) {
	for name, c := range map[string]struct {
		make  func() *alert.Alert
		rule  string
		level alert.Level // 0: nothing is found
		says  string
	}{
		"now":                     {func() *alert.Alert { return message(alert.MsgTypeAlert, "a", 0) }, "", 0, ""},
		"seconds ahead":           {func() *alert.Alert { return message(alert.MsgTypeAlert, "a", 0.01) }, "", 0, ""},
		"minutes ahead":           {func() *alert.Alert { return message(alert.MsgTypeAlert, "a", 0.05) }, "sent-ahead", alert.Warn, "3 min 0 s ahead of this node's clock; the message counts"},
		"an offset ahead":         {func() *alert.Alert { return message(alert.MsgTypeAlert, "a", 8) }, "sent-ahead", alert.Warn, "8 h 0 min ahead of this node's clock, about 8 h 0 min, which looks like a wrong time zone offset"},
		"half an hour off":        {func() *alert.Alert { return message(alert.MsgTypeAlert, "a", 5.51) }, "sent-ahead", alert.Warn, "about 5 h 30 min"},
		"hours ahead":             {func() *alert.Alert { return message(alert.MsgTypeAlert, "a", 7.3) }, "sent-ahead", alert.Warn, "7 h 18 min ahead of this node's clock; the"},
		"days ahead":              {func() *alert.Alert { return message(alert.MsgTypeAlert, "a", 50) }, "sent-ahead", alert.Reject, "2 days ahead"},
		"a cancel of 9999":        {func() *alert.Alert { return sentAt(alert.MsgTypeCancel, "a", "9999-12-31T23:59:59-14:00", signal8.Key) }, "sent-ahead", alert.Reject, "the most that is taken is a day"},
		"an offset behind":        {func() *alert.Alert { return message(alert.MsgTypeAlert, "a", -3) }, "sent-behind", alert.Warn, "3 h 0 min behind this node's clock, about 3 h 0 min, which looks"},
		"expired":                 {func() *alert.Alert { return message(alert.MsgTypeAlert, "a", -6.5) }, "expired", alert.Warn, "expired 2 h 30 min ago"},
		"years ago":               {func() *alert.Alert { return living(sentAt(alert.MsgTypeAlert, "a", "2019-01-01T00:00:00-00:00"), 2) }, "sent-too-long-ago", alert.Reject, "nothing is in force longer than 31 days"},
		"planned":                 {func() *alert.Alert { return planned(24*10, 24*11) }, "", 0, ""},
		"planned too far":         {func() *alert.Alert { return planned(24*40, 24*41) }, "effective-ahead", alert.Reject, "more than 31 days ahead"},
		"over when it begins":     {func() *alert.Alert { return planned(5, 4) }, "never-in-force", alert.Reject, "when it has expired"},
		"onset of 9999":           {func() *alert.Alert { return onset("9999-12-31T23:59:59-14:00") }, "onset-ahead", alert.Warn, "more than a year away"},
		"reference to come":       {func() *alert.Alert { return message(alert.MsgTypeUpdate, "a", 0, keyAt("later", 9)) }, "references-ahead", alert.Reject, "no such message is known"},
		"cancel of the same slip": {func() *alert.Alert { return message(alert.MsgTypeCancel, "a", 8.5, keyAt("later", 8)) }, "sent-ahead", alert.Warn, "8 h 30 min"},
		"reference that is known": {func() *alert.Alert { return message(alert.MsgTypeUpdate, "a", 0, keyAt("known", 9)) }, "", 0, ""},
	} {
		t.Run(name, func(t *testing.T) {
			found := check.Times(c.make(), hour(0), true, func(k alert.Key) bool { return k.Identifier == "known" })
			if c.level == 0 {
				require.Empty(t, found)
				return
			}
			require.True(t, found.Has(c.rule), "%+v", found)
			require.Equal(t, c.level == alert.Reject, found.Rejected(), "%+v", found)
			text := ""
			for _, f := range found {
				text += f.Detail + "\n"
			}
			require.Contains(t, text, c.says)
		})
	}
}

// A node whose clock is wrong by years, or whose record is, takes what it takes; nothing is
// in force longer for it, and everything that is said of it can be written.
func TestBoard_AWildClockLetsNothingHoldLonger(t *testing.T) {
	for _, accepted := range []time.Time{
		hour(24 * 365 * 70), time.UnixMilli(math.MaxInt64), time.UnixMilli(math.MinInt64), time.Unix(0, 0), hour(-24 * 365 * 20),
	} {
		a := living(message(alert.MsgTypeAlert, "a", 0), 1)
		e := EntryOf(a, "d", accepted, "f")
		require.False(t, e.Expires.After(hour(1)), "%v: %v", accepted, e.Expires)
		_, err := json.Marshal(e)
		require.NoError(t, err, "%v", accepted)
		b := approvedBoard([]Entry{e})
		require.Empty(t, b.InForce(hour(1)), "%v", accepted)
		for _, end := range b.Ended(hour(24 * 40)) {
			t.Errorf("%v: %+v is still listed", accepted, end)
		}
	}
}

func TestCheckTimes_ANodeThatIsNotSureOfTheTimeBelieves(t *testing.T) {
	require.False(t, check.Times(message(alert.MsgTypeAlert, "a", 24*400), hour(0), false, nil).Rejected())
}

func living(a *alert.Alert, until float64) *alert.Alert {
	a.Infos[0].Expires = alert.NewDateTime(hour(until))
	return a
}

func planned(from, until float64) *alert.Alert {
	a := living(message(alert.MsgTypeAlert, "planned", 0), until)
	a.Infos[0].Effective = alert.NewDateTime(hour(from))
	return a
}

func onset(at string) *alert.Alert {
	a := message(alert.MsgTypeAlert, "onset", 0)
	a.Infos[0].Onset, _ = alert.ParseDateTime(at)
	return a
}

// TestBoard_ClaimsNeverReachBeyondAcceptance messages claim, in any number, what a board says of time stays within what
// acceptance bears out, and what was plausible is not touched by what was not.
func TestBoard_ClaimsNeverReachBeyondAcceptance(t *testing.T) {
	for seed := range uint64(400) {
		r := rand.New(rand.NewPCG(seed, 6))
		entries := randomEntries(r)
		b := approvedBoard(entries)
		first, last := hour(0).Add(-time.Hour), hour(8)
		for _, now := range instants(hour(-1)) {
			for _, e := range b.Ended(now) {
				require.False(t, e.Expires.After(last.Add(alert.MaxLifetime)), "seed %d: %+v", seed, e)
				require.False(t, e.At.Before(first.Add(-2*alert.MaxLifetime)) || e.At.After(last.Add(alert.MaxLifetime)), "seed %d: %+v", seed, e)
				require.LessOrEqual(t, e.Revision, alert.Revision(last.Add(alert.ClockSlack+2*time.Second).UnixMilli()), "seed %d: %+v", seed, e)
				_, err := json.Marshal(e)
				require.NoError(t, err, "seed %d", seed)
			}
			for _, a := range b.InForce(now) {
				require.False(t, a.Expires.After(last.Add(alert.MaxLifetime)), "seed %d: %+v", seed, a)
				require.LessOrEqual(t, a.Revision, alert.Revision(last.Add(alert.ClockSlack+2*time.Second).UnixMilli()), "seed %d", seed)
			}
		}
	}
}

// The clock of the node that took the Update was two hours behind, and it had not heard of the
// alert yet. It goes under a higher revision once the alert comes, so that devices of the other
// half change over, and those of its own do not fall back to what it replaced.
func TestBoard_AnUpdateStandsThoughItsNodesClockIsBehind(t *testing.T) {
	fire := taken(message(alert.MsgTypeAlert, "fire", 0), 0.01)
	behind := taken(message(alert.MsgTypeUpdate, "smoke", 1, fire.Key), -1)
	require.Less(t, behind.Revision, fire.Revision)
	alone := boardOf(behind)
	require.Equal(t, map[alert.ID]string{fire.Key.ID(): "smoke"}, inForce(alone, hour(1)))
	require.True(t, alone.Knows(fire.Key.ID(), behind.Revision))

	b := boardOf(behind, fire)
	for _, h := range []float64{1, 4.9} { // the alert itself is over at 4
		require.Equal(t, map[alert.ID]string{fire.Key.ID(): "smoke"}, inForce(b, hour(h)))
	}
	require.Equal(t, Superseded, b.Judge(fire, hour(1)))
	require.Equal(t, InForce, b.Judge(behind, hour(1)))
	raised, ok := b.Standing(behind.Key)
	require.True(t, ok)
	require.Equal(t, fire.Revision+1, raised.Revision)
	require.True(t, b.Knows(fire.Key.ID(), raised.Revision))
	require.True(t, b.Knows(fire.Key.ID(), behind.Revision), "devices of its half were told this one")
}
