package openapi

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"

	"almenara/node/wire"
	"almenara/node/wire/why"
)

// enum is a word of a set.
type enum interface{ Enum() []string }

// answered names what stands in answers only: the node sets it, and who asks leaves it out.
var answered = map[string]bool{
	"Licence.id": true, "Licence.granted_by": true, "Licence.granted_at": true, "Licence.revoked": true,
	"Policy.version": true, "Scenario.blanks": true,
}

// holds names what a field of raw JSON holds.
var holds = map[string]any{"SendAlert.alert": wire.CAPAlert{}, "Scenario.alert": wire.CAPAlert{}}

// schemas collects the definitions of the wire types.
type schemas struct{ defs object }

// newSchemas begins with what every error holds.
func newSchemas() *schemas {
	s := &schemas{defs: object{}}
	s.of(reflect.TypeFor[wire.Problem]())
	s.defs["Problem"].(object)["properties"].(object)["kind"].(object)["enum"] = wire.Kinds()
	return s
}

func ref(name string) object { return object{"$ref": "#/components/schemas/" + name} }

// value describes the type of v.
func (s *schemas) value(v any) object {
	if either, ok := v.(OneOrMore); ok {
		one := s.value(either.Of)
		return object{"oneOf": []any{one, object{"type": "array", "items": one, "maxItems": either.Most}}}
	}
	return s.of(reflect.TypeOf(v))
}

// request describes the type of v as a request holds it: without what only answers have.
func (s *schemas) request(v any) object {
	if t := reflect.TypeOf(v); t.Kind() == reflect.Struct && len(leftOut(t)) > 0 {
		s.define(t, t.Name()+"Request", leftOut(t))
		return ref(t.Name() + "Request")
	}
	return s.value(v)
}

// leftOut are the members of a struct that only answers have.
func leftOut(t reflect.Type) (names []string) {
	for field := range t.Fields() {
		if name := memberOf(field); answered[t.Name()+"."+name] {
			names = append(names, name)
		}
	}
	return names
}

// memberOf is the name of a field in JSON.
func memberOf(field reflect.StructField) string {
	name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
	return name
}

// of describes t, and defines it once when it is a struct.
func (s *schemas) of(t reflect.Type) object {
	switch {
	case t == reflect.TypeFor[time.Time]():
		return object{"type": "string", "format": "date-time"}
	case t == reflect.TypeFor[why.Sentence]():
		return object{"type": "string"}
	case t == reflect.TypeFor[json.RawMessage]():
		return object{"type": "object"}
	}
	if one, ok := reflect.Zero(t).Interface().(enum); ok {
		s.defs[t.Name()] = object{"type": "string", "enum": one.Enum(), "description": wire.Docs()[t.Name()]}
		return ref(t.Name())
	}
	switch t.Kind() {
	case reflect.Pointer:
		return s.of(t.Elem())
	case reflect.Slice:
		return object{"type": "array", "items": s.of(t.Elem())}
	case reflect.Map:
		return object{"type": "object", "additionalProperties": s.of(t.Elem())}
	case reflect.Struct:
		s.define(t, t.Name(), nil)
		return ref(t.Name())
	}
	scalar, ok := scalars[t.Kind()]
	if !ok {
		panic(fmt.Sprintf("describing the API: there is no JSON type for %v", t))
	}
	return maps.Clone(scalar)
}

var scalars = map[reflect.Kind]object{
	reflect.String:  {"type": "string"},
	reflect.Bool:    {"type": "boolean"},
	reflect.Int:     {"type": "integer", "format": "int64"},
	reflect.Int64:   {"type": "integer", "format": "int64"},
	reflect.Uint32:  {"type": "integer", "minimum": 0},
	reflect.Uint64:  {"type": "integer", "minimum": 0},
	reflect.Float64: {"type": "number"},
}

// define adds the schema of a struct, described by its comments. Members that a body
// always has are required: those that are written also when they are empty. Those in without
// are left out.
func (s *schemas) define(t reflect.Type, as string, without []string) {
	if _, known := s.defs[as]; known {
		return
	}
	properties, required := object{}, []string{}
	schema := object{"type": "object", "properties": properties}
	if text := wire.Docs()[t.Name()]; text != "" {
		schema["description"] = text
	}
	s.defs[as] = schema
	for field := range t.Fields() {
		name := memberOf(field)
		if name == "-" || slices.Contains(without, name) {
			continue
		}
		properties[name] = s.property(t, field, name)
		if !strings.Contains(field.Tag.Get("json"), ",omit") {
			required = append(required, name)
		}
	}
	if len(required) > 0 {
		schema["required"] = required
	}
}

// property describes one field of a struct.
func (s *schemas) property(t reflect.Type, field reflect.StructField, name string) object {
	value := s.of(field.Type)
	if what, ok := holds[t.Name()+"."+name]; ok {
		value = s.value(what)
	}
	text := wire.Docs()[t.Name()+"."+field.Name]
	if text == "" {
		text = describe(t.Name(), name)
	}
	if text != "" {
		value["description"] = text
	}
	return value
}
