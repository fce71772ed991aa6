package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"almenara/node/wire"
)

// readJSON reads exactly one JSON value into into. Unknown fields are refused, and
// fields of an object that are given twice: a misspelt or a second field must not
// silently widen or change what was asked for.
func readJSON(r io.Reader, into any) error {
	var raw bytes.Buffer
	dec := json.NewDecoder(io.TeeReader(r, &raw))
	dec.DisallowUnknownFields()
	if err := dec.Decode(into); err != nil {
		return jsonProblem(err)
	}
	end := dec.InputOffset()
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return jsonTail(err)
	}
	return eachFieldOnce(raw.Bytes()[:end])
}

// eachFieldOnce looks at the fields of an object, without those of its values; raw is
// valid JSON. Case does not tell fields apart, as for encoding/json.
func eachFieldOnce(raw []byte) error {
	dec := json.NewDecoder(bytes.NewReader(raw))
	if open, err := dec.Token(); err != nil || open != json.Delim('{') {
		return nil
	}
	seen := map[string]bool{}
	for dec.More() {
		name, err := dec.Token()
		if err != nil {
			return jsonProblem(err)
		}
		field := strings.ToLower(fmt.Sprint(name))
		if seen[field] {
			return wire.Problemf(wire.KindMalformed, "the body has the field %q twice", field)
		}
		seen[field] = true
		var value json.RawMessage
		if err := dec.Decode(&value); err != nil {
			return jsonProblem(err)
		}
	}
	return nil
}

// readOneOrMore reads an object or an array of objects of type T.
func readOneOrMore[T any](r io.Reader) (all []T, array bool, err error) {
	raw, err := io.ReadAll(r)
	if err != nil {
		return nil, false, fmt.Errorf("reading body: %w", err)
	}
	if array = bytes.HasPrefix(bytes.TrimLeft(raw, " \t\r\n"), []byte("[")); array {
		err = readJSON(bytes.NewReader(raw), &all)
		return all, array, err
	}
	var one T
	err = readJSON(bytes.NewReader(raw), &one)
	return []T{one}, array, err
}

// jsonTail is the problem of what follows the first JSON value.
func jsonTail(err error) error {
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		return err
	}
	return wire.Problemf(wire.KindMalformed, "the body holds more than one JSON value")
}

// jsonProblem says in one sentence what is wrong with a body.
func jsonProblem(err error) error {
	var (
		tooLarge *http.MaxBytesError
		syntax   *json.SyntaxError
		typed    *json.UnmarshalTypeError
	)
	switch {
	case errors.As(err, &tooLarge):
		return err
	case errors.Is(err, io.EOF):
		return wire.Problemf(wire.KindMalformed, "the body is empty; JSON is expected")
	case errors.Is(err, io.ErrUnexpectedEOF):
		return wire.Problemf(wire.KindMalformed, "the body ends in the middle of a JSON value")
	case errors.As(err, &syntax):
		return wire.Problemf(wire.KindMalformed, "the body is not JSON: byte %d does not belong there", syntax.Offset)
	case errors.As(err, &typed):
		return wire.Problemf(wire.KindMalformed, "the field %q cannot hold a JSON %s", typed.Field, typed.Value)
	}
	// encoding/json has no type for an unknown field, only this text.
	if name, ok := strings.CutPrefix(err.Error(), "json: unknown field "); ok {
		return wire.Problemf(wire.KindMalformed, "the body has the unknown field %s", name)
	}
	return wire.Problemf(wire.KindMalformed, "the body cannot be read as JSON: %s", strings.TrimPrefix(err.Error(), "json: "))
}

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
