package api_test

import (
	"encoding/xml"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"almenara/node/api"
	"almenara/node/api/apitest"
	"almenara/node/wire"
)

// Every answer of a drill copy has the header: of each route, with and without a token, of what
// is no route, and of one that panics.
func TestDrillCopy_EveryAnswerSaysSo(t *testing.T) {
	drill := false
	fake := apitest.New()
	h := api.New(apitest.Services(fake), api.Options{Drill: func() bool { return drill }})
	close(fake.Feed) // or the stream would not end
	for _, copied := range []string{"", wire.DrillCopy} {
		drill = copied != ""
		for _, route := range api.Routes() {
			path := strings.NewReplacer("{id}", apitest.AlertID, "{name}", "duty", "{$}", "").Replace(route.Path)
			for _, token := range []string{"", admin} {
				w := ask(t, h, route.Method, path, token, "{}")
				require.Equal(t, copied, w.Header().Get(wire.HeaderDrill), "%s %s: %d", route.Method, path, w.Code)
			}
		}
		require.Equal(t, copied, ask(t, h, "GET", "/nothing", admin, "").Header().Get(wire.HeaderDrill))
	}
	fake.Panic = "a fault"
	require.Equal(t, wire.DrillCopy, ask(t, h, "GET", "/api/v1/alerts", admin, "").Header().Get(wire.HeaderDrill))
}

// A central system reads CAP and no header.
func TestDrillCopy_TheCAPAckSaysSo(t *testing.T) {
	h := api.New(apitest.Services(apitest.New()), api.Options{Drill: func() bool { return true }})
	r := request("POST", "/api/v1/cap", admin, message)
	r.Header.Set("Accept", "application/cap+xml")
	var ack struct {
		Note string `xml:"note"`
	}
	require.NoError(t, xml.Unmarshal(serve(t, h, r).Body.Bytes(), &ack))
	require.Contains(t, ack.Note, "DRILL COPY, nobody of the district is warned: in-force")
}
