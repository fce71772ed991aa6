package api

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"almenara/node/wire"
)

// oneOrMore marks a body that is one object or an array of them.
type oneOrMore struct{ of any }

// enum is a word of a set.
type enum interface{ Enum() []string }

// object is a piece of the document; encoding/json writes its keys in order.
type object = map[string]any

// holds names what a field of raw JSON holds.
var holds = map[string]any{"SendAlert.alert": wire.CAPAlert{}}

var pathName = regexp.MustCompile(`\{([a-z]+)\}`)

// OpenAPI is the description of the whole API as JSON, for a program of this version; ""
// is 0. It is the same for every node.
func OpenAPI(version string) []byte { return mustOpenAPI(Routes(), version) }

// mustOpenAPI writes the document. It depends on the program text alone; a route
// that cannot be described is a mistake that every test meets.
func mustOpenAPI(routes []Route, version string) []byte {
	doc, err := json.MarshalIndent(openAPI(routes, version), "", "  ")
	if err != nil {
		panic(fmt.Sprintf("describing the API: %v", err))
	}
	return append(doc, '\n')
}

// openAPI is the OpenAPI 3.1 description of the routes.
func openAPI(routes []Route, version string) object {
	if version == "" {
		version = "0"
	}
	s := &schemas{defs: object{}}
	s.of(reflect.TypeFor[wire.Problem]())
	kind := s.defs["Problem"].(object)["properties"].(object)["kind"].(object)
	kind["enum"] = wire.Kinds()
	paths := object{}
	for _, route := range routes {
		path := strings.TrimSuffix(route.Path, onlyHere)
		item, _ := paths[path].(object)
		if item == nil {
			item = object{}
			paths[path] = item
		}
		item[strings.ToLower(route.Method)] = s.operation(route)
	}
	return object{
		"openapi": "3.1.0",
		"info": object{
			"title": "Almenara", "version": version,
			"description": "Alerts, audiences, receipts and devices of one district, on any of its nodes. " +
				"A request with an unknown field or parameter is refused; an answer may get new fields. " +
				"Every answer of a drill copy, a backup that was restored with --isolated, has the header " + wire.HeaderDrill + ": " + wire.DrillCopy + ".",
			"contact": object{"name": "The maintainers of Almenara"},
			"license": object{"name": "Apache-2.0", "identifier": "Apache-2.0"},
		},
		"servers":  []any{object{"url": "/", "description": "The node that serves this description; every node of the district answers alike."}},
		"tags":     tagList(),
		"security": []any{object{"token": []any{}}},
		"paths":    paths,
		"components": object{
			"schemas":   s.defs,
			"responses": errorResponses(),
			"securitySchemes": object{"token": object{
				"type": "http", "scheme": "bearer", "description": "The token that adding a user answered, once.",
			}},
		},
	}
}

// operation describes one route.
func (s *schemas) operation(route Route) object {
	responses := errorsOf(route)
	responses[successOf(route)] = s.answer(route)
	if slices.ContainsFunc(route.Params, func(p Param) bool { return p.Name == paramDryRun.Name }) && responses["200"] == nil {
		responses["200"] = object{
			"description": "A dry run: nothing was recorded.", "content": object{"application/json": object{"schema": s.value(route.Answer)}},
		}
	}
	if route.Unready != nil {
		responses["503"] = object{
			"description": "Not ready, and why.", "content": object{"application/json": object{"schema": s.value(route.Unready)}},
		}
	}
	summary, _, _ := strings.Cut(route.Summary, ". ")
	op := object{
		"summary": strings.TrimSuffix(summary, "."), "description": route.Summary, "operationId": operationID(route), "responses": responses,
		"tags": []any{tagOf(route)},
	}
	if params := s.params(route); len(params) > 0 {
		op["parameters"] = params
	}
	switch {
	case route.Request != nil:
		op["requestBody"] = body("application/json", s.value(route.Request), exampleOf(route.Request))
	case route.Accepts != "":
		op["requestBody"] = body(route.Accepts, object{"type": "string"}, bodyExamples[route.Accepts])
	}
	if route.Open {
		op["security"] = []any{}
	} else {
		op["x-roles"] = route.Roles
	}
	if route.MaxBody > 0 {
		op["x-max-body-bytes"] = route.MaxBody
	}
	return op
}

func (s *schemas) answer(route Route) object {
	out := object{"description": "Done."}
	switch {
	case route.Returns != "" && route.Answer != nil:
		out["content"] = object{route.Returns: object{"schema": object{"type": "string"}, "x-data": s.value(route.Answer)}}
	case route.Returns != "":
		out["content"] = object{route.Returns: object{"schema": object{"type": "string"}}}
	case route.Answer != nil:
		content := object{"schema": s.value(route.Answer)}
		if example := exampleOf(route.Answer); example != nil {
			content["example"] = example
		}
		out["content"] = object{"application/json": content}
	}
	if route.Lines != nil {
		line := object{"oneOf": []any{s.value(route.Lines), s.value(route.Answer), ref("Problem")}}
		out["content"].(object)[mediaLines] = object{"schema": object{"type": "string"}, "x-data": line}
	}
	if route.Accepts == mediaCAP { // and is answered in kind, where the caller wants that
		out["content"].(object)[mediaCAP] = object{"schema": object{"type": "string"}}
	}
	return out
}

func (s *schemas) params(route Route) []any {
	var all []any
	for _, name := range pathName.FindAllStringSubmatch(route.Path, -1) {
		all = append(all, object{"name": name[1], "in": "path", "required": true, "description": pathNames[name[1]], "schema": object{"type": "string"}})
	}
	for _, p := range route.Params {
		schema := object{"type": p.Type}
		if p.Enum != nil {
			schema["enum"] = p.Enum
		}
		all = append(all, object{"name": p.Name, "in": "query", "description": p.Summary, "schema": schema})
	}
	return all
}

func body(media string, schema object, example any) object {
	content := object{"schema": schema}
	if example != nil {
		content["example"] = example
	}
	return object{"required": true, "content": object{media: content}}
}

// successOf is the status of a done request, as the handlers answer it.
func successOf(route Route) string {
	code := http.StatusOK
	switch _, outcome := route.Answer.(wire.Outcome); {
	case outcome:
		code = http.StatusAccepted
	case route.Answer == nil && route.Returns == "":
		code = http.StatusNoContent
	case route.Method == http.MethodPost && route.Accepts == "":
		code = http.StatusCreated
	}
	return strconv.Itoa(code)
}

// operationID names the operation for generated clients: get_alerts_id_receipts.
func operationID(route Route) string {
	path := strings.TrimPrefix(route.Path, "/api/v1")
	name := strings.NewReplacer("/", "_", "{", "", "}", "", "$", "", ".", "_").Replace(path)
	return strings.ToLower(route.Method) + name
}

// schemas collects the definitions of the wire types.
type schemas struct{ defs object }

func ref(name string) object { return object{"$ref": "#/components/schemas/" + name} }

// value describes the type of v.
func (s *schemas) value(v any) object {
	if either, ok := v.(oneOrMore); ok {
		one := s.value(either.of)
		return object{"oneOf": []any{one, object{"type": "array", "items": one, "maxItems": maxEnrol}}}
	}
	return s.of(reflect.TypeOf(v))
}

// of describes t, and defines it once when it is a struct.
func (s *schemas) of(t reflect.Type) object {
	switch {
	case t == reflect.TypeFor[time.Time]():
		return object{"type": "string", "format": "date-time"}
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
		s.define(t)
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
// always has are required: those that are written also when they are empty.
func (s *schemas) define(t reflect.Type) {
	if _, known := s.defs[t.Name()]; known {
		return
	}
	properties, required := object{}, []string{}
	schema := object{"type": "object", "properties": properties}
	if text := wire.Docs()[t.Name()]; text != "" {
		schema["description"] = text
	}
	s.defs[t.Name()] = schema
	for field := range t.Fields() {
		name, options, _ := strings.Cut(field.Tag.Get("json"), ",")
		if name == "-" {
			continue
		}
		properties[name] = s.property(t, field, name)
		if !strings.Contains(options, "omit") {
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
