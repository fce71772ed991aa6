package api_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"almenara/node/api"
	"almenara/node/api/apitest"
	"almenara/node/api/openapi"
)

// Every page keeps other sites out, whatever else it is.
func TestRoutes_PagesKeepOtherSitesOut(t *testing.T) {
	pages := 0
	for _, route := range api.Routes() {
		if route.Kind != openapi.Page {
			continue
		}
		pages++
		got := ask(t, api.New(apitest.Services(apitest.New()), api.Options{}), route.Method, address(route, ""), allowed(route), "")
		require.Equal(t, http.StatusOK, got.Code)
		require.Contains(t, got.Header().Get("Content-Security-Policy"), "default-src 'none'", name(route))
		require.Equal(t, "no-store", got.Header().Get("Cache-Control"), name(route))
	}
	require.NotZero(t, pages)
}
