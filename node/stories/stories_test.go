package stories_test

import (
	"crypto/ed25519"
	"encoding/hex"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"almenara/cluster/agreed"
	"almenara/cluster/fact"
	"almenara/node/alerts"
	"almenara/node/stories"
	"almenara/node/wire"
	"almenara/storage/alert"
	"almenara/storage/alert/board"
	"almenara/storage/alert/capxml"
	"almenara/storage/factbody"
)

var noon = time.Date(2026, 7, 20, 12, 0, 0, 0, time.UTC)

// state is a log in memory.
type state struct {
	alerts map[alert.ID]agreed.AlertView
	facts  map[fact.ID]fact.Signed
	err    error
}

func (s state) Alert(id alert.ID) (agreed.AlertView, bool, error) {
	v, ok := s.alerts[id]
	return v, ok, s.err
}

func (s state) AlertsBeginning(begin string, _ int) (out []alert.ID, err error) {
	for id := range s.alerts {
		if string(id)[:len(begin)] == begin {
			out = append(out, id)
		}
	}
	return out, s.err
}

func (s state) HasFact(id fact.ID) (bool, error) {
	_, ok := s.facts[id]
	return ok, s.err
}

func (s state) Fact(id fact.ID) (fact.Signed, bool, error) {
	f, ok := s.facts[id]
	return f, ok, s.err
}

// saying is a message that was taken at noon and some minutes by the fact with that number.
func saying(number byte, minutes int, change func(*alert.Alert)) *alerts.Message {
	at := noon.Add(time.Duration(minutes) * time.Minute)
	a := &alert.Alert{
		Identifier: fmt.Sprint("m", number), Sender: "hko", Sent: alert.NewDateTime(at), Status: alert.StatusActual,
		MsgType: alert.MsgTypeAlert, Scope: alert.ScopePublic,
		Infos: []alert.Info{{Event: "Rain", Headline: fmt.Sprint("Rain ", number), Expires: alert.NewDateTime(noon.Add(time.Hour))}},
	}
	if change != nil {
		change(a)
	}
	id := fact.ID{number}
	issue := factbody.Issue{Accepted: at.UnixMilli()}
	name := hex.EncodeToString(id[:])
	return &alerts.Message{Fact: name, Issue: issue, Alert: a, Entry: issue.Entry(a, a.Digest().String(), name)}
}

func update(of *alerts.Message) func(*alert.Alert) {
	return func(a *alert.Alert) { a.MsgType, a.References = alert.MsgTypeUpdate, []alert.Key{of.Entry.Key} }
}

func cancel(of *alerts.Message) func(*alert.Alert) {
	return func(a *alert.Alert) {
		a.MsgType, a.References, a.Infos = alert.MsgTypeCancel, []alert.Key{of.Entry.Key}, nil
	}
}

func finder(s state, now time.Time, on ...*alerts.Message) *stories.Finder {
	book := alerts.NewBook(nil)
	for _, m := range on {
		book.Add(m)
	}
	return stories.New(book, s, func() time.Time { return now })
}

func TestStory_ShowsWhatWasShownLast(t *testing.T) {
	first := saying(1, 0, nil)
	id := first.Entry.Key.ID()
	second, end := saying(2, 1, update(first)), saying(3, 2, cancel(first))
	late := saying(4, 3, update(first))
	held := saying(5, 1, update(first))
	held.Entry.Approvals = 1

	for name, c := range map[string]struct {
		book    []*alerts.Message
		current *alerts.Message
		latest  *alerts.Message
		state   wire.State
	}{
		"one":                       {book: []*alerts.Message{first}, current: first, latest: first, state: wire.StateInForce},
		"an Update":                 {book: []*alerts.Message{second, first}, current: second, latest: second, state: wire.StateInForce},
		"one that waits":            {book: []*alerts.Message{first, held}, current: first, latest: first, state: wire.StateInForce},
		"cancelled":                 {book: []*alerts.Message{first, second, end}, current: second, latest: second, state: wire.StateCancelled},
		"an Update after a Cancel":  {book: []*alerts.Message{first, end, late}, current: first, latest: first, state: wire.StateCancelled},
		"a Cancel of what is known": {book: []*alerts.Message{end, first}, current: first, latest: first, state: wire.StateCancelled},
	} {
		f := finder(state{}, noon.Add(5*time.Minute), c.book...)
		s, err := f.Of(id)
		require.NoError(t, err, name)
		require.Same(t, c.current, s.Current(), name)
		require.Same(t, c.latest, s.Latest(), name)
		require.Equal(t, c.state, f.State(s), name)
		require.True(t, s.OnBook, name)
	}
	f := finder(state{}, noon.Add(2*time.Hour), first)
	require.Equal(t, wire.StateExpired, f.State(f.OnBook(id)))
}

// The log has what the book has forgotten: it is over.
func TestFinder_FindsInTheLog(t *testing.T) {
	m := saying(1, 0, nil)
	id := m.Entry.Key.ID()
	log := state{
		alerts: map[alert.ID]agreed.AlertView{id: {ID: id, Status: alert.StatusActual, Messages: []agreed.AlertMessage{{Entry: m.Entry, CAP: m.Alert, Issue: m.Issue}}}},
		facts:  map[fact.ID]fact.Signed{{1}: {}},
	}
	f := finder(log, noon)
	s, err := f.Find(string(id))
	require.NoError(t, err)
	require.Equal(t, m, s.Current())
	require.False(t, s.OnBook)
	require.Equal(t, wire.StateExpired, f.State(s))
	short, err := f.Find(string(id[:6]))
	require.NoError(t, err)
	require.Equal(t, s, short, "by the beginning of its id")
	require.Equal(t, id, s.IDs[0])

	agreed, err := f.Agreed(m.Fact)
	require.NoError(t, err)
	require.True(t, agreed)
	agreed, err = f.Agreed(saying(2, 0, nil).Fact)
	require.NoError(t, err)
	require.False(t, agreed)
	_, err = f.Agreed("no fact")
	require.Error(t, err)
}

func TestFinder_SaysWhatIsNotThere(t *testing.T) {
	other := saying(9, 0, nil).Entry.Key.ID()
	about := state{alerts: map[alert.ID]agreed.AlertView{other: {ID: other}}} // its message is just being committed
	f := finder(about, noon)
	for text, kind := range map[string]string{
		string(other): wire.KindNotFound, "abc": wire.KindMalformed, "ABCDEF": wire.KindMalformed, "zzzzzz": wire.KindNotFound,
		"aaaaaaaaaaaaaaaaaaaaaaaaaa": wire.KindNotFound,
	} {
		_, err := f.Find(text)
		var p *wire.Problem
		require.ErrorAs(t, err, &p, text)
		require.Equal(t, kind, p.Kind, text)
	}
	broken := errors.New("the disk is gone")
	_, err := finder(state{err: broken}, noon).Find(string(other))
	require.ErrorIs(t, err, broken, "a fault is no answer")
	_, err = finder(state{err: broken}, noon).Find("abcdef")
	require.ErrorIs(t, err, broken)
}

// What is not agreed is listed newest first, each alert once.
func TestFinder_ListsWhatIsNotAgreed(t *testing.T) {
	rain, wind := saying(1, 0, nil), saying(2, 1, nil)
	later := saying(3, 2, update(rain))
	var ids []alert.ID
	for _, s := range finder(state{}, noon.Add(5*time.Minute), rain, wind, later).Unagreed() {
		ids = append(ids, s.ID)
	}
	require.Equal(t, []alert.ID{rain.Entry.Key.ID(), wind.Entry.Key.ID()}, ids)
	require.Negative(t, stories.Newer(noon, "b", noon.Add(-1), "a"))
	require.Positive(t, stories.Newer(noon, "b", noon, "a"))
	require.Zero(t, stories.Newer(noon, "a", noon, "a"))
}

func TestStory_KnowsTheAlertsOfItsIncident(t *testing.T) {
	root := alert.IncidentKey("fire", "17", alert.StatusActual)
	var all []*alerts.Message
	for n := range byte(3) {
		m := saying(n+1, int(n), nil)
		m.Entry.Root = root
		all = append(all, m)
	}
	all[2].Entry.Approvals = 1
	s := finder(state{}, noon.Add(5*time.Minute), all...).OnBook(root.ID())
	require.Equal(t, []string{all[2].Fact}, s.Pending)
	require.Equal(t, []*alerts.Message{all[0]}, s.Also(all[1]))
	require.Equal(t, all[1], s.Next(all[0]))
	require.Empty(t, s.Also(all[0]), "what came later was not shown by it")
	require.Nil(t, s.Next(all[1]), "what waits is shown to nobody")
	require.Empty(t, s.Also(saying(7, 0, nil)))
}

// Texts that the book has given up are read from the log.
func TestTexts_ReadsTheLog(t *testing.T) {
	m := saying(1, 0, func(a *alert.Alert) {
		a.Infos[0].Language, a.Infos[0].Categories = "en", []string{"Met"}
		a.Infos[0].Urgency, a.Infos[0].Severity, a.Infos[0].Certainty = "Immediate", "Severe", "Observed"
	})
	raw, err := capxml.Write(m.Alert)
	require.NoError(t, err)
	body, err := factbody.Issue{Message: raw, Author: "hko", Accepted: noon.UnixMilli()}.Encode()
	require.NoError(t, err)
	signed, err := fact.Sign(fact.Fact{Kind: fact.KindAlert, Stream: fact.Alerts, Origin: "n", Epoch: 1, Seq: 1, Body: body}, "k", key)
	require.NoError(t, err)
	log := state{facts: map[fact.ID]fact.Signed{signed.ID(): signed}}
	texts := stories.Texts(func() stories.Facts { return log })

	require.True(t, texts.Has(signed.ID().String()))
	found, err := texts.Issue(signed.ID().String())
	require.NoError(t, err)
	require.Equal(t, raw, found.Message)
	require.Equal(t, "hko", found.Author)
	require.False(t, texts.Has("00"))
	none, err := texts.Issue(fact.ID{7}.String())
	require.NoError(t, err)
	require.Nil(t, none)

	log.err = errors.New("the disk is gone")
	require.False(t, stories.Texts(func() stories.Facts { return log }).Has(signed.ID().String()))
}

func TestStateOf_HasAWordForEachStanding(t *testing.T) {
	for standing, want := range map[board.Standing]wire.State{
		board.InForce: wire.StateInForce, board.Future: wire.StateFuture, board.Superseded: wire.StateSuperseded,
		board.Contradicted: wire.StateSuperseded, board.Cancelled: wire.StateCancelled, board.Ends: wire.StateCancelled,
		board.Expired: wire.StateExpired, board.Pending: wire.StatePending, board.Unknown: wire.StateRecorded, board.NotPresentable: wire.StateRecorded,
		board.Lapsed: wire.StateRecorded,
	} {
		require.Equal(t, want, stories.StateOf(standing), standing)
	}
}

var key = ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))
