package intake

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"almenara/node/authority"
	"almenara/node/wire"
	"almenara/storage/alert"
	"almenara/storage/alert/capxml"
	"almenara/storage/rights"
)

// Of two messages with one name the first one stands: no person takes the name under which a planned notice goes
// out, typed or as CAP. What was known before is known still.
func TestTake_RefusesTheNameOfAPlannedNotice(t *testing.T) {
	c := newCourt(t, rights.Policy{})
	duty := authority.Caller{Name: "duty", Roles: []string{authority.RoleAdministrator}}
	sender := "almenara.d"
	take := func(change func(*incoming)) error {
		a := &alert.Alert{
			Identifier: "notice-0123456789ab-1", Sender: sender, Sent: alert.NewDateTime(noon), Status: alert.StatusActual, MsgType: alert.MsgTypeAlert, Scope: alert.ScopePublic,
			Infos: []alert.Info{{
				Language: "en", Categories: []string{"Met"}, Event: "Rain", Urgency: "Expected", Severity: "Minor", Certainty: "Observed", Headline: "Rain",
				Expires: alert.NewDateTime(noon.Add(time.Hour)),
			}},
		}
		raw, err := capxml.Write(a)
		require.NoError(t, err)
		in := incoming{by: duty, raw: raw, selected: "kind = screen", wait: wire.WaitLocal}
		change(&in)
		require.NoError(t, c.parse(t.Context(), &in))
		_, err = c.take(t.Context(), in)
		return err
	}
	require.ErrorContains(t, take(func(in *incoming) { in.direct = true }), "leave the identifier to the node")
	require.ErrorContains(t, take(func(in *incoming) { in.direct, in.dryRun = true, true }), "leave the identifier to the node")
	sender = "hq" // under which an author may write
	require.ErrorContains(t, take(func(*incoming) {}), "leave the identifier to the node")
	require.NoError(t, take(func(in *incoming) { in.by.System, in.selected = true, "place under "+here }), "another district's notice, by its system")
	sender = "almenara.d"
	require.NoError(t, take(func(in *incoming) { in.direct, in.passed = true, true }))
	require.NoError(t, take(func(in *incoming) { in.direct = true }), "a repeat is a repeat")
}

// The alert that a planned notice is has the id that goes on record before it is sent: of its sender, identifier and
// the second at which it goes out.
func TestSendNotice_IsTheAlertOfItsNameAndTime(t *testing.T) {
	for sender, author := range map[string]authority.Caller{
		"almenara.d": {Name: "duty", Roles: []string{authority.RoleAdministrator}},
		"hq":         {Name: "amy", Roles: composer, Senders: []string{"hq"}},
	} {
		c := newCourt(t, rights.Policy{})
		sent := noon.Add(-1500 * time.Millisecond)
		form := `{"identifier":"notice-0123456789ab-1","sent":"` + alert.NewDateTime(sent).String() + `","info":[{"language":"en","category":["Infra"],"event":"Outage","urgency":"Future","severity":"Minor","certainty":"Likely","headline":"No water",` +
			`"expires":"` + alert.NewDateTime(noon.Add(time.Hour)).String() + `","area":[{"areaDesc":"here"}]}]}`
		for range 2 {
			out, err := c.SendNotice(t.Context(), author, Passed{Alert: []byte(form), Select: "kind = screen"}, false)
			require.NoError(t, err)
			require.Equal(t, string(alert.Key{Sender: sender, Identifier: "notice-0123456789ab-1", Sent: alert.NewDateTime(sent)}.ID()), out.Alert, sender)
		}
	}
}
