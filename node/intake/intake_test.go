package intake

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	clusterjournal "almenara/cluster/journal"
	"almenara/node/authority"
	"almenara/node/wire"
	"almenara/storage/alert"
	"almenara/storage/alert/capxml"
	"almenara/storage/rights"
)

// rain is a CAP message of the observatory for a place, in force from noon on.
func rain(t *testing.T, name, headline string) []byte {
	t.Helper()
	a := &alert.Alert{
		Identifier: name, Sender: "hko", Sent: alert.NewDateTime(noon), Status: alert.StatusActual, MsgType: alert.MsgTypeAlert, Scope: alert.ScopePublic,
		Infos: []alert.Info{{
			Language: "en", Categories: []string{"Met"}, Event: "Rain", Urgency: "Immediate", Severity: "Severe", Certainty: "Observed",
			Headline: headline, Expires: alert.NewDateTime(noon.Add(time.Hour)),
		}},
	}
	raw, err := capxml.Write(a)
	require.NoError(t, err)
	return raw
}

var observatory = authority.Caller{Name: "feed", Roles: composer, Senders: []string{"hko"}, System: true}

func problem(t *testing.T, err error, kind string) *wire.Problem {
	t.Helper()
	var p *wire.Problem
	require.ErrorAs(t, err, &p)
	require.Equal(t, kind, p.Kind, p.Sentence)
	return p
}

func TestTakeCAP_RecordsOnceWhatItJudged(t *testing.T) {
	c := newCourt(t, rights.Policy{})
	here := `place under "d/here"`
	would, err := c.PreviewCAP(t.Context(), observatory, rain(t, "m", "Rain"), here)
	require.NoError(t, err)
	require.True(t, would.DryRun)
	require.Equal(t, wire.EffectWarns, would.Effect)
	require.Zero(t, c.journal.facts, "a preview makes nothing")

	out, err := c.TakeCAP(t.Context(), observatory, rain(t, "m", "Rain"), here, wire.WaitLocal)
	require.NoError(t, err)
	require.Equal(t, wire.StateInForce, out.State)
	require.EqualValues(t, 2, out.Addressed.Total)
	again, err := c.TakeCAP(t.Context(), observatory, rain(t, "m", "Rain"), here, wire.WaitLocal)
	require.NoError(t, err)
	require.True(t, again.Duplicate)
	require.Equal(t, out.Alert, again.Alert)
	_, err = c.TakeCAP(t.Context(), observatory, rain(t, "m", "Sun"), here, wire.WaitLocal)
	require.Contains(t, problem(t, err, wire.KindConflict).Sentence, "known with another content")
	_, err = c.TakeCAP(t.Context(), observatory, rain(t, "m", "Rain"), "all", wire.WaitLocal)
	require.Contains(t, problem(t, err, wire.KindConflict).Sentence, "known with another selection")
	require.Equal(t, 1, c.journal.facts)
}

func TestTakeCAP_RefusesBeforeItRecords(t *testing.T) {
	c := newCourt(t, rights.Policy{})
	stranger := authority.Caller{Name: "mallory", Roles: composer, Senders: []string{"other"}}
	_, err := c.TakeCAP(t.Context(), stranger, rain(t, "m", "Rain"), "all", wire.WaitLocal)
	problem(t, err, wire.KindForbidden)
	_, err = c.TakeCAP(t.Context(), observatory, rain(t, "m", "Rain"), "kind = kiosk", wire.WaitLocal)
	require.Error(t, err)
	_, err = c.TakeCAP(t.Context(), observatory, rain(t, "m", "Rain"), "place under", wire.WaitLocal)
	problem(t, err, wire.KindMalformed)
	_, err = c.TakeCAP(t.Context(), observatory, []byte("<alert/>"), "all", wire.WaitLocal)
	require.Error(t, err)
	require.Zero(t, c.journal.facts)
	c.journal.full = clusterjournal.ErrFull
	_, err = c.TakeCAP(t.Context(), observatory, rain(t, "m", "Rain"), "all", wire.WaitLocal)
	problem(t, err, wire.KindBusy)
}

func TestCancelAlert_EndsWhatIsKnown(t *testing.T) {
	c := newCourt(t, rights.Policy{})
	out, err := c.TakeCAP(t.Context(), observatory, rain(t, "m", "Rain"), "all", wire.WaitLocal)
	require.NoError(t, err)
	_, err = c.CancelAlert(t.Context(), observatory, "aaaaaaaaaaaaaaaaaaaaaaaaaa", wire.CancelAlert{}, wire.WaitLocal)
	problem(t, err, wire.KindNotFound)
	ended, err := c.CancelAlert(t.Context(), observatory, out.Alert, wire.CancelAlert{Reason: "over"}, wire.WaitLocal)
	require.NoError(t, err)
	require.Equal(t, wire.EffectEnds, ended.Effect)
	require.Empty(t, c.book.At(noon).InForce)
	_, err = c.UpdateAlert(t.Context(), observatory, out.Alert, wire.UpdateAlert{}, wire.WaitLocal)
	require.Contains(t, problem(t, err, wire.KindRefused).Sentence, "no device shows it")
}
