package intake

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"almenara/node/authority"
	"almenara/node/wire"
	"almenara/storage/alert"
	"almenara/storage/alert/capxml"
	"almenara/storage/rights"
)

// On the node that takes a message its XML is read once: what the book holds is what the way in
// has read.
func TestTake_ReadsAMessageOnce(t *testing.T) {
	c := newCourt(t, rights.Policy{})
	a := &alert.Alert{
		Identifier: "once", Sender: "hko", Sent: alert.NewDateTime(noon), Status: alert.StatusActual, MsgType: alert.MsgTypeAlert, Scope: alert.ScopePublic,
		Infos: []alert.Info{{
			Categories: []string{"Met"}, Event: "Rain", Urgency: "Expected", Severity: "Minor", Certainty: "Observed", Headline: "Rain",
			Expires: alert.NewDateTime(noon.Add(time.Hour)),
		}},
	}
	raw, err := capxml.Write(a)
	require.NoError(t, err)
	in := incoming{by: authority.Caller{Name: "duty", Roles: []string{authority.RoleAdministrator}}, raw: raw, selected: "kind = screen", wait: wire.WaitLocal}
	require.NoError(t, c.parse(context.Background(), &in))
	out, err := c.take(context.Background(), in)
	require.NoError(t, err)
	s := c.stories.OnBook(alert.ID(out.Alert))
	require.Same(t, in.alert, s.Current().Alert)
}
