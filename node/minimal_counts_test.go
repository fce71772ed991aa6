package node_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"almenara/node/authority"
	"almenara/node/client"
	"almenara/node/wire"
)

// Every answer about an alert that a tag or an address chose the members of tells viewers
// rounded counts, also as it happens; who operates alerts sees how many there are.
func TestAnswers_RoundCountsOfWhatIsPersonal(t *testing.T) {
	t.Parallel()
	d := newDistrict(t, 1)
	here := d.estate("counts")
	csv := "id,name,kind,place,tags,endpoints\n"
	for i := range 7 {
		csv += fmt.Sprintf("r-%d,,phone,%s,care=oxygen,sms:8529000000%d\n", i, here.Block, i)
	}
	in, err := d.client(0).Import(d.ctx(), client.Import{CSV: strings.NewReader(csv)})
	require.NoError(t, err)
	require.True(t, in.Applied, "%v", in.Faults)
	send := func(headline, selection, address string) string {
		body := message(byJSON(headline, "").Alert)
		if address != "" {
			body["scope"], body["addresses"] = "Private", address
		}
		raw, err := json.Marshal(body)
		require.NoError(t, err)
		out, err := d.client(0).SendAlert(d.ctx(), wire.SendAlert{Alert: raw, Select: selection}, "committed")
		require.NoError(t, err)
		return out.Alert
	}
	want := map[string]struct{ exact, told uint64 }{ // by alert
		send("to seven", "has care", ""): {7, 5}, send("to one", "kind = phone", "85290000003"): {1, 0},
		send("to all", "place under "+here.Path, ""): {7, 7},
	}
	for _, role := range authority.Roles() {
		c := d.clientWith(0, d.user(wire.AddUser{Name: "asks-" + role, Roles: []string{role}}))
		operator := role != authority.RoleViewer && role != authority.RoleAuditor && role != authority.RoleDeviceManager
		all, _, err := c.ListAlerts(d.ctx(), wire.AlertQuery{Limit: 100})
		require.NoError(t, err)
		require.Len(t, all, len(want))
		for _, listed := range all {
			shown, err := c.ShowAlert(d.ctx(), listed.ID)
			require.NoError(t, err)
			count, rounded := want[listed.ID].told, uint64(authority.FewestMembers)
			if operator || want[listed.ID].exact == count {
				count, rounded = want[listed.ID].exact, 0
			}
			for _, a := range []wire.Alert{listed, shown} {
				require.Equal(t, []uint64{count, count, rounded}, []uint64{a.Addressed.Total, a.Rungs.Queued, a.RoundedTo}, "%s as %s", a.Headline, role)
			}
			require.Equal(t, count, shown.Messages[0].Addressed)
			require.Equal(t, count, shown.Messages[0].Rungs.Queued)
			require.Equal(t, count == 0, len(shown.ByGroup) == 0)
		}
	}
	heard := map[string]<-chan wire.Event{}
	for _, role := range []string{authority.RoleViewer, authority.RoleComposer} {
		heard[role] = d.hearsAs(d.user(wire.AddUser{Name: "hears-" + role, Roles: []string{role}}))
	}
	id := send("as it happens", "has care", "")
	d.hears(heard[authority.RoleViewer], "alert", func(e wire.Event) bool { return e.Alert == id && e.Rungs.Queued == 5 && e.RoundedTo == 5 })
	d.hears(heard[authority.RoleComposer], "alert", func(e wire.Event) bool { return e.Alert == id && e.Rungs.Queued == 7 && e.RoundedTo == 0 })
}

// hearsAs hears everything that node 0 tells who holds the token, until the test ends.
func (d *district) hearsAs(token string) <-chan wire.Event {
	d.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	listening, ended := make(chan struct{}), make(chan struct{})
	heard := make(chan wire.Event, 1000)
	c := d.clientWith(0, token)
	go func() {
		defer close(ended)
		_ = c.Events(ctx, "", func() { close(listening) }, func(e wire.Event) { heard <- e })
	}()
	d.t.Cleanup(func() { cancel(); <-ended })
	told(d.t, listening)
	return heard
}
