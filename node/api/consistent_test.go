package api_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"almenara/node/api"
	"almenara/node/api/apitest"
	"almenara/node/authority"
	"almenara/node/wire"
)

// agreed are the reads of the agreed part, said a second time and independently.
var agreed = []string{"GET /api/v1/audience/select", "GET /api/v1/places", "GET /api/v1/places/one", "GET /api/v1/devices", "GET /api/v1/users", "GET /api/v1/notices", "GET /api/v1/notices/{id}"}

func TestConsistent_WaitsForTheCopyBeforeItReads(t *testing.T) {
	for _, route := range api.Routes() {
		require.Equal(t, route.Agreed, slices.Contains(agreed, name(route)), name(route))
		if !route.Agreed {
			continue
		}
		for query, first := range map[string]string{"?consistent=true": "UpToDate", "?consistent=false": "", "": ""} {
			fake := apitest.New()
			got := ask(t, api.New(apitest.Services(fake), api.Options{}), route.Method, address(route, query), apitest.Token(authority.RoleAdministrator), "")
			require.Equal(t, 200, got.Code, got.Body.String())
			calls := fake.Calls()
			require.Equal(t, first != "", calls[0] == "UpToDate", "%s%s asked %v", name(route), query, calls)
		}
	}
}

func TestConsistent_ReadsNothingWhenTheCopyIsOld(t *testing.T) {
	fake := apitest.New()
	fake.Err = wire.Problemf(wire.KindNoQuorum, "this needs a majority")
	got := ask(t, api.New(apitest.Services(fake), api.Options{}), "GET", "/api/v1/places?consistent=true", apitest.Token(authority.RoleAdministrator), "")
	require.Equal(t, wire.KindNoQuorum, problem(t, got).Kind)
	require.Equal(t, []string{"UpToDate"}, fake.Calls())
	got = ask(t, api.New(apitest.Services(fake), api.Options{}), "GET", "/api/v1/places?consistent=yes", apitest.Token(authority.RoleAdministrator), "")
	require.Equal(t, wire.KindMalformed, problem(t, got).Kind)
}
