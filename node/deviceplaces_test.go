package node_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"almenara/node/api"
	"almenara/node/authority"
	"almenara/node/wire"
)

// aboutPlaces are requests by each route that the table of authority holds to places, about a device, which is its own
// member, and a place.
var aboutPlaces = map[string]func(device, place string) (path string, bodies []string){
	"POST /api/v1/devices": func(device, place string) (string, []string) {
		return "/api/v1/devices", []string{
			fmt.Sprintf(`{"id":%q,"rotate":true}`, device),
			fmt.Sprintf(`{"id":%q,"kind":"screen","place":%q,"rotate":true}`, "new-"+device, place),
			fmt.Sprintf(`[{"id":%q,"kind":"screen","place":%q}]`, "one-"+device, place),
			fmt.Sprintf(`{"id":%q,"member":%q}`, "as-"+device, device),
		}
	},
	"DELETE /api/v1/devices/{id}": func(device, _ string) (string, []string) { return "/api/v1/devices/" + device, []string{""} },
	"POST /api/v1/ability/test": func(_, place string) (string, []string) {
		return "/api/v1/ability/test", []string{fmt.Sprintf(`{"places":[%q]}`, place)}
	},
	"POST /api/v1/devices/{id}/test": func(device, _ string) (string, []string) { return "/api/v1/devices/" + device + "/test", []string{""} },
	"POST /api/v1/devices/{id}/identify": func(device, _ string) (string, []string) {
		return "/api/v1/devices/" + device + "/identify", []string{""}
	},
	"POST /api/v1/audience/import": func(device, place string) (string, []string) {
		return "/api/v1/audience/import", []string{
			fmt.Sprintf("id,kind,place\n%s,screen,%s\n", "imported-"+device, place),
			fmt.Sprintf("id,kind,place\n%s,screen,tuen-mun/own/block-1\n", device),
		}
	},
	"DELETE /api/v1/audience/members/{id}": func(device, _ string) (string, []string) {
		return "/api/v1/audience/members/" + device + "?yes=true", []string{""}
	},
	"PUT /api/v1/places": func(_, place string) (string, []string) {
		return "/api/v1/places", []string{fmt.Sprintf(`[{"path":"tuen-mun/own/block-1"},{"path":%q}]`, place)}
	},
	"POST /api/v1/places/changes": func(_, place string) (string, []string) {
		return "/api/v1/places/changes", []string{
			fmt.Sprintf(`{"path":%q,"place":{"path":%q,"names":{"en":"Another"}}}`, place, place),
			fmt.Sprintf(`{"path":"tuen-mun/own/block-9","place":{"path":%q}}`, place),
			fmt.Sprintf(`{"path":%q,"place":{"path":"tuen-mun/own/block-9"}}`, place),
			fmt.Sprintf(`{"path":%q,"remove":true}`, place),
		}
	},
}

// Whoever is limited to places changes no device, member or place elsewhere, by any route of which the table says so.
func TestAuthority_HoldsToPlacesWhatTheTableSays(t *testing.T) {
	t.Parallel()
	d := newDistrict(t, 1)
	own, other := d.estate("own"), d.estate("other")
	mine, theirs := d.enrol("screen", own.Block, 3), d.enrol("screen", other.Block, 2)
	token := d.user(wire.AddUser{Name: "eve", Roles: []string{authority.RoleDeviceManager, authority.RoleAudienceManager}, Places: []string{own.Path}})
	asks := func(method, path, body string) (int, string) {
		req, err := http.NewRequestWithContext(d.ctx(), method, d.nodes[0].API()+path, strings.NewReader(body))
		require.NoError(t, err)
		req.Header.Set("Authorization", "Bearer "+token)
		if body != "" {
			req.Header.Set("Content-Type", map[bool]string{true: "text/csv", false: "application/json"}[strings.HasPrefix(body, "id,")])
		}
		resp, err := http.DefaultClient.Do(req)
		require.NoError(t, err)
		defer resp.Body.Close()
		text, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		return resp.StatusCode, string(text)
	}
	tried := 0
	for _, route := range api.Routes() {
		if !authority.LineOf(route.Action).There || route.Method == http.MethodGet {
			continue
		}
		name := route.Method + " " + route.Path
		about := aboutPlaces[name]
		require.NotNil(t, about, "no request is known for %s", name)
		path, bodies := about(theirs[0].ID, other.Block)
		for _, body := range bodies {
			status, text := asks(route.Method, path, body)
			require.Equal(t, http.StatusForbidden, status, "%s %s: %s", name, body, text)
			require.Contains(t, text, own.Path, "it says where")
		}
		one := mine[0].ID
		if route.Path == "/api/v1/audience/members/{id}" { // a device without a member is nowhere from then on
			one = mine[2].ID
		}
		path, bodies = about(one, own.Block)
		for _, body := range bodies {
			status, text := asks(route.Method, path, body)
			require.NotEqual(t, http.StatusForbidden, status, "%s %s: %s", name, body, text)
		}
		tried++
	}
	require.Equal(t, len(aboutPlaces), tried)

	for _, body := range []string{ // a device of theirs comes under one's own member, or a new one under theirs
		fmt.Sprintf(`{"id":%q,"member":%q,"rotate":true}`, theirs[0].ID, mine[1].ID),
		fmt.Sprintf(`[{"id":"a1","kind":"screen","place":%q},{"id":"a2","kind":"screen","place":%q}]`, own.Block, other.Block),
		fmt.Sprintf(`{"id":"a3","member":%q,"kind":"screen","place":%q}`, theirs[1].ID, own.Block),
	} {
		status, text := asks("POST", "/api/v1/devices", body)
		require.Equal(t, http.StatusForbidden, status, "%s: %s", body, text)
	}
	status, text := asks("POST", "/api/v1/audience/import?replace=true&yes=true", "id,kind,place\nnew,screen,tuen-mun/own/block-1\n")
	require.Equal(t, http.StatusForbidden, status, "it would remove all others: %s", text)
	status, text = asks("POST", "/api/v1/ability/test", `{}`)
	require.Equal(t, http.StatusForbidden, status, "all devices are those of others, too: %s", text)
	status, _ = asks("DELETE", "/api/v1/devices/nobody", "")
	require.Equal(t, http.StatusNotFound, status)

	f := d.fleet(theirs...)
	require.Len(t, f.Devices(), 2, "their secrets open all the same")
	page, err := d.client(0).ListDevices(d.ctx(), "", 100)
	require.NoError(t, err)
	for _, one := range page {
		require.False(t, strings.HasPrefix(one.Place, other.Path) && one.ID != theirs[0].ID && one.ID != theirs[1].ID, one.ID)
	}
}
