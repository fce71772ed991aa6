package strictjson_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"

	"almenara/node/api/strictjson"
	"almenara/node/wire"
)

type body struct {
	Select string   `json:"select"`
	Minute int      `json:"minute,omitempty"`
	Inner  struct{} `json:"inner"`
	Rules  []rule   `json:"rules"`

	Blanks map[string]string `json:"blanks"`
	Alert  json.RawMessage   `json:"alert"`
}

type rule struct {
	embedded
	Approvals int `json:"approvals"`
}

type embedded struct {
	Deeper *rule `json:"deeper"`
}

// A slip must not silently widen or change what was asked for.
func TestRead_PassesOverNothing(t *testing.T) {
	for in, says := range map[string]string{
		``:                              "is empty",
		`{"select":`:                    "ends in the middle",
		`<alert/>`:                      "not JSON: byte 1",
		`{"selekt":"all"}`:              `unknown field "selekt"`,
		`{"inner":{"selekt":1}}`:        `unknown field "selekt"`,
		`{"minute":"5"}`:                `"minute" cannot hold a JSON string`,
		`{"select":"a","Select":"all"}`: `"select" twice`,
		`{"select":"a","ſelect":"all"}`: `"select" twice`,
		`{"rules":[{"approvals":1},{"approvals":2,"Approvals":1}]}`:       `"approvals" twice`,
		`{"rules":[{"deeper":{"deeper":{"approvals":2,"approvals":1}}}]}`: `"approvals" twice`,
		`{"blanks":{"where":"a","where":"b"}}`:                            `"where" twice`,
		`{"alert":{"info":[{"status":"Test","status":"Actual"}]}}`:        `"status" twice`,
		`{"select":"a"} {}`: "more than one JSON value",
		`{"select":"a"} x`:  "more than one JSON value",
	} {
		var got body
		var p *wire.Problem
		require.ErrorAs(t, strictjson.Read(strings.NewReader(in), &got), &p, in)
		require.Equal(t, wire.KindMalformed, p.Kind)
		require.Contains(t, p.Sentence, says)
	}
	var got body
	require.NoError(t, strictjson.Read(strings.NewReader(" {\"select\":\"a\",\"minute\":5}\n"), &got))
	require.Equal(t, body{Select: "a", Minute: 5}, got)
	require.NoError(t, strictjson.Read(strings.NewReader(`{"blanks":{"Where":"a","where":"b"},"rules":[{"approvals":1,"deeper":{"approvals":2}},{"approvals":2}],"alert":{"a":1,"A":[{"a":2}]}}`), &got))
	require.Equal(t, map[string]string{"Where": "a", "where": "b"}, got.Blanks, "keys of a map are no fields")
	_, _, err := strictjson.ReadOneOrMore[body](strings.NewReader(`[{"select":"a"},{"select":"b","select":"all"}]`))
	require.ErrorContains(t, err, `"select" twice`)
}

// What is too large is that, and not called unreadable.
func TestRead_KeepsTheLimitOfTheBody(t *testing.T) {
	limit := &http.MaxBytesError{Limit: 10}
	for _, in := range []string{`{"select":`, `{"select":"a"}`} {
		err := strictjson.Read(&then{strings.NewReader(in), limit}, &body{})
		var tooLarge *http.MaxBytesError
		require.ErrorAs(t, err, &tooLarge, in)
	}
	_, _, err := strictjson.ReadOneOrMore[body](iotest.ErrReader(limit))
	require.True(t, errors.Is(err, limit))
}

// then reads what there is, and then an error.
type then struct {
	*strings.Reader
	err error
}

func (r *then) Read(p []byte) (int, error) {
	if r.Len() == 0 {
		return 0, r.err
	}
	return r.Reader.Read(p)
}

func TestReadOneOrMore_SaysWhichItWas(t *testing.T) {
	for in, want := range map[string]struct {
		array bool
		count int
	}{`{"select":"a"}`: {false, 1}, ` [{"select":"a"},{"select":"b"}]`: {true, 2}, `[]`: {true, 0}} {
		all, array, err := strictjson.ReadOneOrMore[body](strings.NewReader(in))
		require.NoError(t, err)
		require.Equal(t, want.array, array, in)
		require.Len(t, all, want.count, in)
	}
	_, _, err := strictjson.ReadOneOrMore[body](strings.NewReader(`[{"selekt":"a"}]`))
	require.ErrorContains(t, err, `unknown field "selekt"`)
}
