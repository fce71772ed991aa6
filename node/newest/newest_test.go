package newest

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"almenara/node/alerts"
	"almenara/node/wire"
	"almenara/storage/alert"
	"almenara/storage/alert/board"
)

var midday = time.Date(2026, 7, 20, 12, 0, 0, 0, time.UTC)

// written is a message of one alert that a node took at accepted; it continues others.
func written(id string, sent, accepted time.Time, continues ...alert.Key) Message {
	a := &alert.Alert{
		Identifier: id, Sender: "almenara.test", Sent: alert.NewDateTime(sent), Status: alert.StatusActual,
		MsgType: alert.MsgTypeAlert, Scope: alert.ScopePublic, References: continues,
		Infos: []alert.Info{{Event: "Fire", Headline: id, Expires: alert.NewDateTime(midday.Add(time.Hour))}},
	}
	if len(continues) > 0 {
		a.MsgType = alert.MsgTypeUpdate
	}
	m := &alerts.Message{Fact: id, Alert: a, Entry: board.EntryOf(a, a.Digest().String(), accepted, id)}
	return Message{Message: m, Continues: continues, Stamped: true, Direct: true}
}

// TestCheck_ReckonsFromAcceptance: a message that was accepted just before its time would be
// believed is refused as one to try again, however late the check comes.
func TestCheck_ReckonsFromAcceptance(t *testing.T) {
	for accepted := time.Duration(-3); accepted <= 3; accepted++ {
		for checked := accepted; checked <= accepted+3; checked++ {
			book := alerts.NewBook(nil)
			first := written("first", midday.Add(alert.ClockSlack-time.Second), midday)
			book.Add(first.Message)
			key := first.Entry.Key
			sent := After(book, []alert.Key{key})
			require.Equal(t, midday.Add(alert.ClockSlack), sent)

			now := midday.Add(checked * time.Millisecond)
			err := Check(book, written("next", sent, midday.Add(accepted*time.Millisecond), key), now)
			if accepted >= 0 {
				require.NoError(t, err, "accepted %d ms, checked %d ms", accepted, checked)
				continue
			}
			var p *wire.Problem
			require.True(t, errors.As(err, &p), "accepted %d ms, checked %d ms: %v", accepted, checked, err)
			require.Equal(t, wire.KindBusy, p.Kind, p.Sentence)
			require.Positive(t, p.RetryAfter)
		}
	}
}
