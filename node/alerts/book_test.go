package alerts

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"almenara/storage/alert"
	"almenara/storage/alert/board"
	"almenara/storage/alert/capjson"
)

// noted is a message that was taken at accepted by the fact of that name.
func noted(fact, headline string, accepted time.Time) *Message {
	a := &alert.Alert{
		Identifier: "one", Sender: "hko", Sent: alert.NewDateTime(midday), Status: alert.StatusActual,
		MsgType: alert.MsgTypeAlert, Scope: alert.ScopePublic, Infos: []alert.Info{{
			Event: "Rain", Headline: headline, Expires: alert.NewDateTime(midday.Add(time.Hour)),
		}},
	}
	return &Message{Fact: fact, Alert: a, Entry: board.EntryOf(a, a.Digest().String(), accepted, fact)}
}

func TestBook_KnowsTheMessageThatStands(t *testing.T) {
	d := NewBook(nil)
	second, first, lie := noted("b", "rain", midday.Add(time.Minute)), noted("a", "rain", midday), noted("c", "sun", midday.Add(-time.Hour))
	_, fresh := d.Add(second)
	require.True(t, fresh)
	_, fresh = d.Add(first)
	require.True(t, fresh, "another fact may address others: the presenter must look")
	_, fresh = d.Add(first)
	require.False(t, fresh)
	_, fresh = d.Add(lie)
	require.True(t, fresh)

	m, same, _ := d.Known(first.Entry.Key, first.Entry.Digest)
	require.True(t, same)
	require.Equal(t, "a", m.Fact, "the fact that was accepted first")
	m, same, _ = d.Known(first.Entry.Key, "unheard")
	require.False(t, same)
	require.Equal(t, "c", m.Fact)
	m, _, _ = d.Known(alert.Key{Sender: "hko", Identifier: "two", Sent: alert.NewDateTime(midday)}, "unheard")
	require.Nil(t, m)
}

func TestBook_ForgetsWhatNobodyNeeds(t *testing.T) {
	d := NewBook(nil)
	for i := range 3 {
		d.Add(noted(fmt.Sprint(i), "rain", midday.Add(time.Duration(i))))
	}
	require.Len(t, d.At(midday.Add(time.Minute)).InForce, 1)
	d.At(midday.Add(40 * 24 * time.Hour))
	require.Empty(t, d.messages)
	require.Empty(t, d.byKey)
	standing, _ := d.Standing(noted("0", "rain", midday), midday.Add(40*24*time.Hour))
	require.Equal(t, board.Expired, standing, "also of a message that was forgotten")
	draft := noted("1", "rain", midday)
	draft.Entry.Status = alert.StatusDraft
	standing, _ = d.Standing(draft, midday.Add(40*24*time.Hour))
	require.Equal(t, board.NotPresentable, standing, "a draft never held")
}

func TestBook_KnowsTheRevisionsThatItHasSeen(t *testing.T) {
	d := NewBook(nil)
	a, _, err := capjson.FromJSON([]byte(`{"info":[{"language":"en","category":["Met"],"event":"Rain","urgency":"Immediate",
		"severity":"Severe","certainty":"Observed","headline":"Rain","area":[{"areaDesc":"here"}]}]}`),
		"almenara.test", "one", time.Now().UTC())
	require.NoError(t, err)
	entry := board.EntryOf(a, a.Digest().String(), time.Now(), "fact")
	d.Add(&Message{Fact: "fact", Alert: a, Entry: entry})
	require.True(t, d.Knows(entry.Key.ID(), entry.Revision))
	require.False(t, d.Knows(entry.Key.ID(), entry.Revision+1))
	require.False(t, d.Knows("7qggodrwesnbuxamkutppyfgoa", entry.Revision))
}

var midday = time.Date(2026, 7, 20, 12, 0, 0, 0, time.UTC)
