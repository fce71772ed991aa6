// Package strictjson reads the JSON bodies of requests so that nothing in them is passed over:
// an unknown field, a field that stands there twice, at whatever depth, or a second value is refused, with one
// sentence that says what is wrong (*wire.Problem, malformed). It owns those sentences, knows no
// route, and never imports another part of the node but node/wire.
package strictjson

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"strings"
	"unicode"

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
	return eachFieldOnce(json.NewDecoder(bytes.NewReader(raw.Bytes()[:end])), reflect.TypeOf(into))
}

// eachFieldOnce looks at the fields of every object in a value that was decoded as a type, nil where that is not known; raw
// is valid JSON. Case does not tell fields of a struct apart, as for encoding/json; keys of a map are what they are.
func eachFieldOnce(dec *json.Decoder, of reflect.Type) error {
	open, err := dec.Token()
	if err != nil {
		return unreadable(err)
	}
	for of != nil && of.Kind() == reflect.Pointer {
		of = of.Elem()
	}
	switch open {
	case json.Delim('{'):
		err = fieldsOnce(dec, of)
	case json.Delim('['):
		of = elementOf(of)
		for err == nil && dec.More() {
			err = eachFieldOnce(dec, of)
		}
	default:
		return nil
	}
	if err == nil {
		_, err = dec.Token() // the end
	}
	return err
}

// fieldsOnce looks at the fields of one object, up to its end.
func fieldsOnce(dec *json.Decoder, of reflect.Type) error {
	seen := map[string]bool{}
	for dec.More() {
		name, err := dec.Token()
		if err != nil {
			return unreadable(err)
		}
		field, inner := fmt.Sprint(name), elementOf(of)
		if of != nil && of.Kind() == reflect.Struct {
			field = folded(field)
			inner = fieldOf(of, field)
		}
		if seen[field] {
			return wire.Problemf(wire.KindMalformed, "the body has the field %q twice", field)
		}
		seen[field] = true
		if err := eachFieldOnce(dec, inner); err != nil {
			return err
		}
	}
	return nil
}

// elementOf is the type of what a list or map holds; nil where it is not known.
func elementOf(of reflect.Type) reflect.Type {
	if of != nil && (of.Kind() == reflect.Slice || of.Kind() == reflect.Array || of.Kind() == reflect.Map) && of != reflect.TypeFor[json.RawMessage]() {
		return of.Elem()
	}
	return nil
}

// fieldOf is the type of a struct's field, by its folded name; nil where it has none.
func fieldOf(of reflect.Type, name string) reflect.Type {
	for _, f := range reflect.VisibleFields(of) {
		tag, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if f.IsExported() && folded(cmp.Or(tag, f.Name)) == name {
			return f.Type
		}
	}
	return nil
}

// folded is a name as encoding/json compares it: without case, also of letters that only look like others, as ſ and s.
func folded(name string) string {
	return strings.Map(func(r rune) rune {
		for last := r; ; {
			if r = unicode.SimpleFold(r); r <= last { // from the greatest of them it goes on with the least
				return unicode.ToLower(r)
			}
			last = r
		}
	}, name)
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
