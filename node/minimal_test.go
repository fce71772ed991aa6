package node_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"almenara/node/api"
	"almenara/node/authority"
	"almenara/node/client"
	"almenara/node/wire"
)

// TestAnswers_NameNobody asks every route that reads, as everybody who need not know
// residents, and looks for what was imported of them.
func TestAnswers_NameNobody(t *testing.T) {
	t.Parallel()
	d := newDistrict(t, 1)
	here := d.estate("residents")
	const name, number, tag = "Chan Siu Ming", "85291234567", "oxygen-at-home"
	csv := fmt.Sprintf("id,name,kind,place,tags,languages,lat,lon,endpoints\nr-1,%s,phone,%s,care=%s,tlh,22.391234,113.971234,sms:%s\n", name, here.Block, tag, number)
	in, err := d.client(0).Import(d.ctx(), client.Import{CSV: strings.NewReader(csv)})
	require.NoError(t, err)
	require.True(t, in.Applied, "%v", in.Faults)
	out, err := d.client(0).SendAlert(d.ctx(), byJSON("who is named", "id = r-1"), "committed")
	require.NoError(t, err)
	require.NoError(t, d.client(0).PutScenario(d.ctx(), prepared("fire", "place under "+here.Path)))
	ask := func(token, path string) string {
		r, err := http.NewRequestWithContext(d.ctx(), "GET", d.nodes[0].API()+path, nil)
		require.NoError(t, err)
		r.Header.Set("Authorization", "Bearer "+token)
		answer, err := http.DefaultClient.Do(r)
		require.NoError(t, err)
		defer func() { _ = answer.Body.Close() }()
		body, err := io.ReadAll(answer.Body)
		require.NoError(t, err)
		return string(body)
	}
	secret := []string{name, number, tag, "22.391234", "tlh"}
	paths := map[string][]string{ // further questions to a route
		"/api/v1/audience/select":      {"?expr=all", "?expr=id+%3D+r-1"},
		"/api/v1/alerts/{id}/receipts": {"", "?rung=queued", "?missing=true"},
	}
	for _, role := range authority.Roles() {
		token := d.user(wire.AddUser{Name: "one-" + role, Roles: []string{role}})
		sees := authority.May(authority.Caller{Roles: []string{role}}, authority.ReadPersons)
		asked := 0
		for _, route := range api.Routes() {
			streams := route.Path == "/api/v1/events" || route.Path == "/api/v1/backup" // told below; the district's keys
			if route.Method != "GET" || streams || !route.Open && !slices.Contains(route.Roles, role) {
				continue
			}
			queries := paths[route.Path]
			if queries == nil {
				queries = []string{""}
			}
			for _, query := range queries {
				id := out.Alert
				if strings.HasPrefix(route.Path, "/api/v1/scenarios") {
					id = "fire"
				}
				body := ask(token, strings.TrimSuffix(strings.ReplaceAll(route.Path, "{id}", id), "{$}")+query)
				asked++
				if sees && (route.Action == authority.ReadAudience || strings.HasSuffix(route.Path, "/receipts")) {
					continue
				}
				for _, s := range secret {
					require.NotContains(t, body, s, "%s as %s", route.Path+query, role)
				}
			}
		}
		require.Greater(t, asked, 10)
		body := ask(token, "/api/v1/audience/select?expr=all")
		require.Contains(t, body, "r-1")
		require.Equal(t, sees, strings.Contains(body, name), role)
	}
	few := map[string]string{ // what would tell of single residents
		"id = r-1 and care = " + tag: "named by their ids", "has care": "fewer than 5", "language = tlh and kind = phone": "fewer than 5",
		"not care = " + tag + " and id = r-1": "named by their ids",
	}
	viewer := d.clientWith(0, d.user(wire.AddUser{Name: "curious", Roles: []string{authority.RoleViewer}}))
	for expr, why := range few {
		_, err := viewer.Select(d.ctx(), expr, "", 50)
		require.Contains(t, problemOf(d, nil, err).Sentence, why, expr)
		known, err := d.client(0).Select(d.ctx(), expr, "", 50)
		require.NoError(t, err)
		require.LessOrEqual(t, known.Counts.Total, uint64(1))
	}
	few1, err := d.client(0).SendAlert(d.ctx(), byJSON("to few", "has care"), "committed")
	require.NoError(t, err, "they are warned all the same")
	one, err := d.client(0).SendAlert(d.ctx(), byJSON("to one", "id = r-1 and has care"), "committed")
	require.NoError(t, err)
	body := message(byJSON("to a number", "").Alert)
	body["scope"], body["addresses"] = "Private", number
	raw, err := json.Marshal(body)
	require.NoError(t, err)
	private, err := d.client(0).SendAlert(d.ctx(), wire.SendAlert{Alert: raw, Select: "all"}, "committed")
	require.NoError(t, err)
	for _, role := range authority.Roles() {
		by := authority.Caller{Roles: []string{role}}
		token, reads := d.user(wire.AddUser{Name: "again-" + role, Roles: []string{role}}), authority.May(by, authority.ReadPersons)
		listed := reads || authority.May(by, authority.Send)
		operates := listed || authority.May(by, authority.Approve) || authority.May(by, authority.Correct) // and must know whom it is for
		for _, id := range []string{few1.Alert, one.Alert, private.Alert} {
			for _, query := range paths["/api/v1/alerts/{id}/receipts"] {
				if query == "" {
					continue // nobody has shown it
				}
				body := ask(token, "/api/v1/alerts/"+id+"/receipts"+query)
				require.Equal(t, listed, strings.Contains(body, "r-1"), "%s as %s: %s", query, role, body)
				require.Equal(t, !listed, strings.Contains(body, "listed only for"), "%s as %s: %s", query, role, body)
			}
		}
		require.Equal(t, reads, strings.Contains(ask(token, "/api/v1/alerts/"+private.Alert+"/cap"), number), role)
		require.Equal(t, operates, strings.Contains(ask(token, "/api/v1/alerts/"+few1.Alert), `"by_group"`), role)
		for _, path := range []string{"/api/v1/alerts", "/api/v1/alerts/" + one.Alert, "/api/v1/alerts/" + private.Alert} {
			body := ask(token, path)
			if path == "/api/v1/alerts/"+one.Alert {
				require.Equal(t, operates, strings.Contains(body, "r-1"), role)
			}
			require.NotContains(t, body, number, "%s as %s", path, role)
		}
	}
	events := d.tells(out.Alert)
	for _, s := range secret {
		require.NotContains(t, events, s)
	}
}

// message is the JSON form of an alert, to be changed.
func message(raw json.RawMessage) (out map[string]any) {
	_ = json.Unmarshal(raw, &out) // of the test's own
	return out
}

// tells is what the feed of events says of a change of the audience and of an alert's end.
func (d *district) tells(id string) string {
	feed, err := d.nodes[0].Services().Events.Events(d.ctx(), "")
	require.NoError(d.t, err)
	_, err = d.client(0).CancelAlert(d.ctx(), id, wire.CancelAlert{}, "")
	require.NoError(d.t, err)
	var all bytes.Buffer
	for all.Len() == 0 || !strings.Contains(all.String(), "cancelled") {
		select {
		case e := <-feed:
			fmt.Fprintf(&all, "%+v\n", e)
		case <-time.After(patience):
			d.t.Fatal("no event of the cancel")
		}
	}
	return all.String()
}
