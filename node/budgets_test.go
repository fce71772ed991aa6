package node_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"almenara/channels/device"
	"almenara/node/authority"
	"almenara/node/wire"
)

func TestBudgets(t *testing.T) {
	t.Parallel()
	d := newDistrict(t, 1)
	here, there := d.estate("flooded"), d.estate("elsewhere")
	screens := append(d.enrol("screen", here.Block, 2), d.enrol("screen", there.Block, 1)...)
	fleet := d.fleet(screens...)
	local := d.user(wire.AddUser{Name: "local", Roles: []string{authority.RoleComposer}, Places: []string{here.Path}})
	composer := d.clientWith(0, local)

	// 500 alerts of one composer to one block: what is taken is shown, the others are refused.
	var taken []wire.Outcome
	var refused *wire.Problem
	for i := range 500 {
		out, err := composer.SendAlert(d.ctx(), byJSON(fmt.Sprint("flood ", i), `place under "`+here.Block+`"`), "")
		if err != nil {
			refused = problemOf(d, out, err)
			require.Equal(t, wire.KindOverBudget, refused.Kind)
			continue
		}
		require.Equal(t, wire.StateInForce, out.State)
		taken = append(taken, out)
	}
	require.Len(t, taken, 50)
	require.Contains(t, refused.Sentence, "local has 50 alerts in force or to come in "+here.Block)
	require.Positive(t, refused.RetryAfter)
	out, err := composer.PreviewAlert(d.ctx(), byJSON("would be", `place under "`+here.Block+`"`))
	require.Equal(t, wire.KindOverBudget, problemOf(d, out, err).Kind)
	d.answers429(local, here.Block)

	// The emergency of the administrator is in force at every device.
	fire, err := d.client(0).SendAlert(d.ctx(), byJSON("fire", "kind = screen"), "")
	require.NoError(t, err)
	require.Equal(t, wire.StateInForce, fire.State)
	fleet.proven(revisionOf(fire), 3)

	// What one has sent one can always correct and end.
	last := taken[len(taken)-1]
	shown, err := composer.ShowAlert(d.ctx(), last.Alert)
	require.NoError(t, err)
	require.NotEmpty(t, shown.Messages)
	for _, o := range taken {
		ended, err := composer.CancelAlert(d.ctx(), o.Alert, wire.CancelAlert{Reason: "over"}, "")
		require.NoError(t, err)
		require.Equal(t, wire.StateCancelled, ended.State)
	}
	fleet.await("only the fire is shown", func(device.Progress) bool {
		for _, one := range fleet.Devices() {
			if showing := one.Presenting(); len(showing) != 1 || showing[0] != fire.Alert {
				return false
			}
		}
		return true
	})
}

// answers429 proves the status and its header as a program sees them.
func (d *district) answers429(token, block string) {
	d.t.Helper()
	b := warning("over-budget", "<areaDesc>Estate</areaDesc>")
	at := d.nodes[0].API() + "/api/v1/cap?select=" + url.QueryEscape(`place under "`+block+`"`)
	req, err := http.NewRequestWithContext(d.ctx(), http.MethodPost, at, strings.NewReader(string(b.xml())))
	require.NoError(d.t, err)
	req.Header.Set("Authorization", "Bearer "+token)
	resp, err := http.DefaultClient.Do(req)
	require.NoError(d.t, err)
	defer resp.Body.Close()
	require.Equal(d.t, http.StatusTooManyRequests, resp.StatusCode)
	require.NotEmpty(d.t, resp.Header.Get("Retry-After"))
}

func TestBudgets_CountAfterARestart(t *testing.T) {
	t.Parallel()
	d := newDistrict(t, 1)
	here := d.estate("restarted")
	fleet := d.fleet(d.enrol("screen", here.Block, 1)...)
	local := d.user(wire.AddUser{Name: "local", Roles: []string{authority.RoleComposer}})
	send := func() (wire.Outcome, error) {
		return d.clientWith(0, local).SendAlert(d.ctx(), byJSON("again", `place under "`+here.Block+`"`), "committed")
	}
	for range 50 {
		_, err := send()
		require.NoError(t, err)
	}
	fire, err := d.client(0).SendAlert(d.ctx(), byJSON("fire", "kind = screen"), "committed")
	require.NoError(t, err)
	d.post(0, warning("never-seen", polygon(here.Area)).cancel(), "", "committed")
	d.stop(0)
	d.start(0)
	out, err := send()
	require.Equal(t, wire.KindOverBudget, problemOf(d, out, err).Kind)
	_, err = d.client(0).SendAlert(d.ctx(), byJSON("flood", "kind = screen"), "")
	require.NoError(t, err)
	fleet.await("the fire is shown again", func(device.Progress) bool {
		for _, id := range fleet.Devices()[0].Presenting() {
			if id == fire.Alert {
				return true
			}
		}
		return false
	})
}
