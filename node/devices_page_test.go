package node_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"almenara/node/wire"
)

// A page of devices that is not the last one says where the next begins, also where more were
// asked for than one page has.
func TestDevices_ArePaged(t *testing.T) {
	t.Parallel()
	d := newDistrict(t, 1)
	here := d.estate("paged")
	for n := range 3 {
		in := make([]wire.Enrol, 400)
		for i := range in {
			in[i] = wire.Enrol{ID: fmt.Sprintf("page-%d-%03d", n, i), Kind: "screen", Place: here.Block}
		}
		_, err := d.client(0).EnrolDevices(d.ctx(), in)
		require.NoError(t, err)
	}
	seen := map[string]bool{}
	path, pages := "/api/v1/devices?limit=10000", 0
	for ; path != ""; pages++ {
		r, err := http.NewRequestWithContext(d.ctx(), "GET", d.nodes[0].API()+path, nil)
		require.NoError(t, err)
		r.Header.Set("Authorization", "Bearer "+d.user(wire.AddUser{Name: fmt.Sprint("pager-", pages), Roles: []string{"viewer"}}))
		answer, err := http.DefaultClient.Do(r)
		require.NoError(t, err)
		var page []wire.Device
		require.NoError(t, json.NewDecoder(answer.Body).Decode(&page))
		_ = answer.Body.Close()
		for _, device := range page {
			require.False(t, seen[device.ID], device.ID)
			seen[device.ID] = true
		}
		path = ""
		if next := answer.Header.Get(wire.HeaderNext); next != "" {
			require.Contains(t, answer.Header.Get("Link"), `rel="next"`)
			path = "/api/v1/devices?limit=10000&after=" + next
		}
	}
	for n := range 1200 {
		require.True(t, seen[fmt.Sprintf("page-%d-%03d", n/400, n%400)])
	}
	require.GreaterOrEqual(t, pages, 2)
}
