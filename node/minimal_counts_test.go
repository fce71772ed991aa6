package node_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
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

// Who is limited to a place lists of an alert that a tag chose the members of those there, and learns of nobody
// elsewhere that they have it; of what places alone chose everybody lists everybody, as before.
func TestLists_OfWhatIsPersonalAreOfOnesOwnPlaces(t *testing.T) {
	t.Parallel()
	d := newDistrict(t, 1)
	here, there := d.estate("listed"), d.estate("elsewhere")
	csv := fmt.Sprintf("id,kind,place,tags\nr-here,phone,%s,care=oxygen\nr-there,phone,%s,care=oxygen\n", here.Block, there.Block)
	in, err := d.client(0).Import(d.ctx(), client.Import{CSV: strings.NewReader(csv)})
	require.NoError(t, err)
	require.True(t, in.Applied, "%v", in.Faults)
	send := func(headline, selection string) string {
		out, err := d.client(0).SendAlert(d.ctx(), byJSON(headline, selection), "committed")
		require.NoError(t, err)
		return out.Alert
	}
	personal, public := send("with oxygen", "care = oxygen"), send("everybody", "place under tuen-mun")
	listed := func(role, id string, places ...string) (out []string) {
		c := d.clientWith(0, d.user(wire.AddUser{Name: fmt.Sprint(role, "-", len(places), "-of-", id), Roles: []string{role}, Places: places}))
		for _, missing := range []bool{false, true} {
			page, err := c.AlertReceipts(d.ctx(), id, wire.ReceiptQuery{Rung: map[bool]string{false: "queued", true: "presented"}[missing], Missing: missing})
			require.NoError(t, err)
			for _, row := range page.Rows {
				out = append(out, row.Member)
			}
		}
		report, err := c.AlertReport(d.ctx(), id)
		require.NoError(t, err)
		for _, row := range append(report.Dark, report.Slowest...) {
			out = append(out, row.Member)
		}
		slices.Sort(out)
		return slices.Compact(out)
	}
	both := []string{"r-here", "r-there"}
	require.Equal(t, []string{"r-here"}, listed(authority.RoleComposer, personal, here.Path))
	require.Equal(t, both, listed(authority.RoleComposer, personal))
	require.Equal(t, both, listed(authority.RoleComposer, public, here.Path))
	require.Equal(t, both, listed(authority.RoleAudienceManager, personal, here.Path), "who reads persons anyway")
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
