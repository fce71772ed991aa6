package followup_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"almenara/cluster/agreed"
	"almenara/cluster/command"
	"almenara/cluster/exchange"
	"almenara/cluster/fact"
	"almenara/cluster/journal"
	"almenara/node/addressed"
	"almenara/node/alerts"
	"almenara/node/authority"
	"almenara/node/followup"
	"almenara/node/reached"
	"almenara/node/records/recordstest"
	"almenara/node/replication"
	"almenara/node/stories"
	"almenara/node/wire"
	"almenara/node/wire/acts"
	"almenara/storage"
	"almenara/storage/alert"
	"almenara/storage/audience"
	"almenara/storage/factbody"
)

var noon = time.Date(2026, 7, 20, 12, 0, 0, 0, time.UTC)

const id = alert.ID("abcdefghijklmnopqrstuvwxyz")

func at(t time.Time) func() time.Time { return func() time.Time { return t } }

// told is who was told, of a book that can be read.
func told(t testing.TB, b *followup.Book, id alert.ID, r alert.Revision) map[uint32]followup.Told {
	t.Helper()
	out, err := b.Told([]alert.ID{id}, r)
	require.NoError(t, err)
	return out
}

func learn(t testing.TB, b *followup.Book, all ...factbody.FollowUp) {
	for _, f := range all {
		body, err := f.Encode()
		require.NoError(t, err)
		got, ok := b.Learn(fact.Fact{Kind: fact.KindFollowUp, Body: body})
		require.True(t, ok)
		require.Equal(t, f.Alert, string(got))
	}
}

// In whatever order facts come, and however often, every node says the same.
func TestBook_IsTheSameInEveryOrder(t *testing.T) {
	after := func(minutes int) int64 { return noon.Add(time.Duration(minutes) * time.Minute).UnixMilli() }
	all := []factbody.FollowUp{
		{Alert: string(id), Revision: 1, What: factbody.Told, Members: []uint32{1, 2}, By: "amy", At: after(2)},
		{Alert: string(id), Revision: 1, What: factbody.Told, Members: []uint32{2, 3}, By: "bob", At: after(1)},
		{Alert: string(id), Revision: 1, What: factbody.Told, Members: []uint32{3}, By: "amy", At: after(1)},
		{Alert: string(id), Revision: 2, What: factbody.Told, Members: []uint32{9}, By: "amy", At: after(3)},
		{Alert: string(id), Revision: 1, What: factbody.Remind, Every: 10, By: "amy", At: after(1)},
		{Alert: string(id), Revision: 1, What: factbody.Remind, Every: 5, By: "bob", At: after(4)},
		{Alert: string(id), Revision: 1, What: factbody.Remind, By: "amy", At: after(4)},
	}
	for range 20 {
		rand.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
		b := followup.NewBook(nil, at(noon.Add(time.Hour)))
		learn(t, b, all...)
		learn(t, b, all[0])
		require.Equal(t, map[uint32]followup.Told{
			1: {By: "amy", At: noon.Add(2 * time.Minute)}, 2: {By: "bob", At: noon.Add(time.Minute)}, 3: {By: "amy", At: noon.Add(time.Minute)},
		}, told(t, b, id, 1), "the first word counts, and the other revision is another")
		last, every := b.Reminded([]alert.ID{id}, 1, noon.Add(4*time.Minute))
		require.Equal(t, []any{noon.Add(4 * time.Minute), 5 * time.Minute}, []any{last, every})
		last, _ = b.Reminded([]alert.ID{id}, 1, noon.Add(15*time.Minute))
		require.Equal(t, noon.Add(14*time.Minute), last, "it came by itself, twice")
		last, every = b.Reminded([]alert.ID{id}, 2, noon.Add(time.Hour))
		require.Zero(t, last)
		require.Zero(t, every)
	}
	b := followup.NewBook(nil, at(noon))
	_, ok := b.Learn(fact.Fact{Kind: fact.KindFollowUp, Body: []byte("x")})
	require.False(t, ok)
	_, ok = b.Learn(fact.Fact{Kind: fact.KindAlert})
	require.False(t, ok)
}

func TestBook_KeepsBoundedMemory(t *testing.T) {
	b := followup.NewBook(nil, at(noon))
	name := []byte("aaaaaaaaaaaaaaaaaaaaaaaaaa")
	first := string(name)
	for i := range 4200 {
		name[0], name[1], name[2] = 'a'+byte(i/676), 'a'+byte(i/26%26), 'a'+byte(i%26)
		learn(t, b, factbody.FollowUp{Alert: string(name), Revision: 1, What: factbody.Told, Members: []uint32{1}, By: "amy", At: int64(i)})
	}
	require.Empty(t, told(t, b, alert.ID(first), 1), "the oldest went first")
	require.NotEmpty(t, told(t, b, alert.ID(name), 1))
}

// house is a district with two members in each of two blocks, and as much of a node as takes what people
// do about an alert.
type house struct {
	*followup.FollowUps
	t     *testing.T
	book  *followup.Book
	known *alerts.Book
	log   *recordstest.Log
	now   time.Time
	old   error
	mu    sync.Mutex // guards made
	made  []factbody.FollowUp
	alert string
	rev   alert.Revision
}

func (h *house) Create(_ context.Context, kind fact.Kind, _ fact.Stream, body []byte) (*exchange.Progress, error) {
	f, err := factbody.DecodeFollowUp(body)
	require.NoError(h.t, err)
	h.mu.Lock()
	h.made = append(h.made, f)
	h.mu.Unlock()
	_, ok := h.book.Learn(fact.Fact{Kind: kind, Body: body})
	require.True(h.t, ok)
	return &exchange.Progress{ID: fact.ID(sha256.Sum256(body))}, nil
}

type quiet struct{}

func (quiet) ReadWaiting(*journal.Reading, fact.Stream, func(fact.Fact)) error { return nil }
func (quiet) AllAdopted(*journal.Reading) bool                                 { return true }

func newHouse(t *testing.T) *house {
	t.Helper()
	h := &house{t: t, known: alerts.NewBook(nil), now: noon}
	clock := func() time.Time { return h.now }
	h.book = followup.NewBook(nil, clock)
	h.log = recordstest.New(t, clock)
	var raw [][]byte
	for _, m := range []string{"one/1", "one/2", "two/1", "two/2"} {
		raw = append(raw, audience.EncodeMember(&audience.Member{ID: m[:3] + m[4:], Kind: audience.KindScreen, Place: audience.Path("d/" + m[:3])}))
	}
	raw = append(raw, audience.EncodeMember(&audience.Member{ID: "away", Kind: audience.KindScreen, Place: "x/y"}))
	_, err := h.log.Propose(t.Context(), "chief", &command.PutMembers{Members: raw})
	require.NoError(t, err)
	f := stories.New(h.known, h.log.State, clock)
	rules := authority.New(authority.Sources{
		Agreed: h.log.State.Authority, Audience: h.log.State.Index, Clock: clock, Sender: func() string { return "almenara.d" },
		Users: func() ([]storage.User, error) { return nil, nil }, Alone: func() authority.Loneliness { return authority.Loneliness{} },
	})
	h.FollowUps = followup.New(followup.Options{
		Book: h.book, Stories: f, Addressed: addressed.New(h.log.State, f), Reached: reached.New(h.log.State, quiet{}, func() bool { return false }),
		Rules: rules, Exchange: h, Progress: replication.New(f.Agreed), Store: h.log.Store, Audience: h.log.State.Index,
		Understood: func(context.Context, uint64) error { return h.old }, Alone: func() bool { return false }, Clock: clock,
	})
	a := &alert.Alert{
		Identifier: "fire", Sender: "almenara.d", Sent: alert.NewDateTime(noon.Add(-time.Minute)), Status: alert.StatusActual, MsgType: alert.MsgTypeAlert, Scope: alert.ScopePublic,
		Infos: []alert.Info{{Event: "Fire", Severity: "Extreme", Urgency: "Immediate", Certainty: "Observed", Headline: "Fire", Expires: alert.NewDateTime(noon.Add(time.Hour))}},
	}
	h.alert, h.rev = h.lay("fire", a, factbody.Issue{Author: "amy", Targets: []audience.Target{{Select: `place under "d"`}}})
	return h
}

func (h *house) lay(name string, a *alert.Alert, i factbody.Issue) (string, alert.Revision) {
	fact := hex.EncodeToString(append([]byte(name), make([]byte, 32-len(name))...))
	i.Accepted = noon.Add(-time.Minute).UnixMilli()
	m := &alerts.Message{Fact: fact, Issue: i, Alert: a, Entry: i.Entry(a, a.Digest().String(), fact)}
	_, fresh := h.known.Add(m)
	require.True(h.t, fresh)
	return string(m.Entry.Key.ID()), m.Entry.Revision
}

var duty = authority.Caller{Name: "duty", Roles: []string{authority.RoleComposer}}

func (h *house) refused(err error, kind, says string) {
	h.t.Helper()
	var p *wire.Problem
	require.ErrorAs(h.t, err, &p)
	require.Equal(h.t, kind, p.Kind, p.Sentence)
	require.Contains(h.t, p.Sentence, says)
}

func TestMarkTold(t *testing.T) {
	h := newHouse(t)
	mark := func(by authority.Caller, in acts.MarkTold) (acts.Told, error) {
		return h.MarkTold(t.Context(), by, h.alert, in, wire.WaitLocal)
	}
	out, err := mark(duty, acts.MarkTold{Members: []string{"one1"}, Note: "at the door"})
	require.NoError(t, err)
	require.EqualValues(t, 1, out.Marked)
	require.Equal(t, []any{"duty", "at the door", uint64(h.rev), noon.UnixMilli()}, []any{h.made[0].By, h.made[0].Note, h.made[0].Revision, h.made[0].At})
	out, err = mark(duty, acts.MarkTold{Members: []string{"one1"}})
	require.NoError(t, err)
	require.Zero(t, out.Marked, "once is enough")
	require.Len(t, h.made, 1)
	out, err = mark(duty, acts.MarkTold{Place: "d/one"})
	require.NoError(t, err)
	require.EqualValues(t, 1, out.Marked, "who is left of that block")

	warden := authority.Caller{Name: "warden", Roles: duty.Roles, Places: []string{"d/two"}}
	for what, c := range map[string]struct {
		by         authority.Caller
		in         acts.MarkTold
		kind, says string
	}{
		"somebody else's block": {authority.Caller{Name: "warden", Roles: duty.Roles, Places: []string{"d/one"}}, acts.MarkTold{Members: []string{"two1"}}, wire.KindForbidden, "1 members outside d/one"},
		"a viewer":              {authority.Caller{Name: "eve", Roles: []string{authority.RoleViewer}}, acts.MarkTold{Members: []string{"two1"}}, wire.KindForbidden, "eve does not have"},
		"nobody":                {duty, acts.MarkTold{}, wire.KindMalformed, "either members or a place"},
		"both":                  {duty, acts.MarkTold{Members: []string{"two1"}, Place: "d"}, wire.KindMalformed, "either members or a place"},
		"a stranger":            {duty, acts.MarkTold{Members: []string{"two1", "who"}}, wire.KindNotFound, `not for a member "who"`},
		"who is elsewhere":      {duty, acts.MarkTold{Members: []string{"two1", "away"}}, wire.KindNotFound, `not for a member "away"`},
		"a path cut short":      {duty, acts.MarkTold{Place: "one"}, wire.KindNotFound, `the alert is for nobody in "one"`},
		"too many":              {duty, acts.MarkTold{Members: make([]string, 5000)}, wire.KindTooLarge, "at most 4096"},
		"a long note":           {duty, acts.MarkTold{Members: []string{"two1"}, Note: string(make([]byte, 501))}, wire.KindMalformed, "at most 500 bytes"},
	} {
		_, err := mark(c.by, c.in)
		h.refused(err, c.kind, c.says)
		require.Len(t, h.made, 2, what)
	}
	h.old = errors.New("one node is old")
	_, err = mark(warden, acts.MarkTold{Place: "d/two"})
	require.ErrorIs(t, err, h.old)
	h.old = nil
	out, err = mark(warden, acts.MarkTold{Place: "d/two"})
	require.NoError(t, err)
	require.EqualValues(t, 2, out.Marked)
}

func TestRemind(t *testing.T) {
	h := newHouse(t)
	remind := func(every int) (acts.Reminded, error) {
		return h.Remind(t.Context(), duty, h.alert, acts.Remind{EveryMinutes: every}, wire.WaitLocal)
	}
	out, err := remind(5)
	require.NoError(t, err)
	require.Equal(t, acts.Reminded{Alert: h.alert, Unread: 4, EveryMinutes: 5}, out)
	h.now = noon.Add(30 * time.Second)
	_, err = remind(5)
	h.refused(err, wire.KindOverBudget, "less than a minute ago")
	_, err = remind(0)
	require.NoError(t, err, "reminders that come by themselves can be ended at once")
	for _, every := range []int{0, 1, 2} {
		_, err = remind(every)
		h.refused(err, wire.KindOverBudget, "less than a minute ago") // whoever changes the interval again and again sounds a siren each time
	}
	_, err = remind(1441)
	h.refused(err, wire.KindMalformed, "from 1 to 1440")
	_, err = h.Remind(t.Context(), authority.Caller{Name: "warden", Roles: duty.Roles, Places: []string{"d/one"}}, h.alert, acts.Remind{}, wire.WaitLocal)
	h.refused(err, wire.KindForbidden, "outside d/one")
	require.Len(t, h.made, 2)
	h.now = noon.Add(2 * time.Hour)
	_, err = remind(0)
	h.refused(err, wire.KindRefused, "it is expired, and no device shows it")
}

// What waits for approval is shown by no device, so there is nothing to tell again.
func TestFollowUps_AreOfWhatDevicesShow(t *testing.T) {
	h := newHouse(t)
	a := &alert.Alert{
		Identifier: "held", Sender: "almenara.d", Sent: alert.NewDateTime(noon.Add(-time.Minute)), Status: alert.StatusActual, MsgType: alert.MsgTypeAlert, Scope: alert.ScopePublic,
		Infos: []alert.Info{{Event: "Fire", Expires: alert.NewDateTime(noon.Add(time.Hour))}},
	}
	held, _ := h.lay("held", a, factbody.Issue{Author: "amy", Approvals: 1, Targets: []audience.Target{{Select: `place under "d"`}}})
	_, err := h.MarkTold(t.Context(), duty, held, acts.MarkTold{Place: "d"}, wire.WaitLocal)
	h.refused(err, wire.KindRefused, "it is pending")
	require.Empty(t, h.made)
}

// A node whose clock is ahead says that a reminder is of this evening: it counts from when it was heard of,
// and whoever ends reminders then, ends them.
func TestBook_HoldsTimesToWhatIsPlausible(t *testing.T) {
	now := noon
	b := followup.NewBook(nil, func() time.Time { return now })
	ahead := factbody.FollowUp{Alert: string(id), Revision: 1, What: factbody.Remind, Every: 5, By: "eve", At: noon.Add(5 * time.Hour).UnixMilli()}
	learn(t, b, ahead)
	last, every := b.Reminded([]alert.ID{id}, 1, now)
	require.Equal(t, []any{noon, 5 * time.Minute}, []any{last, every})
	now = noon.Add(time.Minute)
	learn(t, b, factbody.FollowUp{Alert: string(id), Revision: 1, What: factbody.Remind, By: "amy", At: now.UnixMilli()})
	_, every = b.Reminded([]alert.ID{id}, 1, now)
	require.Zero(t, every, "it was ended")
	_, every = b.Reminded([]alert.ID{id}, 1, noon.Add(6*time.Hour))
	require.Zero(t, every, "and does not begin again when that time comes")

	for _, at := range []int64{noon.Add(61 * time.Second).UnixMilli(), 253402300800000, 1<<63 - 1} { // the year 10000 cannot be written
		b := followup.NewBook(nil, func() time.Time { return noon })
		learn(t, b, factbody.FollowUp{Alert: string(id), Revision: 1, What: factbody.Told, Members: []uint32{1}, By: "eve", At: at},
			factbody.FollowUp{Alert: string(id), Revision: 1, What: factbody.Remind, By: "eve", At: at})
		last, _ := b.Reminded([]alert.ID{id}, 1, noon)
		require.Equal(t, []any{noon, noon}, []any{told(t, b, id, 1)[1].At, last})
	}
	within := noon.Add(time.Minute)
	learn(t, b, factbody.FollowUp{Alert: string(id), Revision: 2, What: factbody.Remind, By: "amy", At: within.UnixMilli()})
	last, _ = b.Reminded([]alert.ID{id}, 2, noon)
	require.Equal(t, within, last, "clocks differ by so much")
}

// The clock of this node itself was ahead, and was set right.
func TestRemind_StandsAboveWhatWasSaidUnderAClockThatWasAhead(t *testing.T) {
	h := newHouse(t)
	remind := func(every int) error {
		_, err := h.Remind(t.Context(), duty, h.alert, acts.Remind{EveryMinutes: every}, wire.WaitLocal)
		return err
	}
	h.now = noon.Add(40 * time.Minute)
	require.NoError(t, remind(5))
	h.now = noon
	h.refused(remind(2), wire.KindOverBudget, "less than a minute ago") // it is of now
	require.NoError(t, remind(0), "reminders can be ended")
	_, every := h.book.Reminded([]alert.ID{alert.ID(h.alert)}, h.rev, noon.Add(time.Hour))
	require.Zero(t, every)
	h.now = noon.Add(30 * time.Second) // the clock of another node is behind by as much
	learn(t, h.book, factbody.FollowUp{Alert: h.alert, Revision: uint64(h.rev), What: factbody.Remind, Every: 9, By: "bob", At: noon.Add(80 * time.Second).UnixMilli()})
	require.NoError(t, remind(0), "what is ahead by less than a minute can be ended, too")
	_, every = h.book.Reminded([]alert.ID{alert.ID(h.alert)}, h.rev, noon.Add(time.Hour))
	require.Zero(t, every)
}

// Who presses at several browsers at once sounds one siren.
func TestAttack_RemindersThatAreAskedForAtOnceAreOne(t *testing.T) {
	h := newHouse(t)
	var all sync.WaitGroup
	var taken atomic.Int32
	for range 32 {
		all.Go(func() {
			if _, err := h.Remind(t.Context(), duty, h.alert, acts.Remind{}, wire.WaitLocal); err == nil {
				taken.Add(1)
			}
		})
	}
	all.Wait()
	require.EqualValues(t, 1, taken.Load())
}

// log is what was agreed: fact i was made, and agreed on, at the time of made.
type log struct {
	facts []agreed.KeptFact
	at    map[uint64]time.Time
	most  int
	reads int
}

func (l *log) add(t testing.TB, u factbody.FollowUp, made, agreedAt time.Time) {
	body, err := u.Encode()
	require.NoError(t, err)
	index := uint64(len(l.facts) + 1)
	l.facts = append(l.facts, agreed.KeptFact{Index: index, Fact: fact.Fact{Kind: fact.KindFollowUp, HLC: fact.HLC(made), Body: body}})
	l.at[index] = agreedAt
}

func (l *log) KeptBefore(_ fact.Kind, index uint64, _ uint16, limit int) (out []agreed.KeptFact, err error) {
	l.most, l.reads = max(l.most, limit), l.reads+1
	if index == 0 {
		index = uint64(len(l.facts)) + 1
	}
	for i := index - 1; i > 0 && len(out) < limit; i-- {
		out = append(out, l.facts[i-1])
	}
	return out, nil
}

func (l *log) AgreedAt(index uint64) (time.Time, bool, error) {
	at, ok := l.at[index]
	return at, ok, nil
}

// There may be years of what people did: the start reads, in parts, what may still matter, and the rest is
// read when somebody looks at an alert of that time.
func TestBook_RecallsWhatMayStillMatter(t *testing.T) {
	year := noon.AddDate(-1, 0, 0)
	for _, n := range []int{0, 1, 999, 1000, 2500, 6500} {
		l := &log{at: map[uint64]time.Time{}}
		old := alert.Revision(year.UnixMilli())
		for i := range n {
			l.add(t, factbody.FollowUp{Alert: string(id), Revision: uint64(old), What: factbody.Told, Members: []uint32{uint32(i)}, By: "amy", At: year.UnixMilli()}, year, year)
		}
		fresh := alert.ID("bbcdefghijklmnopqrstuvwxyz")
		of := alert.Revision(noon.UnixMilli())
		l.add(t, factbody.FollowUp{Alert: string(fresh), Revision: uint64(of), What: factbody.Told, Members: []uint32{7}, By: "amy", At: noon.UnixMilli()}, noon, noon)
		b := followup.NewBook(l, at(noon))
		require.NoError(t, b.Recall())
		require.LessOrEqual(t, l.reads, 2, n)
		require.Len(t, told(t, b, fresh, of), 1)
		require.LessOrEqual(t, l.reads, 2, "what is of today asks for nothing")
		require.Len(t, told(t, b, id, old), n)
		reads := l.reads
		require.Len(t, told(t, b, id, old), n)
		require.Equal(t, reads, l.reads, "once")
		require.Equal(t, 1000, l.most)
	}
}

// After a start a reminder counts as of when it was agreed on, if it says that it is of later.
func TestBook_RecallsRemindersAsOfWhenTheyWereAgreedOn(t *testing.T) {
	l := &log{at: map[uint64]time.Time{}}
	evening := noon.Add(5 * time.Hour)
	l.add(t, factbody.FollowUp{Alert: string(id), Revision: 1, What: factbody.Remind, Every: 5, By: "eve", At: evening.UnixMilli()}, evening, noon)
	l.add(t, factbody.FollowUp{Alert: string(id), Revision: 1, What: factbody.Remind, By: "amy", At: noon.Add(time.Minute).UnixMilli()}, noon, noon.Add(time.Minute))
	b := followup.NewBook(l, at(evening.Add(time.Hour)))
	require.NoError(t, b.Recall())
	last, every := b.Reminded([]alert.ID{id}, 1, evening.Add(time.Hour))
	require.Equal(t, []any{noon.Add(time.Minute), time.Duration(0)}, []any{last, every}, "it was ended at noon")
}

// A mark that was a mistake is taken back: who is meant counts as not told, and may be marked again.
func TestMarkTold_CanBeTakenBack(t *testing.T) {
	h := newHouse(t)
	mark := func(by authority.Caller, in acts.MarkTold) (acts.Told, error) {
		return h.MarkTold(t.Context(), by, h.alert, in, wire.WaitLocal)
	}
	marked := func() int { return len(told(t, h.book, alert.ID(h.alert), h.rev)) }
	_, err := mark(duty, acts.MarkTold{Members: []string{"one1", "two1"}})
	require.NoError(t, err)
	require.Equal(t, 2, marked())
	out, err := mark(duty, acts.MarkTold{Members: []string{"one1", "one2"}, TakeBack: true, Note: "another door"})
	require.NoError(t, err)
	require.Equal(t, acts.Told{Alert: h.alert, TakenBack: 1}, out, "one2 was not marked")
	require.Equal(t, 1, marked())
	last := h.made[len(h.made)-1]
	require.Equal(t, []any{factbody.TakeBack, "duty", "another door", 1}, []any{last.What, last.By, last.Note, len(last.Members)})
	out, err = mark(duty, acts.MarkTold{Members: []string{"one1"}, TakeBack: true})
	require.NoError(t, err)
	require.Zero(t, out.TakenBack, "once is enough")
	out, err = mark(duty, acts.MarkTold{Members: []string{"one1"}})
	require.NoError(t, err)
	require.EqualValues(t, 1, out.Marked, "and they can be told after all, within the same millisecond")
	require.Equal(t, 2, marked())
	_, err = mark(authority.Caller{Name: "warden", Roles: duty.Roles, Places: []string{"d/one"}}, acts.MarkTold{Members: []string{"two1"}, TakeBack: true})
	h.refused(err, wire.KindForbidden, "outside d/one")
	out, err = mark(duty, acts.MarkTold{Place: "d", TakeBack: true})
	require.NoError(t, err)
	require.EqualValues(t, 2, out.TakenBack)
	require.Zero(t, marked())
	h.old = errors.New("one node is old")
	_, err = mark(duty, acts.MarkTold{Place: "d"})
	require.ErrorIs(t, err, h.old)
}

// A node whose clock was ahead marked somebody as told, and the mark was taken back since. After a start of this node,
// later than that clock said, nobody counts as told.
func TestBook_RecallsMarksAsOfWhenTheyWereAgreedOn(t *testing.T) {
	l := &log{at: map[uint64]time.Time{}}
	evening, soon := noon.Add(5*time.Hour), noon.Add(5*time.Minute)
	l.add(t, factbody.FollowUp{Alert: string(id), Revision: 1, What: factbody.Told, Members: []uint32{1}, By: "eve", At: evening.UnixMilli()}, evening, noon)
	l.add(t, factbody.FollowUp{Alert: string(id), Revision: 1, What: factbody.TakeBack, Members: []uint32{1}, By: "amy", At: soon.UnixMilli()}, soon, soon)
	b := followup.NewBook(l, at(evening.Add(time.Hour)))
	require.NoError(t, b.Recall())
	require.Empty(t, told(t, b, id, 1))
}
