// Package strictjson reads the JSON bodies of requests so that nothing in them is passed over:
// an unknown field, a field that stands there twice, or a second value is refused, with one
// sentence that says what is wrong (*wire.Problem, malformed). It owns those sentences, knows no
// route, and never imports another part of the node but node/wire.
package strictjson

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"almenara/node/wire"
)

// Read reads exactly one JSON value into into, which it may have changed also where it returns an
// error. Unknown fields are refused, and
// fields of an object that are given twice: a misspelt or a second field must not
// silently widen or change what was asked for.
func Read(r io.Reader, into any) error {
	var raw bytes.Buffer
	dec := json.NewDecoder(io.TeeReader(r, &raw))
	dec.DisallowUnknownFields()
	if err := dec.Decode(into); err != nil {
		return unreadable(err)
	}
	end := dec.InputOffset()
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return tail(err)
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
			return unreadable(err)
		}
		field := strings.ToLower(fmt.Sprint(name))
		if seen[field] {
			return wire.Problemf(wire.KindMalformed, "the body has the field %q twice", field)
		}
		seen[field] = true
		var value json.RawMessage
		if err := dec.Decode(&value); err != nil {
			return unreadable(err)
		}
	}
	return nil
}

// ReadOneOrMore reads an object or an array of objects of type T.
func ReadOneOrMore[T any](r io.Reader) (all []T, array bool, err error) {
	raw, err := io.ReadAll(r)
	if err != nil {
		return nil, false, fmt.Errorf("reading body: %w", err)
	}
	if array = bytes.HasPrefix(bytes.TrimLeft(raw, " \t\r\n"), []byte("[")); array {
		err = Read(bytes.NewReader(raw), &all)
		return all, array, err
	}
	var one T
	err = Read(bytes.NewReader(raw), &one)
	return []T{one}, array, err
}

// tail is the problem of what follows the first JSON value.
func tail(err error) error {
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		return err
	}
	return wire.Problemf(wire.KindMalformed, "the body holds more than one JSON value")
}

// unreadable says in one sentence what is wrong with a body.
func unreadable(err error) error {
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
