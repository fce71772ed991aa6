package api_test

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"almenara/node/api"
	"almenara/node/api/openapi"
	"almenara/node/api/routing"
	"almenara/node/wire"
	"almenara/storage/alert/capxml"
)

// Every body has an example, which is as its schema says, and which the types of package wire
// hold without a field more.
func TestOpenAPI_HasAnExampleOfEveryBody(t *testing.T) {
	samples, err := document.Samples() // holds them against the schemas
	require.NoError(t, err)
	seen := map[string]bool{}
	for _, s := range samples {
		route := routeOf(t, s.Operation)
		seen[s.Operation+" "+s.Status] = true
		of := route.Answer
		switch {
		case s.Status == "":
			of = route.Request
		case s.Status == "503" && route.Unready != nil:
			of = route.Unready
		case s.Status >= "300":
			of = wire.Problem{}
		}
		switch s.Media {
		case "application/json":
			decodes(t, s.Operation, of, s.Raw)
		case openapi.MediaCAP:
			var text string
			require.NoError(t, json.Unmarshal(s.Raw, &text))
			_, found, err := capxml.Parse([]byte(text))
			require.NoError(t, err, "%s: %v", s.Operation, found)
		}
	}
	for _, route := range api.Routes() {
		id := operationOf(route)
		require.Equal(t, route.Request != nil || route.Accepts != "", seen[id+" "], id)
		for kind := range route.Fails {
			require.True(t, seen[id+" "+statusText(wire.HTTPStatus(kind))], "%s %s", id, kind)
		}
	}
}

// decodes reads an example strictly into a value of the type.
func decodes(t *testing.T, operation string, of any, raw []byte) {
	t.Helper()
	if either, ok := of.(openapi.OneOrMore); ok {
		of = either.Of
	}
	into := reflect.New(reflect.TypeOf(of))
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.DisallowUnknownFields()
	require.NoError(t, dec.Decode(into.Interface()), "%s: %s", operation, raw)
	require.False(t, into.Elem().IsZero(), operation)
}

func operationOf(route routing.Route) string {
	path := strings.TrimPrefix(route.Path, "/api/v1")
	if path != "/{$}" {
		path = strings.TrimSuffix(path, "/{$}")
	}
	name := strings.NewReplacer("/", "_", "{", "", "}", "", "$", "", "...", "", ".", "_").Replace(path)
	return strings.ToLower(route.Method) + name
}

func routeOf(t *testing.T, operation string) routing.Route {
	t.Helper()
	for _, route := range api.Routes() {
		if operationOf(route) == operation {
			return route
		}
	}
	require.Fail(t, "no route", operation)
	return routing.Route{}
}

// Every route says what the handler itself can answer on it, and no route says of a kind that it
// has no status, or nothing of when.
func TestRoutes_SayHowTheyFail(t *testing.T) {
	for _, route := range api.Routes() {
		for kind, when := range route.Fails {
			require.NotZero(t, wire.HTTPStatus(kind), "%s: %s", name(route), kind)
			require.NotEmpty(t, when, "%s: %s", name(route), kind)
		}
		may := func(kind wire.Kind) bool { return route.Fails[kind] != "" }
		require.True(t, may(wire.KindMalformed) && may(wire.KindOverBudget) && may(wire.KindInternal), name(route))
		require.Equal(t, !route.Open, may(wire.KindUnauthenticated) && may(wire.KindForbidden), name(route))
		require.Equal(t, route.Method != "GET", may(wire.KindUnknownOutcome), "%s: a question has no outcome", name(route))
		require.False(t, may(wire.KindNotAllowed), "it is of no route")
	}
}
