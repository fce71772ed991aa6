package alerts

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"almenara/storage/alert"
	"almenara/storage/alert/board"
	"almenara/storage/alert/capxml"
	"almenara/storage/audience"
	"almenara/storage/factbody"
)

// log implements Texts.
type log map[string]factbody.Issue

func (l log) Has(fact string) bool { _, ok := l[fact]; return ok }

func (l log) Issue(fact string) (*factbody.Issue, error) {
	if l == nil {
		return nil, errors.New("the disk is gone")
	}
	if i, ok := l[fact]; ok {
		return &i, nil
	}
	return nil, nil
}

// written is a message as it is read from its fact, which was accepted minutes after midday.
func written(t testing.TB, fact string, minutes int, change func(*alert.Alert, *factbody.Issue)) *Message {
	t.Helper()
	at := midday.Add(time.Duration(minutes) * time.Minute)
	a := &alert.Alert{
		Identifier: fact, Sender: "hko", Sent: alert.NewDateTime(at), Status: alert.StatusActual, MsgType: alert.MsgTypeAlert,
		Scope: alert.ScopePublic, Infos: []alert.Info{{
			Language: "en", Categories: []string{"Met"}, Event: "Rain", Urgency: "Immediate", Severity: "Severe", Certainty: "Observed",
			Headline: "rain " + fact, Expires: alert.NewDateTime(midday.Add(time.Hour)), Areas: []alert.Area{{Description: "here"}},
		}},
	}
	issue := factbody.Issue{Author: "amy", Accepted: at.UnixMilli(), Targets: []audience.Target{{Select: "kind = screen"}}, Reason: "reason " + fact}
	if change != nil {
		change(a, &issue)
	}
	raw, err := capxml.Write(a)
	require.NoError(t, err)
	issue.Message = raw
	body, err := issue.Encode()
	require.NoError(t, err)
	m, err := ReadMessage(fact, body)
	require.NoError(t, err)
	return m
}

// of lets a message be an Update or a Cancel of others.
func of(msgType alert.MsgType, others ...*Message) func(*alert.Alert, *factbody.Issue) {
	return func(a *alert.Alert, i *factbody.Issue) {
		a.MsgType = msgType
		for _, o := range others {
			a.References = append(a.References, o.Entry.Key)
		}
		if msgType == alert.MsgTypeCancel {
			a.Infos, i.Targets = nil, nil
		}
	}
}

// Texts of what does not stand are in the agreed state and not in memory; whoever asks gets
// them all the same, and a clock that was set back shows the alert again.
func TestBook_GivesTextsUpThatAreAgreedAndDoNotStand(t *testing.T) {
	agreed := log{}
	d := NewBook(agreed)
	first := written(t, "a", 0, nil)
	first.Issue.Remind = 7
	d.Add(first)
	d.At(midday.Add(time.Minute))
	agreed["a"] = first.Issue
	d.Agreed("a", midday.Add(time.Minute))
	d.At(midday.Add(2 * time.Minute))
	require.Same(t, first, d.Message("a"), "it is in force")

	second := written(t, "b", 3, of(alert.MsgTypeUpdate, first))
	d.Add(second)
	d.At(midday.Add(4 * time.Minute))
	stub := d.Message("a")
	require.Nil(t, stub.Alert, "nobody is shown it any more")
	require.Zero(t, stub.Issue)
	require.Equal(t, 7*time.Minute, stub.RemindEvery())
	require.Same(t, second, d.Message("b"))

	found, same, err := d.Known(first.Entry.Key, first.Entry.Digest)
	require.NoError(t, err)
	require.True(t, same)
	require.Equal(t, first, found)
	targets, err := stub.Targets()
	require.NoError(t, err)
	require.Equal(t, first.Issue.Targets, targets)
	card, ok := d.Card(first.Entry.Key.ID())
	require.True(t, ok)
	require.Equal(t, []*Message{stub, second}, d.Of(card.Messages))
	sources, complete := d.MessagesOf(card.ID)
	require.True(t, complete)
	require.Len(t, sources, 2)

	// What is only here stays, until it is agreed.
	d.At(midday.Add(2 * time.Hour))
	require.Same(t, second, d.Message("b"), "nobody else has it")
	agreed["b"] = second.Issue
	d.At(midday.Add(2*time.Hour + retryTexts/2))
	require.Same(t, second, d.Message("b"), "it is not asked all the time")
	d.At(midday.Add(2*time.Hour + retryTexts))
	require.Nil(t, d.Message("b").Alert)

	p := d.At(midday.Add(5 * time.Minute)) // the clock was set back
	require.NoError(t, p.Err)
	require.Equal(t, second, p.InForce[0].Message)
	require.Same(t, p.InForce[0].Message, d.At(midday.Add(6 * time.Minute)).InForce[0].Message, "it was read once")
	d.At(midday.Add(2*time.Hour + 2*retryTexts))
	require.Nil(t, d.Message("b").Alert, "and is given up again")
	delete(agreed, "b")
	p = d.At(midday.Add(5 * time.Minute))
	require.Error(t, p.Err)
	require.Empty(t, p.InForce)
}

// Lists say of a message what was kept of it, without reading; what is long is read.
func TestMessage_BriefIsKeptWhereItIsShort(t *testing.T) {
	for _, length := range []int{10, 2 * briefMost} {
		m := written(t, "a", 0, func(a *alert.Alert, i *factbody.Issue) {
			for len(a.Infos[0].Headline) < length {
				a.Infos[0].Headline += " rain"
			}
			other := a.Infos[0]
			other.Language, other.Headline = "zh-HK", "雨"
			a.Infos = append(a.Infos, other)
			i.Targets = append(i.Targets, audience.Target{Select: "kind = phone"}, i.Targets[0])
			i.Scenario, i.Incident, i.Within, i.Policy = "fire", "17", "tuen-mun", 3
		})
		before, err := m.Brief()
		require.NoError(t, err)
		require.Equal(t, "kind = screen; kind = phone", before.Select)
		require.Equal(t, m.Alert.Infos[0].Headline, before.Headline)
		require.Equal(t, "雨", before.Headlines.In("zh-Hant", ""))
		require.Empty(t, before.Issue.Message)
		after, err := m.stub(log{"a": m.Issue}).Brief()
		require.NoError(t, err)
		require.Equal(t, before, after)
		_, err = m.stub(log(nil)).Brief()
		require.Equal(t, length > briefMost, err != nil, "it was kept: %v", err)
	}
}

// A message that is missing where it should be is an error, and never an empty message.
func TestMessage_SaysThatItCannotBeRead(t *testing.T) {
	m := written(t, "a", 0, nil)
	for _, texts := range []log{{}, nil} {
		stub := m.stub(texts)
		_, err := stub.Whole()
		require.Error(t, err)
		_, err = stub.Targets()
		require.Error(t, err)
		_, err = stub.Addressing().Targets()
		require.Error(t, err)
	}
}

// A preview copies what its message may have to do with, not the whole book.
func TestBook_PreviewsCostWhatTheyName(t *testing.T) {
	d := NewBook(nil)
	for i := range 500 {
		m := noted(fmt.Sprint(i), "rain", midday)
		m.Alert.Identifier = fmt.Sprint("a", i)
		m.Entry = board.EntryOf(m.Alert, m.Alert.Digest().String(), midday, m.Fact)
		d.Add(m)
	}
	update := noted("update", "more rain", midday)
	update.Alert.MsgType, update.Alert.Identifier, update.Alert.References = alert.MsgTypeUpdate, "u", []alert.Key{d.Message("7").Entry.Key}
	update.Entry = board.EntryOf(update.Alert, update.Alert.Digest().String(), midday, "update")
	copied := d.With(update)
	require.Len(t, copied.messages, 2)
	standing, id := copied.Standing(update, midday.Add(time.Minute))
	require.Equal(t, board.InForce, standing)
	require.Equal(t, d.Message("7").Entry.Key.ID(), id)
	require.Len(t, d.messages, 500)
}

// A Cancel does not stand, and nothing may happen after it was agreed that has somebody look.
func TestAgreed_GivesUpWhatDoesNotStand(t *testing.T) {
	agreed := log{}
	d := NewBook(agreed)
	first := written(t, "a", 0, nil)
	d.Add(first)
	over := written(t, "b", 3, of(alert.MsgTypeCancel, first))
	d.Add(over)
	d.At(midday.Add(4 * time.Minute))
	require.Same(t, over, d.Message("b"), "only this node has it")
	agreed["b"] = over.Issue
	d.Agreed("b", midday.Add(4*time.Minute))
	require.Nil(t, d.Message("b").Alert)
}

// A message that ran out long ago is known until it is in the agreed state, where it is found from then on: what is in
// neither would be recorded again each time that it comes.
func TestBook_KnowsWhatIsOverUntilItIsAgreed(t *testing.T) {
	agreed := log{}
	b := NewBook(agreed)
	old := written(t, "a", 0, nil)
	b.Add(old)
	late := old.Entry.Expires.Add(alert.MaxLifetime + alert.EndMemory)
	for i := range 10 {
		b.At(late.Add(time.Duration(i) * time.Minute))
		m, same := b.First(old.Entry.Key, old.Entry.Digest)
		require.NotNil(t, m)
		require.True(t, same)
	}
	agreed["a"] = old.Issue
	b.Agreed("a", late.Add(10*time.Minute))
	b.At(late.Add(11 * time.Minute))
	m, _ := b.First(old.Entry.Key, old.Entry.Digest)
	require.Nil(t, m)
	require.Zero(t, b.Held())
}
