package residents

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"almenara/cluster/fact"
	"almenara/node/authority"
	"almenara/node/residents/floods"
	"almenara/node/residents/refusals"
	"almenara/node/residents/typed"
	"almenara/node/wire"
	"almenara/node/wire/reported"
	"almenara/storage/factbody"
)

// Whoever has a link makes up phones as often as they like: what ten addresses do keeps no phone of another block
// from asking for help.
func TestAttack_MadeUpPhonesTakeNoRoomOfOthers(t *testing.T) {
	s := newStation(t)
	refused := 0
	for i := range crowd {
		b := s.reads(blockOne)
		b.Address = fmt.Sprint("10.1.0.", i%10)
		if _, err := b.answers(Answer{What: factbody.ResidentHelp, Where: "1/F"}); err != nil {
			require.Equal(t, refusals.NoHelp, whyOf(err))
			refused++
		}
	}
	require.Equal(t, crowd-250, refused, "a block has 250 at once")
	for i := range 20 {
		b := s.reads(blockOne)
		b.Address = fmt.Sprint("10.3.0.", i)
		b.says(Answer{What: factbody.ResidentHelp, Where: "3/F"})
	}
	for i := range 50 {
		b := s.reads(blockTwo)
		b.Address = fmt.Sprint("10.2.0.", i)
		b.says(Answer{What: factbody.ResidentHelp, Where: "2/F"})
	}
}

// A screen has another code every five minutes, and each is good for half an hour: whoever collects them has the room of
// the block once.
func TestAttack_OtherLinksOfABlockHaveNoRoomOfTheirOwn(t *testing.T) {
	s := newStation(t)
	taken := 0
	for i := range 1000 {
		b := s.reads(blockOne)
		b.Link = mustLinkAt(t, s, blockOne, s.now.Add(-time.Duration(i%6)*Renewed))
		b.Address = fmt.Sprint("10.1.0.", i%10)
		if _, err := b.answers(Answer{What: factbody.ResidentHelp, Where: "1/F"}); err == nil {
			taken++
		}
	}
	require.Equal(t, 250, taken)
}

// However long one address asks for help with made-up phones, others of its block are heard.
func TestAttack_OneAddressNeverHasAllTheRoomOfItsBlock(t *testing.T) {
	s := newStation(t)
	for until := s.now.Add(91 * time.Minute); s.now.Before(until); s.now = s.now.Add(2 * time.Second) {
		b := s.reads(blockOne)
		_, _ = b.answers(Answer{What: factbody.ResidentHelp, Where: "1/F"})
	}
	b := s.reads(blockOne)
	_, err := b.answers(Answer{What: factbody.ResidentHelp, Where: "1/F"})
	require.Equal(t, refusals.NoHelp, whyOf(err), "it has had more than its share")
	for i := range 20 {
		b := s.reads(blockOne)
		b.Address = fmt.Sprint("10.3.0.", i)
		b.says(Answer{What: factbody.ResidentHelp, Where: "3/F"})
	}
}

// Whoever stands before a few screens fills the shares of their blocks, and every other block has room.
func TestAttack_SomeBlocksLeaveRoomForAllOthers(t *testing.T) {
	b := NewBook(nil, &station{}, func() time.Time { return night })
	for block := range 8 {
		for i := range mostSaidHere {
			b.put(answerOf(fmt.Sprint("tm/", block), factbody.ResidentHelp, fmt.Sprintf("%d%07d", block, i), "1/F", night), night)
		}
	}
	other := answerOf(blockTwo, factbody.ResidentHelp, "new", "x", night)
	require.True(t, b.room(other, false))
	b.put(other, night)
	require.True(t, b.known(other))
	require.False(t, b.room(answerOf("tm/7", factbody.ResidentHelp, "new", "x", night), true))
	for block := range 200 { // whoever stands before all of them finds an end
		for i := range fewSaidHere {
			b.put(answerOf(fmt.Sprint("all/", block), factbody.ResidentHelp, fmt.Sprintf("a%03d%04d", block, i), "1/F", night), night)
		}
	}
	require.Equal(t, mostSaidEver, b.said)
}

// What waits for a slow disk keeps no request for help from waiting with it, and that one comes first.
func TestAttack_HelpWaitsBeforeAllOthers(t *testing.T) {
	s := newStation(t)
	s.mu.Lock() // the disk is slow
	quick := sync.OnceFunc(s.mu.Unlock)
	defer quick()
	first := s.reads(blockOne)
	var all sync.WaitGroup
	all.Go(func() { _, _ = first.answers(Answer{What: factbody.ResidentSeen}) })
	require.Eventually(t, func() bool { return s.creating.Load() == 1 }, 20*time.Second, time.Millisecond)
	for i := range mostWaiting {
		s.queue <- &waiting{answerOf(blockOne, factbody.ResidentSeen, fmt.Sprint("q", i), "", night), make(chan outcome, 1)}
	}
	help := s.reads(blockOne)
	help.Address = "10.3.0.1"
	var failed error
	all.Go(func() { _, failed = help.answers(Answer{What: factbody.ResidentHelp, Where: "3/F"}) })
	require.Eventually(t, func() bool { return len(s.urgent) == 1 }, 20*time.Second, time.Millisecond)
	quick()
	all.Wait()
	require.NoError(t, failed)
	s.mu.Lock() // the others that waited are still being written
	body := s.made[1].Body
	s.mu.Unlock()
	second, err := factbody.DecodeResidents(body)
	require.NoError(t, err)
	require.Equal(t, 1, len(slices.DeleteFunc(second.Answers, func(a factbody.ResidentAnswer) bool { return a.What != factbody.ResidentHelp })))
}

// Hundreds of requests from one block hide none of another one.
func TestAttack_TheListHasOfEveryBlock(t *testing.T) {
	s := newStation(t)
	s.o.Book.put(answerOf(blockTwo, factbody.ResidentHelp, "real", "2/F", night.Add(-time.Hour)), night)
	for i := range mostSaidHere {
		s.o.Book.put(answerOf(blockOne, factbody.ResidentHelp, fmt.Sprintf("h%07d", i), "1/F", night.Add(-time.Minute)), night)
	}
	got, err := s.AlertResidents(t.Context(), reader, string(fire))
	require.NoError(t, err)
	require.True(t, got.More)
	require.Len(t, got.Answers, mostListed)
	require.Equal(t, "2/F", got.Answers[mostListed-1].Where)
}

// What was answered before is no fact again, and costs signatures all the same.
func TestAttack_WhatIsKnownIsNotAskedWithoutEnd(t *testing.T) {
	s := newStation(t)
	b := s.reads(blockOne)
	var err error
	n := 0
	for ; n < 2000 && err == nil; n++ {
		_, err = b.answers(Answer{What: factbody.ResidentSeen})
	}
	require.Equal(t, refusals.TooMany, whyOf(err))
	require.Equal(t, 601, n)
	other := s.reads(blockOne)
	other.Address = "10.2.0.1"
	other.says(Answer{What: factbody.ResidentHelp, Where: "2/F"})
}

// However many answer at once, each phone has a bucket of its own as long as anything is taken at all.
func TestAttack_ACrowdSharesNoBucket(t *testing.T) {
	f := floods.New()
	now, wait := night, time.Duration(0)
	take := func(n int) time.Duration {
		a := factbody.ResidentAnswer{Alert: string(fire), What: factbody.ResidentSeen, Phone: fmt.Appendf(nil, "%08d", n)}
		_, wait := f.Takes(a, fmt.Sprint(n%3000), fmt.Sprint(n%200), now)
		return wait
	}
	n := 0
	for ; n < 3000; n++ {
		require.Zero(t, take(n), n)
	}
	for range 60 {
		now = now.Add(time.Second)
		for range 100 {
			require.Zero(t, take(n), n)
			n++
		}
	}
	for range 1000 { // that are kept for addresses from which little came
		require.Zero(t, take(n), n)
		n++
	}
	wait = take(n)
	require.Positive(t, wait, "all have as much as they may")
}

// A phone is what somebody makes up: of one that is refused for its address nothing is remembered.
func TestAttack_PhonesThatAreRefusedLeaveNoTrace(t *testing.T) {
	f := floods.New()
	for _, what := range []factbody.ResidentWhat{factbody.ResidentSeen, factbody.ResidentHelp} {
		take := func(n int, address string) time.Duration {
			_, wait := f.Takes(factbody.ResidentAnswer{Alert: string(fire), What: what, Phone: fmt.Appendf(nil, "%08d", n)}, address, address, night)
			return wait
		}
		refused := 0
		for n := range 2 * floods.Phones {
			if take(n, "10.1.0.1") > 0 {
				refused++
			}
		}
		require.Greater(t, refused, floods.Phones)
		for n := range 100 {
			require.Zero(t, take(3*floods.Phones+n, "10.1.0.2"), what)
		}
	}
}

// answerOf is an answer that came from elsewhere.
func answerOf(block string, what factbody.ResidentWhat, phone, says string, at time.Time) factbody.ResidentAnswer {
	a := factbody.ResidentAnswer{Alert: string(fire), Block: block, What: what, Phone: fmt.Appendf(nil, "%08.8s", phone), Taken: at.UnixMilli()}
	if what != factbody.ResidentSeen {
		a.Where = says
	}
	a.ID = factbody.ResidentID(a.Alert, a.Phone, what, says)
	return a
}

// Whoever stands before one screen fills the share of its block, and nobody else's.
func TestAttack_OneBlockFillsItsOwnShareAlone(t *testing.T) {
	b := NewBook(nil, &station{}, func() time.Time { return night })
	for i := range mostSeenHere + 10 {
		b.put(answerOf(blockOne, factbody.ResidentSeen, fmt.Sprintf("s%07d", i), "", night), night)
	}
	for i := range mostSaidHere + 10 {
		if i == mostSaidHere/2 {
			require.False(t, b.room(answerOf(blockOne, factbody.ResidentPhoto, "new", "x", night), true), "the rest is for who needs help")
			require.True(t, b.room(answerOf(blockOne, factbody.ResidentHelp, "new", "x", night), false))
		}
		if i == mostByMany {
			require.False(t, b.room(answerOf(blockOne, factbody.ResidentHelp, "new", "x", night), false), "the last is for who has asked little")
			require.True(t, b.room(answerOf(blockOne, factbody.ResidentHelp, "new", "x", night), true))
		}
		b.put(answerOf(blockOne, factbody.ResidentHelp, fmt.Sprintf("h%07d", i), "1/F", night), night)
	}
	for _, what := range []factbody.ResidentWhat{factbody.ResidentSeen, factbody.ResidentHelp} {
		require.False(t, b.room(answerOf(blockOne, what, "new", "x", night), true), what)
		require.True(t, b.room(answerOf(blockTwo, what, "new", "x", night), false), what)
	}
	require.Equal(t, []Count{{Block: blockOne, Seen: mostSeenHere, Help: mostSaidHere}}, b.Counts([]string{string(fire)}))
}

// What is counted for a block is what a look at all answers counts, whatever comes in whatever order.
func TestBook_CountsForEachBlockWhatIsThere(t *testing.T) {
	for seed := range uint64(20) {
		random := rand.New(rand.NewPCG(seed, 7))
		b := NewBook(nil, &station{}, func() time.Time { return night.Add(time.Hour) })
		for range 400 {
			what := factbody.ResidentWhat(1 + random.IntN(2))
			block := []string{blockOne, blockTwo, "tm/estate/three"}[random.IntN(3)]
			b.put(answerOf(block, what, fmt.Sprint("p", random.IntN(30)), fmt.Sprint(random.IntN(4)), night.Add(time.Duration(random.IntN(60))*time.Second)), night.Add(time.Hour))
		}
		want := map[string]filled{}
		s := b.alerts[string(fire)]
		for _, one := range s.seen {
			n := want[one.block]
			want[one.block] = filled{n.seen + 1, n.said}
		}
		for _, one := range s.said {
			n := want[one.Block]
			want[one.Block] = filled{n.seen, n.said + 1}
		}
		require.Equal(t, want, s.of, "seed %d", seed)
		require.Equal(t, []int{len(s.seen), len(s.said)}, []int{b.seen, b.said}, "seed %d", seed)
	}
}

// A block whose last member moved away is still of its place: who is limited to another one hides nothing there.
func TestAttack_WhoIsLimitedHidesNothingOfABlockThatIsEmptyNow(t *testing.T) {
	s := newStation(t)
	a := answerOf("tm/estate/gone", factbody.ResidentHelp, "p", "9/F", night)
	body, err := factbody.Residents{Answers: []factbody.ResidentAnswer{a}}.Encode()
	require.NoError(t, err)
	_, ok := s.o.Book.Learn(fact.Fact{Kind: fact.KindResidents, Body: body})
	require.True(t, ok)
	warden := authority.Caller{Name: "war", Roles: []string{authority.RoleApprover}, Places: []string{blockTwo}}
	_, err = s.HandleResident(t.Context(), warden, a.ID, reported.Moderate{Handling: reported.Hidden}, wire.WaitLocal)
	require.ErrorContains(t, err, "no answer")
	_, err = s.HandleResident(t.Context(), amy, a.ID, reported.Moderate{Handling: reported.Seen}, wire.WaitLocal)
	require.NoError(t, err)
}

// What a stranger writes moves no other text, and hides in none.
func TestAttack_WordsOfAStrangerAreKeptAsTheyAreShown(t *testing.T) {
	for in, want := range map[string]string{
		" 12/F\x00 ":                   "12/F",
		"\u202e12/F\u202c B":           "12/F B",
		"a\u200bb\u2066c\ufeffd\u00ad": "abcd",
		"one\r\ntwo\u2028three":        "one  two three",
		"\x1b[2Jgone":                  "[2Jgone",
		"\xff\xfe煙":                    "煙",
	} {
		require.Equal(t, want, typed.Cut(in, 100), "%q", in)
	}
	require.Equal(t, "煙煙", typed.Cut("煙煙煙", 8), "whole letters")
}

// dated is what was agreed, and when.
type dated struct {
	kept
	at map[uint64]time.Time
}

func (d dated) AgreedAt(index uint64) (time.Time, bool, error) { return d.at[index], true, nil }

// A node whose clock was ahead hid a request for help; somebody took it up again since. After a start of this node,
// later than that clock said, it is still to be seen.
func TestRecall_BelievesTimesAsOfWhenTheyWereAgreedOn(t *testing.T) {
	a := answerOf(blockOne, factbody.ResidentHelp, "p", "9/F", night)
	var all kept
	add := func(kind fact.Kind, body []byte, err error) {
		require.NoError(t, err)
		all = append(all, fact.Fact{Kind: kind, Body: body})
	}
	body, err := factbody.Residents{Answers: []factbody.ResidentAnswer{a}}.Encode()
	add(fact.KindResidents, body, err)
	ahead := night.Add(5 * time.Hour)
	body, err = factbody.Moderation{Report: a.ID, State: factbody.ReportHidden, By: "eve", At: ahead.UnixMilli()}.Encode()
	add(fact.KindModeration, body, err)
	body, err = factbody.Moderation{Report: a.ID, State: factbody.ReportNew, By: "amy", At: night.Add(3 * time.Minute).UnixMilli()}.Encode()
	add(fact.KindModeration, body, err)
	b := NewBook(dated{all, map[uint64]time.Time{1: night, 2: night.Add(time.Minute), 3: night.Add(3 * time.Minute)}}, &station{}, func() time.Time { return ahead.Add(time.Hour) })
	require.NoError(t, b.Recall())
	one, known := b.one(a.ID)
	require.True(t, known)
	require.Equal(t, factbody.ReportNew, one.state())
}

// What people say of what devices reported, however much, takes nothing from what was said of residents' answers.
func TestAttack_WordsAboutOtherThingsTakeNoRoom(t *testing.T) {
	b := NewBook(nil, &station{}, func() time.Time { return night.Add(time.Hour) })
	var answers []factbody.ResidentAnswer
	for i := range 400 {
		answers = append(answers, answerOf(blockOne, factbody.ResidentPhoto, fmt.Sprint("p", i), "x", night))
	}
	a := answers[0]
	word := func(id string, at time.Time) {
		body, err := factbody.Moderation{Report: id, State: factbody.ReportHidden, By: "amy", At: at.UnixMilli()}.Encode()
		require.NoError(t, err)
		_, ok := b.Learn(fact.Fact{Kind: fact.KindModeration, Body: body})
		require.True(t, ok)
	}
	for _, one := range answers {
		b.put(one, night)
		word(one.ID, night)
	}
	for i := range mostWords + 200 {
		word(factbody.ReportID("phone-1", fmt.Sprint("report", i)), night.Add(time.Minute))
	}
	require.Len(t, b.words, mostWords)
	for _, a := range answers {
		one, known := b.one(a.ID)
		require.True(t, known)
		require.Equal(t, factbody.ReportHidden, one.state(), "it was hidden, and stays so")
	}
	for i := range mostAlerts + 5 { // alerts that are forgotten take their answers along
		other := answerOf(blockOne, factbody.ResidentHelp, fmt.Sprint(i), "x", night.Add(time.Minute))
		other.Alert = fmt.Sprintf("%026d", i)
		b.put(other, night.Add(time.Hour))
	}
	_, known := b.one(a.ID)
	require.False(t, known)
	require.Len(t, b.about, b.said)
}

// A request for help that somebody hid, by a slip or not, is still there for others to take up.
func TestAttack_NobodyMakesARequestForHelpVanish(t *testing.T) {
	s := newStation(t)
	s.reads(blockOne).says(Answer{What: factbody.ResidentHelp, Where: "12/F"})
	other := s.reads(blockOne)
	other.says(Answer{What: factbody.ResidentPhoto, Photo: photo(t, 30)})
	for _, l := range s.o.Book.list([]string{string(fire)}) {
		_, err := s.HandleResident(t.Context(), amy, l.ID, reported.Moderate{Handling: reported.Hidden}, wire.WaitLocal)
		require.NoError(t, err)
	}
	s.reads(blockOne).says(Answer{What: factbody.ResidentHelp, Where: "13/F"})
	s.reads(blockOne).says(Answer{What: factbody.ResidentPhoto, Where: "seen by all", Photo: photo(t, 40)})
	got, err := s.AlertResidents(t.Context(), reader, string(fire))
	require.NoError(t, err)
	require.Len(t, got.Answers, 3, "the first photo is hidden")
	require.Equal(t, []string{"13/F", "seen by all", "12/F"}, []string{got.Answers[0].Where, got.Answers[1].Where, got.Answers[2].Where})
	require.Equal(t, reported.Hidden, got.Answers[2].Handling)
	_, err = s.HandleResident(t.Context(), amy, got.Answers[2].ID, reported.Moderate{Handling: reported.New}, wire.WaitLocal)
	require.NoError(t, err)
}
