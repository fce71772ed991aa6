package api_test

import (
	"testing"

	"almenara/node/api"
	"almenara/node/api/apitest"
)

// Foreign bytes in the query and the body of every route are answered with what the
// caller did wrong, never with a fault of the node.
func FuzzRequests(f *testing.F) {
	f.Add("limit=3&after=x", `{"id":"d1"}`)
	f.Add("dry_run=true&wait=committed", `[{"path":"a","names":{"en":"b"}},null]`)
	f.Add("rung=presented&missing=1&%zz", `{"alert":{"info":[{}]},"select":"all"}`)
	f.Add("a;b&hash", "\xff\xfe<alert/>")
	h := api.New(apitest.Services(apitest.New()), api.Options{})
	f.Fuzz(func(t *testing.T, query, body string) {
		for _, route := range api.Routes() {
			if isStream(route) {
				continue
			}
			r := request(route.Method, address(route, ""), admin, body)
			r.URL.RawQuery = query
			if got := serve(t, h, r); got.Code >= 500 || got.Code < 200 {
				t.Fatalf("%s answered %d: %s", name(route), got.Code, got.Body)
			}
		}
	})
}
