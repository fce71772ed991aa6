package board

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"almenara/storage/alert"
)

// noon is the beginning of the stories; hour h is h hours later.
var noon = time.Date(2026, 7, 20, 12, 0, 0, 0, time.UTC)

func hour(h float64) time.Time { return noon.Add(time.Duration(h * float64(time.Hour))) }

func keyAt(name string, h float64) alert.Key {
	return alert.Key{Sender: "observatory@example.org", Identifier: name, Sent: alert.NewDateTime(hour(h))}
}

// message is a parsed message that holds from its sending for four hours.
func message(m alert.MsgType, name string, h float64, refs ...alert.Key) *alert.Alert {
	a := &alert.Alert{
		Identifier: name, Sender: "observatory@example.org", Sent: alert.NewDateTime(hour(h)),
		Status: alert.StatusActual, MsgType: m, Scope: alert.ScopePublic, References: refs,
	}
	if m != alert.MsgTypeCancel {
		a.Infos = []alert.Info{{Expires: alert.NewDateTime(hour(h + 4))}}
	}
	return a
}

func entry(a *alert.Alert) Entry {
	return EntryOf(a, "digest-"+a.Identifier, a.Sent.Time().Add(time.Second), "fact-"+a.Identifier)
}

func entryWith(m alert.MsgType, s alert.Status, name string, h float64, refs ...alert.Key) Entry {
	a := message(m, name, h, refs...)
	a.Status = s
	return entry(a)
}

func boardOf(entries ...Entry) *Board {
	b := New()
	for _, e := range entries {
		b.Add(e)
	}
	return b
}

// inForce names what is in force, as identifier under id of the alert.
func inForce(b *Board, t time.Time) map[alert.ID]string {
	names := map[alert.ID]string{}
	for _, a := range b.InForce(t) {
		names[a.ID] = a.Key.Identifier
	}
	return names
}

func ended(b *Board, t time.Time) map[alert.ID]Why {
	whys := map[alert.ID]Why{}
	for _, e := range b.Ended(t) {
		whys[e.ID] = e.Why
	}
	return whys
}

var (
	signal8    = entry(message(alert.MsgTypeAlert, "TC8", 0))
	signal9    = entry(message(alert.MsgTypeUpdate, "TC9", 1, signal8.Key))
	allClear   = entry(message(alert.MsgTypeCancel, "TC0", 2, signal8.Key, signal9.Key))
	signalID   = signal8.Key.ID()
	otherAlert = entry(message(alert.MsgTypeAlert, "rain", 0.5))
)

func TestEntryOf_TakesTheWidestLifeOfItsInfos(t *testing.T) {
	a := message(alert.MsgTypeAlert, "A", 0)
	a.Infos = []alert.Info{
		{Effective: alert.NewDateTime(hour(2)), Expires: alert.NewDateTime(hour(5))},
		{Effective: alert.NewDateTime(hour(1)), Expires: alert.NewDateTime(hour(3))},
	}
	e := EntryOf(a, "d", hour(0), "f")
	require.True(t, e.Effective.Equal(hour(1)))
	require.True(t, e.Expires.Equal(hour(5)))
	require.Equal(t, a.Revision(), e.Revision)
	require.Equal(t, "d", e.Digest)
	require.Equal(t, "f", e.Fact)
}

func TestEntryOf_FillsAbsentTimesAndBoundsTheLife(t *testing.T) {
	a := message(alert.MsgTypeAlert, "A", 0)
	a.Infos = []alert.Info{{}}
	e := entry(a)
	require.True(t, e.Effective.Equal(hour(0)))
	require.True(t, e.Expires.Equal(hour(0).Add(alert.DefaultLifetime)))
	a.Infos = []alert.Info{{Expires: alert.NewDateTime(hour(24 * 365))}}
	require.True(t, entry(a).Expires.Equal(hour(0).Add(alert.MaxLifetime)))
}

func TestBoard_UpdateReplacesUnderTheSameID(t *testing.T) {
	b := boardOf(signal8)
	require.Equal(t, map[alert.ID]string{signalID: "TC8"}, inForce(b, hour(1)))
	require.Equal(t, Added, b.Add(signal9))
	require.Equal(t, map[alert.ID]string{signalID: "TC9"}, inForce(b, hour(1)))
	require.Equal(t, Superseded, b.Judge(signal8, hour(1)))
	require.Equal(t, InForce, b.Judge(signal9, hour(1)))
	require.Empty(t, b.Ended(hour(1)))
	require.Equal(t, Active{
		ID: signalID, Revision: signal9.Revision, Digest: "digest-TC9", Key: signal9.Key,
		Effective: signal9.Effective, Expires: signal9.Expires, Fact: "fact-TC9", Status: alert.StatusActual,
	}, b.InForce(hour(1))[0])
}

func TestBoard_UpdateOfAnAlertNeverSeenHasTheIDOfThatAlert(t *testing.T) {
	b := boardOf(signal9)
	require.Equal(t, map[alert.ID]string{signalID: "TC9"}, inForce(b, hour(1)))
	require.Equal(t, Added, b.Add(signal8))
	require.Equal(t, Superseded, b.Judge(signal8, hour(1)))
	require.Equal(t, map[alert.ID]string{signalID: "TC9"}, inForce(b, hour(1)))
}

func TestBoard_AlertWithReferencesIsANewAlert(t *testing.T) {
	again := entry(message(alert.MsgTypeAlert, "again", 3, signal8.Key))
	b := boardOf(signal8, allClear, again)
	require.Equal(t, map[alert.ID]string{again.Key.ID(): "again"}, inForce(b, hour(3)))
}

func TestBoard_CancelIsTerminalInEveryOrder(t *testing.T) {
	late := entry(message(alert.MsgTypeUpdate, "TC10", 2.5, signal9.Key))
	entries := []Entry{signal8, signal9, allClear, late}
	permute(len(entries), func(order []int) {
		b := New()
		for _, i := range order {
			b.Add(entries[i])
		}
		require.Empty(t, b.InForce(hour(2.6)), "order %v", order)
		require.Equal(t, WhyCancelled, ended(b, hour(2.6))[signalID])
		require.Equal(t, Cancelled, b.Judge(late, hour(2.6)))
		require.Equal(t, Ends, b.Judge(allClear, hour(2.6)))
		end := b.Ended(hour(2.6))
		require.True(t, end[0].At.Equal(allClear.Sent))
		require.Equal(t, max(late.Revision, allClear.Revision), end[0].Revision)
	})
}

func TestBoard_UpdateOfACancelStartsNothing(t *testing.T) {
	revived := entry(message(alert.MsgTypeUpdate, "revived", 3, allClear.Key))
	require.Empty(t, boardOf(revived, allClear).InForce(hour(3)))
	require.Empty(t, boardOf(allClear, signal8, revived).InForce(hour(3)))
}

func TestBoard_CancelOfOneAlertLeavesTheOthers(t *testing.T) {
	b := boardOf(signal8, otherAlert, allClear)
	require.Equal(t, map[alert.ID]string{otherAlert.Key.ID(): "rain"}, inForce(b, hour(2)))
}

func TestBoard_TombstoneIsListedUntilADayAfterExpiry(t *testing.T) {
	b := boardOf(signal8, entry(message(alert.MsgTypeCancel, "TC0", 2, signal8.Key)))
	until := signal8.Expires.Add(24 * time.Hour)
	require.Contains(t, ended(b, until.Add(-time.Second)), signalID)
	require.Empty(t, b.Ended(until))
	next, ok := b.NextChange(hour(2))
	require.True(t, ok)
	require.True(t, next.Equal(until))
}

func TestBoard_TombstoneOfAnAlertNeverSeen(t *testing.T) {
	b := boardOf(allClear)
	until := allClear.Sent.Add(alert.MaxLifetime + 24*time.Hour)
	want := map[alert.ID]Why{signalID: WhyCancelled, signal9.Key.ID(): WhyCancelled}
	require.Equal(t, want, ended(b, until.Add(-time.Second)))
	require.True(t, b.Ended(hour(2))[0].Expires.Equal(allClear.Sent.Add(alert.MaxLifetime)))
	require.Empty(t, b.Ended(until))
	b.Prune(until.Add(-time.Second), nil)
	require.Equal(t, Added, b.Add(signal8))
	require.Equal(t, Cancelled, b.Judge(signal8, hour(2)))
}

func TestBoard_MergedAlertsListTheLostID(t *testing.T) {
	both := entry(message(alert.MsgTypeUpdate, "both", 1, signal8.Key, otherAlert.Key))
	b := boardOf(signal8, otherAlert)
	require.Len(t, b.InForce(hour(1)), 2)
	b.Add(both)
	require.Equal(t, map[alert.ID]string{signalID: "both"}, inForce(b, hour(1)))
	require.Equal(t, []End{{
		ID: otherAlert.Key.ID(), Revision: both.Revision, At: both.Sent, Why: WhySuperseded,
		Expires: both.Expires,
	}}, b.Ended(hour(1)))
	id, ok := b.AlertOf(otherAlert.Key)
	require.True(t, ok)
	require.Equal(t, signalID, id)
}

func TestBoard_UpdateThatNamesOnlyTheLastMessage(t *testing.T) {
	third := entry(message(alert.MsgTypeUpdate, "TC3", 2, signal9.Key))
	alone := boardOf(third)
	require.Equal(t, map[alert.ID]string{signal9.Key.ID(): "TC3"}, inForce(alone, hour(2)))
	alone.Add(signal9)
	require.Equal(t, map[alert.ID]string{signalID: "TC3"}, inForce(alone, hour(2)))
	require.Equal(t, map[alert.ID]Why{signal9.Key.ID(): WhySuperseded}, ended(alone, hour(2)))
}

func TestBoard_ShowsFromEffectiveUntilExpires(t *testing.T) {
	a := message(alert.MsgTypeAlert, "A", 0)
	a.Infos[0].Effective = alert.NewDateTime(hour(2))
	e := entry(a)
	b := boardOf(e)
	require.Empty(t, b.InForce(hour(1)))
	require.Equal(t, Future, b.Judge(e, hour(1)))
	next, ok := b.NextChange(hour(1))
	require.True(t, ok)
	require.True(t, next.Equal(hour(2)))
	require.Equal(t, InForce, b.Judge(e, hour(2)))
	next, ok = b.NextChange(hour(2))
	require.True(t, ok)
	require.True(t, next.Equal(hour(4)))
	require.Equal(t, Expired, b.Judge(e, hour(4)))
	require.Empty(t, b.InForce(hour(4)))
	_, ok = b.NextChange(hour(4))
	require.False(t, ok)
}

func TestBoard_FutureUpdateLeavesWhatHoldsNow(t *testing.T) {
	a := message(alert.MsgTypeUpdate, "later", 1, signal8.Key)
	a.Infos[0].Effective = alert.NewDateTime(hour(3))
	e := entry(a)
	b := boardOf(signal8, e)
	require.Equal(t, map[alert.ID]string{signalID: "TC8"}, inForce(b, hour(2)))
	require.Equal(t, Future, b.Judge(e, hour(2)))
	require.Equal(t, map[alert.ID]string{signalID: "later"}, inForce(b, hour(3)))
	require.Equal(t, Superseded, b.Judge(signal8, hour(3)))
}

func TestBoard_OlderMessageNeverComesBackAfterAShorterUpdate(t *testing.T) {
	a := message(alert.MsgTypeUpdate, "short", 1, signal8.Key)
	a.Infos[0].Expires = alert.NewDateTime(hour(2))
	b := boardOf(signal8, entry(a))
	require.Empty(t, b.InForce(hour(2)))
	require.Equal(t, []End{{
		ID: signalID, Revision: entry(a).Revision, At: entry(a).Expires, Why: WhyExpired,
		Expires: signal8.Expires,
	}}, b.Ended(hour(2)))
	require.Empty(t, b.Ended(hour(4+24)))
}

func TestBoard_GapBeforeAFutureUpdateIsNoEnd(t *testing.T) {
	short := message(alert.MsgTypeUpdate, "short", 1, signal8.Key)
	short.Infos[0].Expires = alert.NewDateTime(hour(2))
	later := message(alert.MsgTypeUpdate, "later", 1.5, signal8.Key)
	later.Infos[0].Effective = alert.NewDateTime(hour(3))
	b := boardOf(signal8, entry(short), entry(later))
	require.Empty(t, b.InForce(hour(2)))
	require.Empty(t, b.Ended(hour(2)))
	require.Equal(t, map[alert.ID]string{signalID: "later"}, inForce(b, hour(3)))
}

func TestBoard_ConflictHasOneWinnerEverywhere(t *testing.T) {
	forged := signal8
	forged.Digest, forged.Accepted, forged.Fact = "another", signal8.Accepted.Add(time.Minute), "fact-x"
	for _, order := range [][]Entry{{signal8, forged}, {forged, signal8}} {
		b := New()
		require.Equal(t, Added, b.Add(order[0]))
		require.Equal(t, Conflict, b.Add(order[1]))
		require.Equal(t, Known, b.Add(order[0]))
		require.Equal(t, signal8.Digest, b.InForce(hour(1))[0].Digest)
		require.Equal(t, Contradicted, b.Judge(forged, hour(1)))
		require.Equal(t, []contradiction{{Key: signal8.Key, Won: signal8, Lost: []Entry{forged}}}, conflicts(b))
	}
}

func TestBoard_EqualAcceptanceIsDecidedByDigest(t *testing.T) {
	other := signal8
	other.Digest = "a-smaller-digest"
	require.Equal(t, other.Digest, boardOf(signal8, other).InForce(hour(1))[0].Digest)
	require.Equal(t, other.Digest, boardOf(other, signal8).InForce(hour(1))[0].Digest)
}

func TestBoard_EarlierAcceptanceOfAKnownMessageCounts(t *testing.T) {
	other, sooner := signal8, signal8
	other.Digest, other.Accepted = "other", signal8.Accepted.Add(-time.Second)
	sooner.Accepted, sooner.Fact = signal8.Accepted.Add(-time.Minute), "fact-sooner"
	b := boardOf(signal8, other)
	require.Equal(t, "other", b.InForce(hour(1))[0].Digest)
	require.Equal(t, Conflict, b.Add(sooner))
	require.Equal(t, "fact-sooner", b.InForce(hour(1))[0].Fact)
	require.Equal(t, Known, b.Add(signal8))
}

func TestBoard_CancelEndsEvenWhereItLostAgainstItsTwin(t *testing.T) {
	twin := allClear
	twin.Digest, twin.MsgType, twin.Accepted = "twin", alert.MsgTypeUpdate, allClear.Accepted.Add(-time.Minute)
	require.Empty(t, boardOf(signal8, signal9, allClear, twin).InForce(hour(2)))
}

func TestBoard_DrillsNeverTouchTheRealThing(t *testing.T) {
	for _, s := range []alert.Status{alert.StatusExercise, alert.StatusTest, alert.StatusSystem, alert.StatusDraft} {
		cancel := entryWith(alert.MsgTypeCancel, s, "drill-cancel", 2, signal8.Key, otherAlert.Key)
		update := entryWith(alert.MsgTypeUpdate, s, "drill-update", 2, signal8.Key, otherAlert.Key)
		want := map[alert.ID]string{signalID: "TC8", otherAlert.Key.ID(): "rain"}
		permute(4, func(order []int) {
			b := New()
			for _, i := range order {
				b.Add([]Entry{signal8, otherAlert, cancel, update}[i])
			}
			require.Equal(t, want, inForce(b, hour(2)), "%s %v", s, order)
			require.Empty(t, b.Ended(hour(2)))
		})
		unseen := boardOf(cancel, update)
		require.Empty(t, unseen.InForce(hour(2)), "%s before the real alert is known", s)
		require.Empty(t, unseen.Ended(hour(2)))
	}
}

func TestBoard_DrillsHaveChainsOfTheirOwn(t *testing.T) {
	first := entryWith(alert.MsgTypeAlert, alert.StatusExercise, "drill", 0)
	second := entryWith(alert.MsgTypeUpdate, alert.StatusExercise, "drill-2", 1, first.Key)
	stop := entryWith(alert.MsgTypeCancel, alert.StatusExercise, "drill-stop", 2, first.Key)
	b := boardOf(second)
	require.Equal(t, NotPresentable, b.Judge(second, hour(1)))
	b.Add(first)
	require.Equal(t, map[alert.ID]string{first.Key.ID(): "drill-2"}, inForce(b, hour(1)))
	require.Equal(t, alert.StatusExercise, b.InForce(hour(1))[0].Status)
	b.Add(stop)
	require.Empty(t, b.InForce(hour(2)))
	require.Equal(t, map[alert.ID]Why{first.Key.ID(): WhyCancelled}, ended(b, hour(2)))
}

func TestBoard_TheRealThingOverridesDrills(t *testing.T) {
	drill := entryWith(alert.MsgTypeAlert, alert.StatusExercise, "drill", 0)
	realUpdate := entry(message(alert.MsgTypeUpdate, "no-drill", 1, drill.Key))
	realCancel := entry(message(alert.MsgTypeCancel, "stop", 1, drill.Key))

	b := boardOf(drill, realUpdate)
	require.Equal(t, map[alert.ID]string{drill.Key.ID(): "no-drill"}, inForce(b, hour(1)))
	require.Equal(t, alert.StatusActual, b.InForce(hour(1))[0].Status)
	require.Equal(t, Superseded, b.Judge(drill, hour(1)))

	b = boardOf(drill, realCancel)
	require.Empty(t, b.InForce(hour(1)))
	require.Equal(t, Cancelled, b.Judge(drill, hour(1)))
	require.Equal(t, map[alert.ID]Why{drill.Key.ID(): WhyCancelled}, ended(b, hour(1)))
}

func TestBoard_TheEndOfADrillLeavesRoomForTheRealThing(t *testing.T) {
	drill := entryWith(alert.MsgTypeAlert, alert.StatusExercise, "drill", 0)
	stop := entryWith(alert.MsgTypeCancel, alert.StatusExercise, "drill-stop", 2, drill.Key)
	b := boardOf(drill, stop)
	require.Equal(t, []End{{
		ID: drill.Key.ID(), Revision: drill.Revision, At: stop.Sent, Why: WhyCancelled, Expires: drill.Expires, Drill: true,
	}}, b.Ended(hour(3)))
	serious := entry(message(alert.MsgTypeUpdate, "no-drill", 1, drill.Key)) // also one that was sent before the cancel
	require.Greater(t, serious.Revision, drill.Revision)
	b.Add(serious)
	require.Equal(t, map[alert.ID]string{drill.Key.ID(): "no-drill"}, inForce(b, hour(3)))
	require.Empty(t, b.Ended(hour(3)))
}

func TestBoard_SystemAndDraftAreNeverInForce(t *testing.T) {
	for _, s := range []alert.Status{alert.StatusSystem, alert.StatusDraft} {
		e := entryWith(alert.MsgTypeAlert, s, "quiet", 0)
		b := boardOf(e)
		require.Empty(t, b.InForce(hour(1)))
		require.Equal(t, NotPresentable, b.Judge(e, hour(1)))
	}
}

func TestBoard_IgnoresWhatIsNoAlert(t *testing.T) {
	b := New()
	for _, m := range []alert.MsgType{alert.MsgTypeAck, alert.MsgTypeError, "", "Alarm"} {
		require.Equal(t, Ignored, b.Add(entryWith(m, alert.StatusActual, "A", 0)))
	}
	require.Equal(t, Ignored, b.Add(entryWith(alert.MsgTypeAlert, "actual", "A", 0)))
	require.Equal(t, Unknown, b.Judge(signal8, hour(0)))
	_, ok := b.AlertOf(signal8.Key)
	require.False(t, ok)
	_, ok = b.Card(signalID)
	require.False(t, ok)
}

func TestBoard_CardListsAllMessagesForDisplay(t *testing.T) {
	lost := signal9
	lost.Digest, lost.Accepted = "lost", signal9.Accepted.Add(time.Hour)
	b := boardOf(lost, allClear, signal9, signal8)
	card, ok := b.Card(signalID)
	require.True(t, ok)
	require.Equal(t, Card{
		ID: signalID, Status: alert.StatusActual, Keys: []alert.Key{signal8.Key, signal9.Key},
		Messages: []Entry{signal8, signal9}, Cancels: []Entry{allClear}, Lost: []Entry{lost},
	}, card)
	merged, ok := b.Card(signal9.Key.ID())
	require.True(t, ok)
	require.Equal(t, card, merged)
	id, ok := b.AlertOf(allClear.Key)
	require.True(t, ok)
	require.Equal(t, signalID, id)
}

func TestBoard_TwoSpellingsOfOneInstantAreOneKey(t *testing.T) {
	hk := signal8.Key
	hk.Sent = alert.NewDateTime(hk.Sent.Time().In(time.FixedZone("HKT", 8*3600)))
	b := boardOf(signal8, entry(message(alert.MsgTypeCancel, "stop", 1, hk)))
	require.Empty(t, b.InForce(hour(1)))
	require.Len(t, b.Ended(hour(1)), 1)
	one, _ := boardOf(entry(message(alert.MsgTypeCancel, "stop", 1, hk, signal8.Key))).Card(signalID)
	two, _ := boardOf(entry(message(alert.MsgTypeCancel, "stop", 1, signal8.Key, hk))).Card(signalID)
	require.Equal(t, one.Keys, two.Keys)
}

func TestBoard_PruneKeepsACancelAsLongAsAnUpdateCouldBeLate(t *testing.T) {
	b := boardOf(signal8, allClear)
	late := entry(message(alert.MsgTypeUpdate, "late", 1.5, signal8.Key))
	late.Expires = late.Sent.Add(alert.MaxLifetime)
	now := late.Expires.Add(-time.Hour)
	b.Prune(now, nil)
	b.Add(late)
	require.Equal(t, Cancelled, b.Judge(late, now))
	require.Len(t, b.Prune(allClear.Sent.Add(alert.MaxLifetime+alert.EndMemory), nil), 3)
	require.Equal(t, Unknown, b.Judge(signal8, now))
}

func TestBoard_PruneKeepsWhatSupersedesAnAlertThatCouldBeLate(t *testing.T) {
	long := message(alert.MsgTypeAlert, "long", 0)
	long.Infos[0].Expires = alert.NewDateTime(hour(24 * 20))
	b := boardOf(entry(message(alert.MsgTypeUpdate, "short", 1, long.Key())))
	b.Prune(hour(24*10), nil)
	b.Add(entry(long))
	require.Empty(t, b.InForce(hour(24*10)))
	require.Equal(t, map[alert.ID]Why{long.Key().ID(): WhyExpired}, ended(b, hour(24*10)))
}

func TestStandingAndOutcome_HaveNames(t *testing.T) {
	require.Equal(t, "known new conflict ignored ignored", fmt.Sprint(Known, Added, Conflict, Ignored, Outcome(9)))
	require.Equal(t, "in force", InForce.String())
	require.Equal(t, "ends", Ends.String())
	require.Equal(t, "pending", Pending.String())
	require.Equal(t, "lapsed", Standing(99).String())
}

// permute calls f with every order of n things.
func permute(n int, f func(order []int)) {
	var rec func(done, left []int)
	rec = func(done, left []int) {
		if len(left) == 0 {
			f(done)
		}
		for i, x := range left {
			rest := append(append([]int{}, left[:i]...), left[i+1:]...)
			rec(append(append([]int{}, done...), x), rest)
		}
	}
	all := make([]int, n)
	for i := range all {
		all[i] = i
	}
	rec(nil, all)
}
