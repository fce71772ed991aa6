package routing

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"almenara/node/api/openapi"
	"almenara/node/wire"
)

// Query reads the parameters that a route lists.
type Query struct {
	values url.Values
	err    error // the first thing wrong
}

// newQuery checks the names and the number of the parameters against the route.
func newQuery(r *http.Request, params []openapi.Param) (*Query, error) {
	values, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, wire.Problemf(wire.KindMalformed, "the query of the address cannot be read")
	}
	for name, given := range values {
		i := slices.IndexFunc(params, func(p openapi.Param) bool { return p.Name == name })
		if i < 0 {
			return nil, wire.Problemf(wire.KindMalformed, "the parameter %q is not known here", name)
		}
		if len(given) > 1 {
			return nil, wire.Problemf(wire.KindMalformed, "the parameter %q is given twice", name)
		}
		if enum := params[i].Enum; enum != nil && !slices.Contains(enum, given[0]) {
			return nil, wire.Problemf(wire.KindMalformed, "the parameter %q is one of %s", name, strings.Join(enum, ", "))
		}
	}
	return &Query{values: values}, nil
}

// Text is the parameter, or otherwise when it is absent.
func (q *Query) Text(name, otherwise string) string {
	if !q.values.Has(name) {
		return otherwise
	}
	return q.values.Get(name)
}

// Flag is false when absent; a value is needed, so that a typing slip cannot turn it on.
func (q *Query) Flag(name string) bool {
	switch v := q.Text(name, "false"); v {
	case "true", "1":
		return true
	case "false", "0":
		return false
	default:
		q.wrong("the parameter %q is true or false", name)
		return false
	}
}

// Number is a whole number of 0 or more.
func (q *Query) Number(name string, otherwise uint64) uint64 {
	if !q.values.Has(name) {
		return otherwise
	}
	n, err := strconv.ParseUint(q.values.Get(name), 10, 64)
	if err != nil {
		q.wrong("the parameter %q is a whole number", name)
	}
	return n
}

// Limit is a number of rows from 1 to most.
func (q *Query) Limit(otherwise, most uint64) int {
	n := q.Number("limit", otherwise)
	if n < 1 || n > most {
		q.wrong("the parameter \"limit\" is from 1 to %d", most)
	}
	return int(min(n, most))
}

func (q *Query) wrong(format string, args ...any) {
	if q.err == nil {
		q.err = wire.Problemf(wire.KindMalformed, format, args...)
	}
}

// Wait is how long the caller wants to wait.
func (q *Query) Wait() wire.Wait { return wire.Wait(q.Text("wait", string(wire.WaitLocal))) }

// Err is the first thing that was wrong with what was read; nil is nothing.
func (q *Query) Err() error { return q.err }
