package escalation_test

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"almenara/cluster/command"
	"almenara/cluster/fact"
	"almenara/cluster/journal"
	"almenara/node/addressed"
	"almenara/node/alerts"
	"almenara/node/escalation"
	"almenara/node/followup"
	"almenara/node/reached"
	"almenara/node/records/recordstest"
	"almenara/node/stories"
	"almenara/node/wire"
	"almenara/node/wire/acts"
	"almenara/storage/alert"
	"almenara/storage/alert/board"
	"almenara/storage/audience"
	"almenara/storage/factbody"
	"almenara/storage/receipt"
)

var noon = time.Date(2026, 7, 20, 12, 0, 0, 0, time.UTC)

// street has four houses with two phones each, and as much of a node as calls one house after the other.
type street struct {
	t       *testing.T
	now     time.Time
	log     *recordstest.Log
	known   *alerts.Book
	stories *stories.Finder
	book    *followup.Book
	tallies map[alert.ID]*receipt.Tally
	made    []factbody.FollowUp
	refuse  map[string]error // by alert: what recording is answered
	given   []board.Approval
	caller  *escalation.Caller
	reader  *escalation.Reader
	o       escalation.CallerOptions
}

func (s *street) Tally(id alert.ID) (*receipt.Tally, error) {
	if s.tallies[id] == nil {
		s.tallies[id] = receipt.NewTally()
	}
	return s.tallies[id], nil
}

func (*street) ReceiptFacts(alert.ID, uint64, func(fact.Fact, receipt.Block)) error { return nil }

type quiet struct{}

func (quiet) ReadWaiting(*journal.Reading, fact.Stream, func(fact.Fact)) error { return nil }
func (quiet) AllAdopted(*journal.Reading) bool                                 { return true }

func newStreet(t *testing.T) *street {
	s := &street{t: t, now: noon, known: alerts.NewBook(nil), tallies: map[alert.ID]*receipt.Tally{}, refuse: map[string]error{}}
	clock := func() time.Time { return s.now }
	s.book, s.log = followup.NewBook(nil, clock), recordstest.New(t, clock)
	var raw [][]byte
	for house := range 4 {
		for phone := range 2 {
			raw = append(raw, audience.EncodeMember(&audience.Member{ID: fmt.Sprintf("p%d%d", house, phone), Kind: "phone", Place: audience.Path(fmt.Sprint("d/", house))}))
		}
	}
	_, err := s.log.Propose(t.Context(), "chief", &command.PutMembers{Members: raw})
	require.NoError(t, err)
	s.stories = stories.New(s.known, s.log.State, clock)
	whom := addressed.New(s.log.State, s.stories)
	whom.Called = s.book.Called
	s.reader = escalation.NewReader(escalation.Options{
		Calls: s.book, Audience: func() escalation.Index { return s.log.State.Index() }, Clock: clock,
		Approved: func(*stories.Story, *alerts.Message) []board.Approval { return s.given },
	})
	s.o = escalation.CallerOptions{
		Book: s.known, Stories: s.stories, Addressed: whom, Reached: reached.New(s, quiet{}, func() bool { return false }), Reader: s.reader, Clock: clock,
		Record: func(_ context.Context, u factbody.FollowUp) error {
			if err := s.refuse[u.Alert]; err != nil {
				return err
			}
			s.made = append(s.made, u)
			s.learn(u)
			return nil
		},
	}
	s.caller = escalation.NewCaller(s.o)
	return s
}

func (s *street) learn(u factbody.FollowUp) {
	body, err := u.Encode()
	require.NoError(s.t, err)
	_, ok := s.book.Learn(fact.Fact{Kind: fact.KindFollowUp, Body: body})
	require.True(s.t, ok)
}

// house selects everybody in one.
func house(n int) string { return fmt.Sprintf(`place under "d/%d"`, n) }

// further are all houses but the first.
func further(answers, minutes uint32) *factbody.Escalation {
	return &factbody.Escalation{Answers: answers, Minutes: minutes, Groups: []string{house(1), house(2), house(3)}}
}

// sent is an alert for the first house that was accepted then.
func (s *street) sent(name string, e *factbody.Escalation, accepted time.Time, change ...func(*alert.Alert, *factbody.Issue)) *alerts.Message {
	a := &alert.Alert{
		Identifier: name, Sender: "almenara.d", Sent: alert.NewDateTime(noon.Add(-time.Minute)), Status: alert.StatusActual, MsgType: alert.MsgTypeAlert, Scope: alert.ScopePublic,
		Infos: []alert.Info{{Event: "Fire", Severity: "Extreme", Urgency: "Immediate", Certainty: "Observed", Headline: "Fire", Expires: alert.NewDateTime(noon.Add(3 * time.Hour))}},
	}
	i := factbody.Issue{Author: "amy", Targets: []audience.Target{{Select: house(0)}}, Escalation: e, Accepted: accepted.UnixMilli()}
	for _, c := range change {
		c(a, &i)
	}
	id := hex.EncodeToString(append([]byte(name), make([]byte, 32-len(name))...))
	m := &alerts.Message{Fact: id, Issue: i, Alert: a, Entry: i.Entry(a, a.Digest().String(), id)}
	_, fresh := s.known.Add(m)
	require.True(s.t, fresh)
	return m
}

// answers has a phone answer a message.
func (s *street) answers(m *alerts.Message, phone, text string) {
	member, ok := s.log.State.Index().Ordinal(phone)
	require.True(s.t, ok)
	id := m.Entry.Key.ID()
	t, _ := s.Tally(id)
	t.Add(receipt.Block{Receipts: []receipt.Receipt{{Alert: id, Revision: m.Entry.Revision, Member: member, Rung: receipt.Acknowledged, At: s.now, Answer: text}}})
}

// pass lets so many minutes go by, and the duty look at each.
func (s *street) pass(minutes int) {
	s.t.Helper()
	require.NoError(s.t, s.caller.Do(s.t.Context()))
	for range minutes {
		s.now = s.now.Add(time.Minute)
		require.NoError(s.t, s.caller.Do(s.t.Context()))
	}
}

// called are the groups that were called, with when, as minutes after noon.
func (s *street) called() (out [][2]int) {
	for _, u := range s.made {
		out = append(out, [2]int{int(u.Group), int(time.UnixMilli(u.At).Sub(noon).Minutes())})
	}
	return out
}

// of is how far a message has got.
func (s *street) of(m *alerts.Message) (*acts.Escalation, int) {
	s.t.Helper()
	story, err := s.stories.Of(m.Entry.Key.ID())
	require.NoError(s.t, err)
	who, err := s.o.Addressed.Of(story, m)
	require.NoError(s.t, err)
	view, err := s.o.Reached.Now()
	require.NoError(s.t, err)
	is, next, err := s.reader.Of(story, m, who.Entitled(), view)
	require.NoError(s.t, err)
	return is, next
}

func TestCaller_CallsOneGroupAfterTheOtherInTime(t *testing.T) {
	s := newStreet(t)
	m := s.sent("fire", further(3, 5), noon)
	s.sent("for all at once", nil, noon)
	s.pass(4)
	require.Empty(t, s.made, "the first group has five minutes")
	s.pass(1)
	u := s.made[0]
	require.Equal(t, []any{factbody.Call, "amy", m.Fact, uint64(m.Entry.Revision), string(m.Entry.Key.ID()), uint32(0)}, []any{u.What, u.By, hex.EncodeToString(u.Fact), u.Revision, u.Alert, u.Answered})
	s.answers(m, "p00", "")
	s.answers(m, "p10", "done")
	s.pass(5)
	require.Equal(t, [][2]int{{1, 5}, {2, 10}}, s.called())
	require.EqualValues(t, 2, s.made[1].Answered)
	s.answers(m, "p21", "safe")
	s.pass(60)
	require.Len(t, s.made, 2, "three have answered")
	is, next := s.of(m)
	require.Zero(t, next)
	require.True(t, is.Next.IsZero())
	require.True(t, is.Enough)
	require.Equal(t, []uint64{2, 2, 2, 2}, []uint64{is.Groups[0].Members, is.Groups[1].Members, is.Groups[2].Members, is.Groups[3].Members})
	require.Equal(t, []time.Time{noon, noon.Add(5 * time.Minute), noon.Add(10 * time.Minute), {}}, []time.Time{is.Groups[0].Called, is.Groups[1].Called, is.Groups[2].Called, is.Groups[3].Called})
}

func TestCaller_EndsWithTheLastGroup(t *testing.T) {
	s := newStreet(t)
	m := s.sent("fire", further(1, 1), noon)
	s.pass(30)
	require.Equal(t, [][2]int{{1, 1}, {2, 2}, {3, 3}}, s.called())
	_, next := s.of(m)
	require.Zero(t, next)
}

// Only who comes or has understood counts, by the last word of the revision in force, of who is meant.
func TestAnswered_CountsTheLastWordOfWhoIsMeant(t *testing.T) {
	for name, c := range map[string]struct {
		say  func(*street, *alerts.Message)
		want uint64
	}{
		"without a word":    {func(s *street, m *alerts.Message) { s.answers(m, "p00", "") }, 1},
		"safe":              {func(s *street, m *alerts.Message) { s.answers(m, "p00", "safe") }, 1},
		"help":              {func(s *street, m *alerts.Message) { s.answers(m, "p00", "help") }, 0},
		"a word of its own": {func(s *street, m *alerts.Message) { s.answers(m, "p00", "Done") }, 0},
		"help after all": {func(s *street, m *alerts.Message) {
			s.answers(m, "p00", "done")
			s.now = s.now.Add(time.Second)
			s.answers(m, "p00", "help")
		}, 0},
		"done after all": {func(s *street, m *alerts.Message) {
			s.answers(m, "p00", "help")
			s.now = s.now.Add(time.Second)
			s.answers(m, "p00", "done")
		}, 1},
		"twice": {func(s *street, m *alerts.Message) {
			s.answers(m, "p00", "done")
			s.now = s.now.Add(time.Second)
			s.answers(m, "p00", "safe")
		}, 1},
		"who is not called": {func(s *street, m *alerts.Message) { s.answers(m, "p30", "done") }, 0},
		"of another revision": {func(s *street, m *alerts.Message) {
			other := *m
			other.Entry.Revision--
			s.answers(&other, "p00", "done")
		}, 0},
	} {
		s := newStreet(t)
		m := s.sent("fire", further(2, 5), noon)
		c.say(s, m)
		is, _ := s.of(m)
		require.Equal(t, c.want, is.Answered, name)
	}
}

// What devices do not show calls nobody.
func TestCaller_CallsForWhatIsInForceAlone(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*alert.Alert, *factbody.Issue)
		late   func(*street)
	}{
		"waits for approval": {change: func(_ *alert.Alert, i *factbody.Issue) { i.Approvals = 1 }},
		"begins later": {change: func(a *alert.Alert, _ *factbody.Issue) {
			a.Infos[0].Effective = alert.NewDateTime(noon.Add(2 * time.Hour))
		}},
		"has run out": {change: func(a *alert.Alert, _ *factbody.Issue) {
			a.Infos[0].Expires = alert.NewDateTime(noon.Add(2 * time.Minute))
		}},
		"was cancelled": {late: func(s *street) {
			s.sent("end", nil, noon, func(a *alert.Alert, i *factbody.Issue) {
				a.MsgType, a.Infos, i.Targets = alert.MsgTypeCancel, nil, nil
				a.References = []alert.Key{{Sender: "almenara.d", Identifier: "fire", Sent: alert.NewDateTime(noon.Add(-time.Minute))}}
			})
		}},
	} {
		s := newStreet(t)
		change := c.change
		if change == nil {
			change = func(*alert.Alert, *factbody.Issue) {}
		}
		s.sent("fire", further(1, 5), noon, change)
		if c.late != nil {
			c.late(s)
		}
		s.pass(60)
		require.Empty(t, s.made, name)
	}
	s := newStreet(t)
	s.sent("fire", further(1, 5), noon, func(a *alert.Alert, _ *factbody.Issue) {
		a.Infos[0].Effective = alert.NewDateTime(noon.Add(10 * time.Minute))
	})
	s.pass(20)
	require.Equal(t, [][2]int{{1, 15}, {2, 20}}, s.called(), "the first group has its minutes from when it begins")
}

// An error of one alert keeps no other from being called, and is tried again; what ended in between is another node's.
func TestCaller_AnErrorOfOneAlertKeepsNoOtherFromIt(t *testing.T) {
	s := newStreet(t)
	m := s.sent("fire", further(1, 5), noon)
	s.sent("flood", further(1, 5), noon)
	s.refuse[string(m.Entry.Key.ID())] = errors.New("the disk is full")
	s.now = noon.Add(6 * time.Minute)
	require.ErrorContains(t, s.caller.Do(t.Context()), "the disk is full")
	require.Len(t, s.made, 1)
	clear(s.refuse)
	s.pass(0)
	require.Len(t, s.made, 2)

	over, cancel := context.WithCancel(t.Context())
	cancel()
	s.now = noon.Add(30 * time.Minute)
	require.NoError(t, s.caller.Do(over))
	require.Len(t, s.made, 2, "another node calls by now")
}

// A change takes over who was called, and the next group has its minutes from when it came.
func TestCaller_AChangeGoesOnWhereTheAlertWas(t *testing.T) {
	s := newStreet(t)
	e := further(1, 5)
	e.Called = 2
	m := s.sent("fire", e, noon)
	is, next := s.of(m)
	require.Equal(t, 3, next)
	require.Equal(t, noon.Add(5*time.Minute), is.Next)
	id, err := hex.DecodeString(m.Fact)
	require.NoError(t, err)
	s.now = noon.Add(3 * time.Minute)
	s.learn(factbody.FollowUp{Alert: string(m.Entry.Key.ID()), Revision: uint64(m.Entry.Revision), What: factbody.Call, By: "eve", At: s.now.UnixMilli(), Fact: id, Group: 1})
	is, _ = s.of(m)
	require.Equal(t, []time.Time{noon, noon.Add(5 * time.Minute)}, []time.Time{is.Groups[1].Called, is.Next}, "who was called is called by nobody again")
	s.now = noon
	s.answers(m, "p20", "help")
	s.pass(10)
	require.Equal(t, [][2]int{{3, 5}}, s.called())
}

// What is for all at once, and an alert without a message, has no groups.
func TestReader_OfWhatIsForAllAtOnce(t *testing.T) {
	s := newStreet(t)
	m := s.sent("for all at once", nil, noon)
	is, next := s.of(m)
	require.Nil(t, is)
	require.Zero(t, next)
	is, next, err := s.reader.Of(nil, nil, nil, reached.View{})
	require.NoError(t, err)
	require.Nil(t, is)
	require.Zero(t, next)
}

// A group that was let in once and cannot be read has nobody: the others are called, and the alert is listed.
func TestReader_AGroupThatCannotBeReadHasNobody(t *testing.T) {
	s := newStreet(t)
	e := further(1, 5)
	e.Groups[0] = "kind ="
	m := s.sent("fire", e, noon)
	is, next := s.of(m)
	require.Equal(t, 1, next)
	require.Equal(t, []uint64{2, 0, 2, 2}, []uint64{is.Groups[0].Members, is.Groups[1].Members, is.Groups[2].Members, is.Groups[3].Members})
	s.pass(10)
	require.Equal(t, [][2]int{{1, 5}, {2, 10}}, s.called())
}

// Facts of other nodes may say anything: no panic, no group beyond the last, and none that is called twice.
func TestAttack_CallsOfOthersWidenNothing(t *testing.T) {
	s := newStreet(t)
	m := s.sent("fire", further(1, 5), noon)
	id, err := hex.DecodeString(m.Fact)
	require.NoError(t, err)
	call := func(group uint32, at time.Time) {
		s.learn(factbody.FollowUp{Alert: string(m.Entry.Key.ID()), Revision: uint64(m.Entry.Revision), What: factbody.Call, By: "eve", At: at.UnixMilli(), Fact: id, Group: group})
	}
	call(7, noon)
	is, next := s.of(m)
	require.Equal(t, []any{4, 1}, []any{len(is.Groups), next}, "there is no such group")
	call(1, noon.Add(5*time.Hour)) // by a clock that is ahead
	is, _ = s.of(m)
	require.Equal(t, noon, is.Groups[1].Called)
	s.pass(5)
	require.Equal(t, [][2]int{{2, 5}}, s.called())
	call(2, noon.Add(time.Minute)) // of a part that had split: the earlier call counts
	is, _ = s.of(m)
	require.Equal(t, []time.Time{noon.Add(time.Minute), noon.Add(6 * time.Minute)}, []time.Time{is.Groups[2].Called, is.Next})
}

// The node that took the alert had a clock that was ahead by hours: its groups are called all the same.
func TestAttack_AClockThatIsAheadHoldsUpNoCall(t *testing.T) {
	s := newStreet(t)
	m := s.sent("fire", further(1, 5), noon.Add(5*time.Hour))
	s.pass(4)
	require.Empty(t, s.made)
	s.pass(1)
	require.Equal(t, [][2]int{{1, 5}}, s.called())
	s.pass(4)
	require.Len(t, s.made, 1)
	s.pass(1)
	require.Equal(t, [][2]int{{1, 5}, {2, 10}}, s.called())
	s.answers(m, "p00", "done")
	s.pass(60)
	require.Len(t, s.made, 2)
}

// Whatever happens in whatever order at two nodes of which each calls: each group is called after the one before, at
// most once by each, never before its time, and never once enough have answered.
func TestCaller_HoldsWhatever(t *testing.T) {
	for seed := range uint64(24) {
		random := rand.New(rand.NewPCG(seed, 11))
		s := newStreet(t)
		e := further(1+uint32(random.IntN(4)), 1+uint32(random.IntN(6)))
		e.Called = uint32(random.IntN(2))
		m := s.sent("fire", e, noon)
		callers := []*escalation.Caller{s.caller, escalation.NewCaller(s.o)}
		answered := map[string]bool{}
		last, since := e.Called, noon
		for range 40 {
			s.now = s.now.Add(time.Duration(1+random.IntN(150)) * time.Second)
			if random.IntN(3) == 0 {
				phone := fmt.Sprintf("p%d%d", random.IntN(4), random.IntN(2))
				text := []string{"", "done", "safe", "help", "later"}[random.IntN(5)]
				s.answers(m, phone, text)
				if _, spoke := answered[phone]; text != "" || !spoke { // a word stands until another one
					answered[phone] = text != "help" && text != "later"
				}
			}
			before := len(s.made)
			require.NoError(t, callers[random.IntN(2)].Do(t.Context()))
			if len(s.made) == before {
				continue
			}
			require.Len(t, s.made, before+1, "one at a time")
			u, count := s.made[before], uint32(0)
			for phone, is := range answered {
				if is && int(phone[1]-'0') <= int(last) {
					count++
				}
			}
			require.Equal(t, last+1, u.Group, "seed %d", seed)
			require.Equal(t, count, u.Answered, "seed %d", seed)
			require.Less(t, count, e.Answers, "seed %d", seed)
			require.False(t, s.now.Before(since.Add(time.Duration(e.Minutes)*time.Minute)), "seed %d", seed)
			last, since = u.Group, s.now
		}
		is, _ := s.of(m)
		require.EqualValues(t, 1+last, calledOf(is), "seed %d", seed)
	}
}

func calledOf(e *acts.Escalation) (n int) {
	for _, g := range e.Groups {
		if !g.Called.IsZero() {
			n++
		}
	}
	return n
}

// What could not be carried out is refused at the door.
func TestTaken_RefusesWhatCannotBeCalled(t *testing.T) {
	s := newStreet(t)
	for name, c := range map[string]struct {
		in   acts.Escalate
		says string
	}{
		"nobody":       {acts.Escalate{Minutes: 1, Groups: []string{"all"}}, "1 to 1000"},
		"minus one":    {acts.Escalate{Answers: -1, Minutes: 1, Groups: []string{"all"}}, "1 to 1000"},
		"a million":    {acts.Escalate{Answers: 1_000_000, Minutes: 1, Groups: []string{"all"}}, "1 to 1000"},
		"at once":      {acts.Escalate{Answers: 1, Groups: []string{"all"}}, "1 to 1440 minutes"},
		"in two days":  {acts.Escalate{Answers: 1, Minutes: 2880, Groups: []string{"all"}}, "1 to 1440 minutes"},
		"no group":     {acts.Escalate{Answers: 1, Minutes: 1}, "1 to 7 further"},
		"many groups":  {acts.Escalate{Answers: 1, Minutes: 1, Groups: make([]string, 8)}, "1 to 7 further"},
		"no selection": {acts.Escalate{Answers: 1, Minutes: 1, Groups: []string{"all", "place under"}}, "group 3 cannot be read"},
		"10 kB":        {acts.Escalate{Answers: 1, Minutes: 1, Groups: []string{strings.Repeat("(", 10_000)}}, "group 2 cannot be read"},
		"a NUL":        {acts.Escalate{Answers: 1, Minutes: 1, Groups: []string{"kind = \x00"}}, "group 2 cannot be read"},
	} {
		_, _, err := escalation.Taken(c.in, s.log.State.Index())
		var p *wire.Problem
		require.ErrorAs(t, err, &p, name)
		require.Equal(t, wire.KindMalformed, p.Kind, name)
		require.Contains(t, p.Sentence, c.says, name)
	}
	says, groups, err := escalation.Taken(acts.Escalate{Answers: 2, Minutes: 3, Groups: []string{house(1)}}, s.log.State.Index())
	require.NoError(t, err)
	require.Equal(t, []any{uint32(2), uint32(3), 1}, []any{says.Answers, says.Minutes, len(groups)})
}
