package intake

import (
	"encoding/hex"
	"testing"
	"time"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/stretchr/testify/require"

	"almenara/cluster/agreed"
	"almenara/cluster/fact"
	"almenara/node/alerts"
	"almenara/node/stories"
	"almenara/storage/alert"
	"almenara/storage/factbody"
)

// log is what was agreed: the facts that it names.
type log map[fact.ID]bool

func (l log) Alert(alert.ID) (agreed.AlertView, bool, error)  { return agreed.AlertView{}, false, nil }
func (l log) AlertsBeginning(string, int) ([]alert.ID, error) { return nil, nil }
func (l log) HasFact(id fact.ID) (bool, error)                { return l[id], nil }
func (l log) Target(alert.Key, alert.Revision) (*roaring.Bitmap, error) {
	return roaring.BitmapOf(7), nil
}

func say(book *alerts.Book, number byte, name string, of ...alert.Key) *alerts.Message {
	a := &alert.Alert{
		Identifier: name, Sender: "hko", Sent: alert.NewDateTime(noon.Add(time.Duration(number) * time.Second)), Status: alert.StatusActual,
		MsgType: alert.MsgTypeAlert, Scope: alert.ScopePublic, References: of,
		Infos: []alert.Info{{Event: "Rain", Severity: "Severe", Expires: alert.NewDateTime(noon.Add(time.Hour))}},
	}
	if len(of) > 0 {
		a.MsgType = alert.MsgTypeUpdate
	}
	id := fact.ID{number}
	issue := factbody.Issue{Accepted: noon.UnixMilli(), Author: "amy"}
	m := &alerts.Message{Fact: hex.EncodeToString(id[:]), Issue: issue, Alert: a, Entry: issue.Entry(a, a.Digest().String(), hex.EncodeToString(id[:]))}
	book.Add(m)
	return m
}

func TestAffected_AreEachFoundOnce(t *testing.T) {
	book, agreed := alerts.NewBook(nil), log{fact.ID{1}: true}
	clock := func() time.Time { return noon.Add(time.Minute) }
	first := say(book, 1, "first")
	second := say(book, 2, "second", first.Entry.Key)
	other := say(book, 3, "other")
	unheard := alert.Key{Sender: "hko", Identifier: "unheard", Sent: alert.NewDateTime(noon)}
	f := affected{book, stories.New(book, agreed, clock), agreed, clock}

	found, unknown, err := f.alerts([]alert.Key{first.Entry.Key, unheard, second.Entry.Key, other.Entry.Key})
	require.NoError(t, err)
	require.Equal(t, []alert.Key{unheard}, unknown)
	require.Len(t, found, 2, "two messages of one alert")
	require.Len(t, found[0].Messages, 2)
	require.Equal(t, second.Entry.Key, found[0].Standing.Key, "what stands is the newest")
	require.Equal(t, "Severe", found[0].Standing.Infos[0].Severity, "with its texts")
	require.Equal(t, "amy", found[0].Messages[0].Author)
	was, err := found[0].Messages[0].Addressed()
	require.NoError(t, err)
	require.Equal(t, []uint32{7}, was.ToArray(), "whom it addressed when it was agreed on")
	was, err = found[0].Messages[1].Addressed()
	require.NoError(t, err)
	require.True(t, was.IsEmpty(), "it is not agreed on yet")
}

func TestAffected_ThatAreOverStandNoMore(t *testing.T) {
	book := alerts.NewBook(nil)
	clock := func() time.Time { return noon.Add(2 * time.Hour) }
	m := say(book, 1, "first")
	found, _, err := (affected{book, stories.New(book, log{}, clock), log{}, clock}).alerts([]alert.Key{m.Entry.Key})
	require.NoError(t, err)
	require.Nil(t, found[0].Standing)
}
