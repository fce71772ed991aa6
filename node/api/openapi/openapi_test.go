package openapi_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"almenara/node/api/openapi"
	"almenara/node/api/openapi/openapitest"
	"almenara/node/wire"
)

// routes are two of a small API.
var routes = []openapi.Route{
	{
		Method: "POST", Path: "/api/v1/licences", Roles: []string{"administrator"}, MaxBody: 100, Summary: "Grant a right. More of it.",
		Request: wire.Licence{}, Answer: wire.Licence{},
		Fails: openapi.Fails{wire.KindNoQuorum: "nobody leads", wire.KindBusy: "too many ask", wire.KindConflict: "it exists"},
	},
	{Method: "GET", Path: "/{$}", Open: true, Summary: "A page.", Returns: "text/html"},
}

// A status says of which kinds its problems are and when, and bodies have what they are to have:
// a request holds nothing that the node sets.
func TestWrite_SaysHowEachRouteFailsAndWhatItTakes(t *testing.T) {
	raw := openapi.Write(routes, "1.2.3")
	require.Equal(t, raw, openapi.Write(routes, "1.2.3"), "it depends on nothing else")
	var doc struct {
		Info  struct{ Version string }
		Paths map[string]map[string]struct {
			Summary   string
			Responses map[string]struct {
				Description string
				Kinds       []string `json:"x-kinds"`
			}
			Security []any
		}
		Components struct {
			Schemas map[string]struct {
				Properties map[string]any
				Required   []string
			}
		}
	}
	require.NoError(t, json.Unmarshal(raw, &doc))
	require.Equal(t, "1.2.3", doc.Info.Version)
	grant := doc.Paths["/api/v1/licences"]["post"]
	require.Equal(t, "Grant a right", grant.Summary)
	require.Len(t, grant.Responses, 3)
	require.Equal(t, "busy: too many ask. no-quorum: nobody leads.", grant.Responses["503"].Description)
	require.Equal(t, []string{wire.KindBusy, wire.KindNoQuorum}, grant.Responses["503"].Kinds)
	require.Contains(t, grant.Responses, "201")
	require.Contains(t, grant.Responses, "409")
	asked, answered := doc.Components.Schemas["LicenceRequest"], doc.Components.Schemas["Licence"]
	for _, name := range []string{"id", "granted_by", "granted_at", "revoked"} {
		require.NotContains(t, asked.Properties, name)
		require.NotContains(t, asked.Required, name)
		require.Contains(t, answered.Properties, name)
	}
	require.Equal(t, []string{"operator", "scenarios", "place", "until"}, asked.Required)
	require.Empty(t, doc.Paths["/"]["get"].Security)

	d, err := openapitest.Read(raw)
	require.NoError(t, err)
	samples, err := d.Samples()
	require.NoError(t, err)
	require.Len(t, samples, 6, "of a request, two answers and three problems")
}

func TestWrite_PanicsWhereABodyHasNoExample(t *testing.T) {
	type unknown struct {
		A int `json:"a"`
	}
	require.Panics(t, func() {
		openapi.Write([]openapi.Route{{Method: "GET", Path: "/x", Summary: "X.", Answer: unknown{}}}, "")
	})
}

func TestFails_AndKeepsBothClauses(t *testing.T) {
	a, b := openapi.Fails{wire.KindBusy: "one"}, openapi.Fails{wire.KindBusy: "other", wire.KindRefused: "more"}
	require.Equal(t, openapi.Fails{wire.KindBusy: "one; or other", wire.KindRefused: "more"}, a.And(b, openapi.Fails{wire.KindRefused: "more"}))
	require.Equal(t, openapi.Fails{wire.KindBusy: "one"}, a, "it stays as it is")
	require.Equal(t, b, openapi.Fails(nil).And(b))
}

// reports notes that a test failed.
type reports struct {
	testing.TB
	faults []string
}

func (r *reports) Helper()          {}
func (r *reports) Error(all ...any) { r.faults = append(r.faults, fmt.Sprint(all...)) }

// What looks at every answer must itself see what is wrong with one.
func TestDocument_SeesWhatIsNotDescribed(t *testing.T) {
	d, err := openapitest.Read(openapi.Write(routes, ""))
	require.NoError(t, err)
	const good = `{"id":"1","operator":"duty","scenarios":["*"],"place":"tm","until":"2026-07-20T17:40:00Z","revoked":false}`
	for _, c := range []struct {
		name, path  string
		status      int
		media, body string
		says        string // "" where nothing is wrong
	}{
		{"a good answer", "/api/v1/licences", 201, "application/json", good, ""},
		{"a good page", "/", 200, "text/html; charset=utf-8", "<h1>", ""},
		{"a good problem", "/api/v1/licences", 503, "application/json", `{"kind":"busy","error":"so it is"}`, ""},
		{"nothing there", "/api/v1/nothing", 404, "application/json", `{}`, ""},
		{"something there", "/api/v1/nothing", 200, "application/json", `{}`, "is not described"},
		{"another status", "/api/v1/licences", 404, "application/json", `{"kind":"not-found","error":"so it is"}`, "status is not listed"},
		{"another kind", "/api/v1/licences", 503, "application/json", `{"kind":"not-ready","error":"so it is"}`, "kind not-ready is not listed"},
		{"no such kind", "/api/v1/licences", 503, "application/json", `{"kind":"odd","error":"so it is"}`, "none of"},
		{"another media type", "/", 200, "application/json", good, "media type application/json is not listed"},
		{"a member missing", "/api/v1/licences", 201, "application/json", `{"id":"1"}`, "which is required"},
		{"a member more", "/api/v1/licences", 201, "application/json", `{"odd":1,` + good[1:], "has odd, which is not described"},
		{"null", "/api/v1/licences", 201, "application/json", `{"id":null,` + good[len(`{"id":"1",`):], "is of type null"},
		{"another type", "/api/v1/licences", 201, "application/json", `{"id":1,` + good[len(`{"id":"1",`):], "is of type number"},
		{"no time", "/api/v1/licences", 201, "application/json", good[:len(good)-len(`,"revoked":false}`)-6] + `","revoked":false}`, "is no time"},
		{"half of it", "/api/v1/licences", 201, "application/json", good[:20], "reading JSON"},
	} {
		for _, way := range []string{"handler", "transport"} {
			r := &reports{TB: t}
			next := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", c.media)
				w.WriteHeader(c.status)
				_, _ = w.Write([]byte(c.body))
			})
			method := http.MethodPost
			if c.path == "/" {
				method = http.MethodGet
			}
			asked := httptest.NewRequest(method, c.path, nil)
			got := httptest.NewRecorder()
			if way == "handler" {
				d.Handler(r, next).ServeHTTP(got, asked)
			} else {
				response, err := d.Transport(r, served{next}).RoundTrip(asked)
				require.NoError(t, err)
				require.NoError(t, response.Write(got))
				require.NoError(t, response.Body.Close())
			}
			require.Contains(t, got.Body.String(), c.body, "what is looked at goes on as it is")
			if c.says == "" {
				require.Empty(t, r.faults, c.name)
				continue
			}
			require.Len(t, r.faults, 1, c.name)
			require.Contains(t, r.faults[0], c.says)
		}
	}
}

// served answers as a handler does.
type served struct{ http.Handler }

func (s served) RoundTrip(r *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	return w.Result(), nil
}
