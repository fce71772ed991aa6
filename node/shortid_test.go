package node_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"almenara/node/wire"
)

// TestShortID_WorksWhereverPeopleNameAnAlert: people type the beginning of an id, and are
// told when it is not clear what they mean. Devices name alerts in full.
func TestShortID_WorksWhereverPeopleNameAnAlert(t *testing.T) {
	t.Parallel()
	d := newDistrict(t, 1)
	here := d.estate("short")
	one, other := alike(polygon(here.Area))
	first := d.post(0, one, "", "committed")
	typed := first.Alert[:4]
	require.Equal(t, first.Alert, d.show(0, typed).ID)
	require.Equal(t, first.Alert, d.show(0, first.Alert[:20]).ID)
	update := d.post(0, one.update("short-update"), "", "committed")
	require.Equal(t, first.Alert, update.Alert)
	require.Equal(t, first.Alert, d.show(0, typed).ID)
	_, err := d.client(0).AlertMessage(d.ctx(), typed)
	require.NoError(t, err)
	_, err = d.client(0).AlertReceipts(d.ctx(), typed, wire.ReceiptQuery{Missing: true})
	require.NoError(t, err)
	heard := d.listens(0, typed)
	headline := "other words"
	_, err = d.client(0).CorrectAlert(d.ctx(), typed, wire.CorrectAlert{Texts: []wire.CorrectText{{Headline: &headline, Language: "en"}}}, "")
	require.NoError(t, err)
	d.hears(heard, "alert", func(e wire.Event) bool { return e.Alert == first.Alert })

	second := d.post(0, other, "", "committed")
	_, err = d.client(0).ShowAlert(d.ctx(), typed)
	p := problemOf(d, nil, err)
	require.Equal(t, wire.KindConflict, p.Kind)
	require.Contains(t, p.Sentence, "2 alert ids")
	require.Contains(t, p.Sentence, first.Alert)
	_, err = d.client(0).CancelAlert(d.ctx(), typed, wire.CancelAlert{}, "")
	require.Equal(t, wire.KindConflict, problemOf(d, nil, err).Kind, "nothing is ended that may not be meant")
	over, err := d.client(0).CancelAlert(d.ctx(), second.Alert[:12], wire.CancelAlert{}, "")
	require.NoError(t, err)
	require.Equal(t, second.Alert, over.Alert)
	require.Equal(t, wire.StateInForce, d.show(0, first.Alert).State)

	for id, kind := range map[string]string{
		first.Alert[:3]: wire.KindMalformed, "ABCD": wire.KindMalformed, first.Alert + "a": wire.KindMalformed, "aaaaaaa": wire.KindNotFound,
	} {
		_, err = d.client(0).ShowAlert(d.ctx(), id)
		require.Equal(t, kind, problemOf(d, nil, err).Kind, id)
	}

	d.user(wire.AddUser{Name: "duty", Roles: []string{"composer"}})
	granted, err := d.client(0).GrantLicence(d.ctx(), wire.Licence{
		Operator: "duty", Scenarios: []string{"*"}, Place: here.Path, Until: time.Now().Add(time.Hour),
	})
	require.NoError(t, err)
	require.NoError(t, d.client(0).RevokeLicence(d.ctx(), granted.ID[:6]))
	all, err := d.client(0).ListLicences(d.ctx())
	require.NoError(t, err)
	require.True(t, all[0].Revoked)
}

// alike are two warnings whose alert ids begin with the same four letters.
func alike(area string) (one, other bulletin) {
	seen := map[string]bulletin{}
	for i := 0; ; i++ {
		b := warning(fmt.Sprintf("alike-%d", i), area)
		begin := b.id()[:4]
		if before, ok := seen[begin]; ok {
			return before, b
		}
		seen[begin] = b
	}
}
