package routing_test

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"almenara/node/api/openapi"
	"almenara/node/api/routing"
	"almenara/node/authority"
	"almenara/node/wire"
)

// people knows every token as a user of this name, who may what a viewer may.
type people struct{}

func (people) Identify(_ context.Context, token string) (authority.Caller, error) {
	return authority.Caller{Name: token, Roles: []string{authority.RoleViewer}}, nil
}

// serve asks one route, made whole, with a request that the test may change.
func serve(t *testing.T, route routing.Route, opts routing.Options, change func(*http.Request)) *httptest.ResponseRecorder {
	t.Helper()
	opts.Identifier, opts.Logger, opts.Registry = people{}, slog.New(slog.DiscardHandler), prometheus.NewRegistry()
	mux := routing.New([]routing.Route{route.Whole()}, opts)
	r := httptest.NewRequest(route.Method, route.Path, strings.NewReader(""))
	r.Header.Set("Authorization", "Bearer vera")
	if change != nil {
		change(r)
	}
	w := httptest.NewRecorder()
	mux.ServeHTTP(w, r)
	return w
}

func say(c routing.Call) error { return c.Answer(c.By.Name, nil) }

func TestMux_AsksTheActionWhoMay(t *testing.T) {
	read := routing.Route{Action: authority.ReadAlerts, Handle: say, Route: openapi.Route{Method: "GET", Path: "/a"}}
	got := serve(t, read, routing.Options{}, nil)
	require.Equal(t, http.StatusOK, got.Code)
	require.JSONEq(t, `"vera"`, got.Body.String())

	change := read
	change.Action = authority.ChangeUsers
	require.Equal(t, http.StatusForbidden, serve(t, change, routing.Options{}, nil).Code)
}

func TestMux_APageIsProtectedFromOtherSites(t *testing.T) {
	page := routing.Route{Handle: say, Route: openapi.Route{Kind: openapi.Page, Method: "POST", Path: "/p", Open: true, MaxBody: 1}}
	got := serve(t, page, routing.Options{}, nil)
	require.Equal(t, http.StatusOK, got.Code)
	require.Contains(t, got.Header().Get("Content-Security-Policy"), "default-src 'none'")

	foreign := func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "cross-site") }
	require.Equal(t, http.StatusForbidden, serve(t, page, routing.Options{}, foreign).Code)
	page.Kind = openapi.Program
	require.Equal(t, http.StatusOK, serve(t, page, routing.Options{}, foreign).Code, "browsers send no bearer tokens by themselves")
}

func TestMux_WhatMayBeDamagedIsReadOnlyWhereTheNodeSpeaksOfItself(t *testing.T) {
	damaged := routing.Options{Trust: func() error { return wire.Problemf(wire.KindNotReady, "damaged") }}
	route := routing.Route{Action: authority.ReadAlerts, Handle: say, Route: openapi.Route{Method: "GET", Path: "/a"}}
	require.Equal(t, http.StatusServiceUnavailable, serve(t, route, damaged, nil).Code)
	require.Contains(t, route.Whole().Fails, wire.KindNotReady)
	route.Own = true
	require.Equal(t, http.StatusOK, serve(t, route, damaged, nil).Code)
	require.NotContains(t, route.Whole().Fails, wire.KindNotReady)
}
