package api

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"almenara/node/wire"
)

// query reads the parameters that a route lists.
type query struct {
	values url.Values
	err    error // the first thing wrong
}

// newQuery checks the names and the number of the parameters against the route.
func newQuery(r *http.Request, params []Param) (*query, error) {
	values, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, wire.Problemf(wire.KindMalformed, "the query of the address cannot be read")
	}
	for name, given := range values {
		i := slices.IndexFunc(params, func(p Param) bool { return p.Name == name })
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
	return &query{values: values}, nil
}

// text is the parameter, or otherwise when it is absent.
func (q *query) text(name, otherwise string) string {
	if !q.values.Has(name) {
		return otherwise
	}
	return q.values.Get(name)
}

// flag is false when absent; a value is needed, so that a typing slip cannot turn it on.
func (q *query) flag(name string) bool {
	switch v := q.text(name, "false"); v {
	case "true", "1":
		return true
	case "false", "0":
		return false
	default:
		q.wrong("the parameter %q is true or false", name)
		return false
	}
}

// number is a whole number of 0 or more.
func (q *query) number(name string, otherwise uint64) uint64 {
	if !q.values.Has(name) {
		return otherwise
	}
	n, err := strconv.ParseUint(q.values.Get(name), 10, 64)
	if err != nil {
		q.wrong("the parameter %q is a whole number", name)
	}
	return n
}

// limit is a number of rows from 1 to most.
func (q *query) limit(otherwise, most uint64) int {
	n := q.number("limit", otherwise)
	if n < 1 || n > most {
		q.wrong("the parameter \"limit\" is from 1 to %d", most)
	}
	return int(min(n, most))
}

func (q *query) wrong(format string, args ...any) {
	if q.err == nil {
		q.err = wire.Problemf(wire.KindMalformed, format, args...)
	}
}

// wait is how long the caller wants to wait.
func (q *query) wait() wire.Wait { return wire.Wait(q.text("wait", string(wire.WaitLocal))) }
