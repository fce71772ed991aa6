package rules

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"almenara/channels/contract"
)

var noon = time.Date(2026, 7, 20, 12, 0, 0, 0, time.UTC)

// story tells rules what happens and collects what they ask for. Its clock is
// both the device's and the nodes', unless a test says otherwise.
type story struct {
	*Rules
	t        *testing.T
	now      time.Time
	versions map[string]uint64
}

func newStory(t *testing.T) *story {
	s := &story{Rules: New(), t: t, now: noon, versions: map[string]uint64{}}
	s.Connected()
	return s
}

func (s *story) pass(d time.Duration) []string {
	s.now = s.now.Add(d)
	return shorten(s.Tick(s.now))
}

// hears gives the next manifest of a node.
func (s *story) hears(node string, what ...any) []string {
	s.versions[node]++
	return shorten(s.Manifest(s.manifest(node, what...), s.now))
}

func (s *story) manifest(node string, what ...any) contract.Manifest {
	m := contract.Manifest{Time: s.now, Node: node, Version: s.versions[node]}
	for _, w := range what {
		switch w := w.(type) {
		case contract.InForce:
			m.InForce = append(m.InForce, w)
		case contract.Ended:
			m.Ended = append(m.Ended, w)
		}
	}
	return m
}

func (s *story) gets(b contract.Body) []string { return shorten(s.Body(b, s.now)) }

// powerCut writes the memory, and starts anew from it.
func (s *story) powerCut() {
	raw, err := s.Export()
	require.NoError(s.t, err)
	s.Rules, err = Import(raw)
	require.NoError(s.t, err)
	s.Connected()
}

func shorten(effects []Effect) []string {
	var out []string
	for _, e := range effects {
		switch e.Action {
		case Tell:
			out = append(out, e.Receipt.Rung)
		case Stop:
			out = append(out, "stop "+string(e.Reason))
		default:
			out = append(out, e.Action.String())
		}
	}
	return out
}

func listed(revision uint64) contract.InForce {
	return contract.InForce{ID: "fire", Revision: revision, Digest: digest(revision), Expires: noon.Add(time.Hour)}
}

func digest(revision uint64) string { return string(rune('a' + revision)) }

func ended(revision uint64) contract.Ended {
	return contract.Ended{ID: "fire", Revision: revision, At: noon, Why: contract.WhyCancelled}
}

func (s *story) body(revision uint64) contract.Body {
	return contract.Body{
		Alert: "fire", Revision: revision, Digest: digest(revision), Time: s.now, Status: "Actual",
		Tier: contract.TierEmergency, Sound: "siren", Expires: noon.Add(time.Hour),
	}
}

func TestStart_NeedsTheManifestOfThisConnection(t *testing.T) {
	s := newStory(t)
	require.Equal(t, []string{"verified"}, s.gets(s.body(1)), "a body alone may be backlog")
	require.Equal(t, []string{"start"}, s.hears("A", listed(1)))
	require.Equal(t, []string{"verified"}, s.gets(s.body(1)), "it is answered again, and does not begin again")
	require.Empty(t, s.hears("A", listed(1)))
}

func TestStart_WhenTheBodyIsNewerThanTheManifest(t *testing.T) {
	s := newStory(t)
	s.hears("A")
	s.now = s.now.Add(time.Second)
	require.Equal(t, []string{"verified", "start"}, s.gets(s.body(1)))
}

func TestStart_NotForABodyThatTheManifestCouldHaveListed(t *testing.T) {
	s := newStory(t)
	old := s.body(1)
	s.now = s.now.Add(time.Second)
	s.hears("A")
	require.Equal(t, []string{"verified"}, s.gets(old))
	require.Equal(t, []string{"start"}, s.hears("A", listed(1)))
}

func TestStart_NotWithAnotherDigest(t *testing.T) {
	s := newStory(t)
	forged := s.body(1)
	forged.Digest = "other"
	s.hears("A", listed(1))
	require.Equal(t, []string{"verified"}, s.gets(forged))
}

func TestStart_OnceAcrossNodesAndPowerCuts(t *testing.T) {
	s := newStory(t)
	s.hears("A", listed(1))
	require.Equal(t, []string{"verified", "start"}, s.gets(s.body(1)))
	require.Equal(t, []string{"presented"}, shorten(s.Presented("fire", 1, s.now)))
	require.Empty(t, s.Presented("fire", 1, s.now), "told once")

	s.Connected()
	require.Equal(t, []string{"verified", "presented"}, s.gets(s.body(1)), "node B is told, but nothing starts")
	require.Empty(t, s.hears("B", listed(1)))

	s.powerCut()
	require.Equal(t, []string{"resume"}, s.hears("B"), "a manifest that does not mention it changes nothing")
	require.Equal(t, []string{"fire"}, s.Presenting())
}

func TestResume_NotWhatEndedOrExpiredMeanwhile(t *testing.T) {
	for name, after := range map[string]func(*story) []string{
		"ended":      func(s *story) []string { return s.hears("B", ended(2)) },
		"superseded": func(s *story) []string { return s.hears("B", listed(2)) },
		"expired":    func(s *story) []string { s.now = noon.Add(time.Hour); return s.hears("B", listed(1)) },
	} {
		t.Run(name, func(t *testing.T) {
			s := newStory(t)
			s.hears("A", listed(1))
			s.gets(s.body(1))
			s.powerCut()
			require.Empty(t, s.pass(0), "and nothing before the first manifest")
			require.Equal(t, []string{"cancelled"}, after(s), "it is shown no more")
			require.Empty(t, s.Presenting())
		})
	}
}

func TestStop_OnExpiryByTheCorrectedClock(t *testing.T) {
	s := newStory(t)
	s.now = noon.Add(-20 * time.Minute) // this device's clock is slow
	m := s.manifest("A", listed(1))
	m.Time, m.Version = noon, 1
	s.Manifest(m, s.now)
	s.gets(s.body(1))
	next, ok := s.Next()
	require.True(t, ok)
	require.Equal(t, s.now.Add(time.Hour), next)
	require.Empty(t, s.pass(time.Hour-time.Nanosecond))
	require.Equal(t, []string{"stop expired"}, s.pass(time.Nanosecond))
	require.Equal(t, []string{"verified"}, s.gets(s.body(1)), "it is answered again, and never begins again")
}

func TestBody_ExpiredIsToldAndNeverShown(t *testing.T) {
	s := newStory(t)
	s.now = noon.Add(time.Hour)
	s.hears("A", listed(1))
	require.Equal(t, []string{"verified", "expired"}, s.gets(s.body(1)))
	require.Empty(t, s.hears("A", listed(1)))
}

func TestEnd_ComesBeforeTheAlert(t *testing.T) {
	s := newStory(t)
	s.hears("A", ended(1))
	s.Connected()
	s.hears("B", listed(1), listed(2)) // B has not heard of the end
	require.Equal(t, []string{"verified", "cancelled"}, s.gets(s.body(1)))
	require.Equal(t, []string{"verified", "cancelled"}, s.gets(s.body(2)), "cancel is terminal")
	s.powerCut()
	s.hears("B", listed(3))
	require.Equal(t, []string{"verified", "cancelled"}, s.gets(s.body(3)), "remembered across power cuts")
}

func TestEnd_OfANewestRevisionThatRanOutLeavesRoomForTheNext(t *testing.T) {
	s := newStory(t)
	over := ended(2)
	over.Why = contract.WhyExpired
	s.hears("A", over)
	require.Equal(t, []string{"verified", "cancelled"}, s.gets(s.body(1)))
	s.hears("A", listed(3))
	require.Equal(t, []string{"verified", "start"}, s.gets(s.body(3)))
}

// Whatever ends a presentation, the device tells that it is over once it really is, and only
// then: how many screens have stopped is what a correction is judged by.
func TestStopped_IsToldWhateverEndedIt(t *testing.T) {
	s := newStory(t)
	s.hears("A", listed(1))
	s.gets(s.body(1))
	s.Presented("fire", 1, s.now)
	require.Equal(t, []string{"stop ended"}, s.hears("A", ended(1)), "it was asked to stop, it has not stopped")
	require.Equal(t, []string{"cancelled"}, shorten(s.Stopped("fire", 1, s.now)))
	require.Empty(t, s.Stopped("fire", 1, s.now), "told once")
	s.Connected()
	require.Equal(t, []string{"verified", "presented", "cancelled"}, s.gets(s.body(1)), "node B is told as well")

	s = newStory(t)
	s.hears("A", listed(1))
	s.gets(s.body(1))
	require.Equal(t, []string{"stop expired"}, s.pass(time.Hour))
	require.Equal(t, []string{"cancelled"}, shorten(s.Stopped("fire", 1, s.now)))

	s = newStory(t)
	s.hears("A", listed(1))
	s.gets(s.body(1))
	s.hears("A", listed(2))
	require.Equal(t, []string{"stop superseded"}, s.pass(handover))
	require.Equal(t, []string{"cancelled"}, shorten(s.Stopped("fire", 1, s.now)))
}

func TestStopped_IsToldOfWhatWasReplaced(t *testing.T) {
	s := newStory(t)
	s.hears("A", listed(1))
	s.gets(s.body(1))
	s.hears("A", listed(2))
	require.Equal(t, []string{"verified", "replace"}, s.gets(s.body(2)))
	effects := s.Presented("fire", 2, s.now)
	require.Equal(t, []string{"cancelled", "presented"}, shorten(effects))
	require.EqualValues(t, 1, effects[0].Receipt.Revision, "the old one is shown no more")
	require.EqualValues(t, 2, effects[1].Receipt.Revision)
	require.Empty(t, s.Failed("fire", 1, s.now))
}

// A device that was without power shows nothing: what it does not take up again is over, and
// what it was about to stop, too.
func TestStopped_IsToldAfterAPowerCut(t *testing.T) {
	s := newStory(t)
	s.hears("A", listed(1))
	s.gets(s.body(1))
	s.powerCut()
	require.Equal(t, []string{"cancelled"}, s.hears("A", ended(1)))
	require.Empty(t, s.hears("A", ended(1)))

	s = newStory(t)
	s.hears("A", listed(1))
	s.gets(s.body(1))
	require.Equal(t, []string{"stop ended"}, s.hears("A", ended(1)))
	s.powerCut()
	require.Equal(t, []string{"cancelled"}, s.hears("A", ended(1)))
	require.Empty(t, s.Stopped("fire", 1, s.now))
}

func TestEnd_StopsAlsoWhenToldByAnOldManifest(t *testing.T) {
	s := newStory(t)
	late := s.manifest("B", ended(1))
	late.Version = 1
	s.versions["B"] = 5
	s.hears("B", listed(1))
	s.gets(s.body(1))
	require.Equal(t, []string{"stop ended"}, shorten(s.Manifest(late, s.now)))
}

func TestEnd_IsForgottenADayAfterExpiry(t *testing.T) {
	s := newStory(t)
	end := ended(1)
	end.Expires = noon.Add(time.Hour)
	s.hears("A", end)
	s.pass(25*time.Hour - time.Nanosecond)
	require.Len(t, s.alerts, 1)
	s.pass(time.Nanosecond)
	require.Empty(t, s.alerts)
}

func TestSilence_ChangesNothing(t *testing.T) {
	s := newStory(t)
	s.hears("A", listed(1))
	s.gets(s.body(1))
	s.Connected()
	require.Empty(t, s.hears("B"))
	require.Empty(t, s.pass(30*time.Minute))
	require.Equal(t, []string{"fire"}, s.Presenting())
}

func TestReplace_KeepsTheOldUntilTheNewIsThere(t *testing.T) {
	s := newStory(t)
	s.hears("A", listed(1))
	s.gets(s.body(1))
	require.Empty(t, s.hears("A", listed(2)))
	require.Empty(t, s.pass(handover-time.Nanosecond))
	require.Equal(t, []string{"verified", "replace"}, s.gets(s.body(2)))
	require.Empty(t, s.pass(handover), "the new one stays")
	require.Empty(t, s.gets(s.body(1)), "the old one never comes back")
}

func TestReplace_FiveSecondsAtMost(t *testing.T) {
	s := newStory(t)
	s.hears("A", listed(1))
	s.gets(s.body(1))
	s.hears("A", listed(2))
	s.pass(handover - time.Nanosecond)
	s.hears("A", listed(3)) // does not extend it
	require.Equal(t, []string{"stop superseded"}, s.pass(time.Nanosecond))
	s.Connected()
	s.hears("B", listed(1)) // B has not heard of the update
	require.Equal(t, []string{"verified"}, s.gets(s.body(1)), "B is told, but nothing starts")
	require.Equal(t, []string{"verified"}, s.gets(s.body(2)), "a higher one is known")
	require.Empty(t, s.Presenting())
}

func TestStart_NotBelowAHigherRevisionOfAnotherNode(t *testing.T) {
	s := newStory(t)
	s.hears("A", listed(2))
	s.Connected()
	s.hears("B", listed(1)) // B has not heard of the update
	require.Equal(t, []string{"verified"}, s.gets(s.body(1)))
	require.Empty(t, s.Presenting())
}

func TestBody_AnOlderOneDoesNotPushOutTheOneThatWaits(t *testing.T) {
	s := newStory(t)
	s.gets(s.body(2))
	require.Empty(t, s.gets(s.body(1)))
	require.Equal(t, []string{"start"}, s.hears("A", listed(2)))
	require.EqualValues(t, 2, s.alerts["fire"].shown.Revision)
}

func TestReplace_ATestTakesTheOldAway(t *testing.T) {
	s := newStory(t)
	s.hears("A", listed(1))
	s.gets(s.body(1))
	b := s.body(2)
	b.Status = "Test"
	s.hears("A", listed(2))
	require.Equal(t, []string{"verified", "stop superseded"}, s.gets(b))
	require.Empty(t, s.Presenting())
}

func TestManifest_OlderOnesAreNoEvidenceAndNoClock(t *testing.T) {
	s := newStory(t)
	old := s.manifest("A", listed(1))
	old.Version, old.Time = 1, noon.Add(-time.Hour)
	s.versions["A"] = 1
	s.hears("A")
	before := s.body(1)
	before.Time = noon.Add(-time.Minute)
	s.gets(before)
	require.Empty(t, shorten(s.Manifest(old, s.now)))
	require.Equal(t, noon, s.Corrected(s.now))
}

func TestManifest_TheSameOneCountsOnANewConnectionWhileFresh(t *testing.T) {
	s := newStory(t)
	s.hears("A", listed(1))
	again := s.manifest("A", listed(1))
	s.Connected()
	s.now = s.now.Add(staleness)
	require.Empty(t, shorten(s.Manifest(again, s.now)))
	require.Equal(t, []string{"verified", "start"}, s.gets(s.body(1)))

	s.Connected()
	s.now = s.now.Add(time.Second)
	s.Manifest(again, s.now)
	require.False(t, s.heard, "a replay from the past")
}

func TestClock_SmallStepsBackAreTheManifestsAge(t *testing.T) {
	s := newStory(t)
	s.hears("A")
	s.now = s.now.Add(staleness)
	m := s.manifest("B")
	m.Time, m.Version = noon, 1
	s.Manifest(m, s.now)
	require.Equal(t, s.now, s.Corrected(s.now))
	m.Time, m.Version = noon.Add(-time.Hour), 2
	s.Manifest(m, s.now)
	require.Equal(t, m.Time, s.Corrected(s.now), "a large step is followed")
}

func TestDrill_NeverLooksOrSoundsLikeTheRealThing(t *testing.T) {
	for _, sound := range []string{"siren", "chime", "drill", "none", "", "x"} {
		for _, tier := range []contract.Tier{"emergency", "advisory", "drill", "test", "x"} {
			drill := LookOf(&contract.Body{Status: "Exercise", Tier: tier, Sound: sound})
			require.Equal(t, contract.TierDrill, drill.Tier)
			require.Contains(t, []string{"drill", "none"}, drill.Sound)
			real := LookOf(&contract.Body{Status: "Actual", Tier: tier, Sound: sound})
			require.Contains(t, []contract.Tier{"emergency", "advisory"}, real.Tier)
			require.NotEqual(t, "drill", real.Sound)
			test := LookOf(&contract.Body{Status: "Test", Tier: tier, Sound: sound})
			require.Equal(t, Look{Tier: contract.TierTest, Sound: "none"}, test)
		}
	}
}

func TestTest_IsVerifiedAndNeverPresented(t *testing.T) {
	s := newStory(t)
	b := s.body(1)
	b.Status, b.Tier = "Test", contract.TierTest
	s.hears("A", listed(1))
	require.Equal(t, []string{"verified"}, s.gets(b))
	require.Empty(t, s.Presenting())
}

func TestBody_OfOtherStatusIsRefused(t *testing.T) {
	for _, status := range []string{"Draft", "System", "", "actual"} {
		s := newStory(t)
		b := s.body(1)
		b.Status = status
		s.hears("A", listed(1))
		require.Equal(t, []string{"refused"}, s.gets(b), status)
		require.Empty(t, s.Presenting())
	}
}

func TestAcknowledge_OnlyWhatIsShown(t *testing.T) {
	s := newStory(t)
	require.Empty(t, s.Acknowledge("fire", 1, "ok", s.now))
	s.hears("A", listed(1))
	s.gets(s.body(1))
	s.Presented("fire", 1, s.now)
	effects := s.Acknowledge("fire", 1, "ok", s.now)
	require.Equal(t, []string{"acknowledged"}, shorten(effects))
	require.Equal(t, "ok", effects[0].Receipt.Answer)
	require.Empty(t, s.Acknowledge("fire", 1, "ok", s.now), "once")
	require.Empty(t, s.Acknowledge("fire", 2, "ok", s.now), "another revision")
	again := s.Acknowledge("fire", 1, "help", s.now)
	require.Equal(t, []string{"acknowledged"}, shorten(again), "a person may answer anew")
	require.Equal(t, "help", again[0].Receipt.Answer)
	require.Equal(t, effects[0].Receipt.At.Add(answersApart), again[0].Receipt.At, "above the answer before, within the same moment, too")
	require.Empty(t, s.Acknowledge("fire", 1, "", s.now), "without a word nothing is changed")
	s.now = s.now.Add(time.Minute)
	require.Equal(t, s.Corrected(s.now).UTC().Truncate(time.Millisecond), s.Acknowledge("fire", 1, "safe", s.now)[0].Receipt.At)
	s.hears("A", ended(1))
	require.Empty(t, s.Acknowledge("fire", 1, "late", s.now))
	require.Empty(t, s.Failed("fire", 2, s.now), "what never began cannot fail")
}

func TestAcknowledge_PutsTheAnswerOnNoOtherReceipt(t *testing.T) {
	s := newStory(t)
	s.hears("A", listed(1))
	s.gets(s.body(1))
	refused := s.body(2)
	refused.Status = "System"
	s.gets(refused)
	effects := s.Acknowledge("fire", 1, "safe", s.now)
	require.Len(t, effects, 1)
	require.Equal(t, "safe", effects[0].Receipt.Answer)
	again := s.Body(refused, s.now)
	require.Len(t, again, 1)
	require.Empty(t, again[0].Receipt.Answer)
}

func TestCommand_OnceAndInTime(t *testing.T) {
	s := newStory(t)
	c := contract.Command{ID: "c1", Do: "identify", Time: noon, Expires: noon.Add(time.Minute)}
	require.Empty(t, s.Command(c, s.now), "the time is not known yet")
	s.hears("A")
	require.Equal(t, []string{"do"}, shorten(s.Command(c, s.now)))
	require.Empty(t, s.Command(c, s.now))
	s.powerCut()
	s.hears("A")
	require.Empty(t, s.Command(c, s.now), "also after a power cut")
	c.ID = "c2"
	s.now = c.Expires
	s.hears("A")
	require.Empty(t, s.Command(c, s.now), "too late")
}

func TestMemory_IsBounded(t *testing.T) {
	s := newStory(t)
	m := s.manifest("A")
	m.Version = 1
	for i := range maxAlerts + 100 {
		end := ended(1)
		end.ID = "x" + string(rune('a'+i%26)) + time.Duration(i).String()
		end.Expires = noon.Add(time.Duration(i) * time.Second)
		m.Ended = append(m.Ended, end)
	}
	s.Manifest(m, s.now)
	require.Len(t, s.alerts, maxAlerts)
}

func FuzzImportRules(f *testing.F) {
	f.Add([]byte(`{"alerts":[{"id":"a","done":1,"shown":{"alert":"a"}}],"versions":{"A":1}}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		if r, err := Import(raw); err == nil {
			r.Connected()
			r.Manifest(contract.Manifest{Time: noon, Node: "A", Version: 1}, noon)
			_, err = r.Export()
			require.NoError(t, err)
		}
	})
}

// A device whose clock is ahead must not wake without end for a body that came
// before the first manifest: nothing expires before there is a clock.
func TestRules_NothingIsDueBeforeTheFirstManifest(t *testing.T) {
	r := New()
	r.Connected()
	ahead := noon.Add(48 * time.Hour)
	r.Body(contract.Body{Alert: "a", Revision: 1, Status: "Actual", Time: noon, Expires: noon.Add(time.Hour)}, ahead)
	_, due := r.Next()
	require.False(t, due)
	r.Manifest(contract.Manifest{Node: "A", Version: 1, Time: noon}, ahead)
	next, due := r.Next()
	require.True(t, due)
	require.Equal(t, ahead.Add(time.Hour), next)
}

// Two halves took different messages under one key, and their bodies overtake each
// other on the way: the one that the manifest lists is shown.
func TestRules_ShowsTheContentThatStands(t *testing.T) {
	mine := contract.Body{Alert: "a", Revision: 1, Digest: "mine", Status: "Actual", Time: noon, Expires: noon.Add(time.Hour)}
	theirs := mine
	theirs.Digest = "theirs"
	for _, order := range [][]contract.Body{{mine, theirs}, {theirs, mine}, {mine, theirs, mine}, {theirs, mine, theirs}} {
		r := New()
		r.Connected()
		for _, b := range order {
			require.NotContains(t, actionsOf(r.Body(b, noon)), Start)
		}
		effects := r.Manifest(contract.Manifest{Node: "A", Version: 1, Time: noon.Add(time.Second), InForce: []contract.InForce{
			{ID: "a", Revision: 1, Digest: "theirs", Expires: mine.Expires},
		}}, noon)
		require.Contains(t, actionsOf(effects), Start)
		require.Equal(t, "theirs", effects[len(effects)-1].Body.Digest)
		require.NotContains(t, actionsOf(r.Body(mine, noon)), Start, "at most once")
	}
}

func actionsOf(effects []Effect) (actions []Action) {
	for _, e := range effects {
		actions = append(actions, e.Action)
	}
	return actions
}

// After a short power cut the node's manifest may still be the one that the device
// knew: it counts, or the screen would stay dark until the next.
func TestRules_ResumesAtTheManifestOfBefore(t *testing.T) {
	r := New()
	r.Connected()
	body := contract.Body{Alert: "a", Revision: 1, Digest: "d", Status: "Actual", Time: noon, Expires: noon.Add(time.Hour)}
	m := contract.Manifest{Node: "A", Version: 7, Time: noon, InForce: []contract.InForce{{ID: "a", Revision: 1, Digest: "d", Expires: body.Expires}}}
	r.Manifest(m, noon)
	require.Contains(t, actionsOf(r.Body(body, noon)), Start)
	raw, err := r.Export()
	require.NoError(t, err)
	r, err = Import(raw)
	require.NoError(t, err)
	r.Connected()
	require.Contains(t, actionsOf(r.Manifest(m, noon.Add(4*time.Second))), Resume)
}

// What nobody has confirmed is presented again, once for each later reminder, and without a receipt.
func TestRemind_PresentsAgainWhatNobodyConfirmed(t *testing.T) {
	r := New()
	listing := func(version uint64, at, reminded time.Time) []Effect {
		in := listed(1)
		in.Reminded = reminded
		return r.Manifest(contract.Manifest{Node: "A", Version: version, Time: at, InForce: []contract.InForce{in}}, at)
	}
	r.Connected()
	listing(1, noon, noon.Add(-time.Minute))
	started := r.Body((&story{now: noon}).body(1), noon)
	require.Equal(t, Start, started[len(started)-1].Action)
	r.Presented("fire", 1, noon)
	require.Empty(t, listing(2, noon.Add(time.Second), noon.Add(-time.Minute)), "it was reminded of before it began here")

	again := listing(3, noon.Add(2*time.Minute), noon.Add(time.Minute))
	require.Len(t, again, 1)
	require.Equal(t, []any{Remind, "fire", uint64(1), "siren"}, []any{again[0].Action, again[0].Alert, again[0].Revision, again[0].Look.Sound})
	require.Empty(t, listing(4, noon.Add(2*time.Minute+time.Second), noon.Add(time.Minute)), "once")
	require.Empty(t, listing(5, noon.Add(3*time.Minute), noon.Add(30*time.Second)), "another node knows an older one")
	require.Empty(t, listing(6, noon.Add(3*time.Minute), noon.Add(time.Hour)), "of a time that cannot be")
	require.Len(t, listing(7, noon.Add(4*time.Minute), noon.Add(4*time.Minute)), 1)

	require.NotEmpty(t, r.Acknowledge("fire", 1, "safe", noon.Add(4*time.Minute)))
	require.Empty(t, listing(8, noon.Add(5*time.Minute), noon.Add(5*time.Minute)), "somebody has confirmed it")
}
