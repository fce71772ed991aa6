package openapi

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"almenara/node/wire"
)

// object is a piece of the document; encoding/json writes its keys in order.
type object = map[string]any

// OnlyHere ends a pattern of http.ServeMux that matches this path and none below it.
const OnlyHere = "{$}"

var pathName = regexp.MustCompile(`\{([a-z]+)(?:\.\.\.)?\}`)

// Write gives the description of the routes as JSON, for a program of the version; "" is 0.
// It depends on the program text alone, so it is the same on every node. It panics where a
// route cannot be described: that is a mistake which every test meets.
func Write(routes []Route, version string) []byte {
	doc, err := json.MarshalIndent(document(routes, version), "", " ")
	if err != nil {
		panic(fmt.Sprintf("describing the API: %v", err))
	}
	return append(doc, '\n')
}

// documented is a pattern of http.ServeMux as OpenAPI writes it: without a slash at its end, which
// ServeMux adds with a redirect.
func documented(pattern string) string {
	path := strings.ReplaceAll(strings.TrimSuffix(pattern, OnlyHere), "...}", "}")
	return cmp.Or(strings.TrimRight(path, "/"), "/")
}

// document is the OpenAPI 3.1 description of the routes.
func document(routes []Route, version string) object {
	if version == "" {
		version = "0"
	}
	s := newSchemas()
	paths := object{}
	for _, route := range routes {
		path := documented(route.Path)
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
			"schemas":  s.defs,
			"examples": problemList(),
			"securitySchemes": object{"token": object{
				"type": "http", "scheme": "bearer", "description": "The token that adding a user answered, once.",
			}},
		},
	}
}

// operation describes one route.
func (s *schemas) operation(route Route) object {
	responses := failures(route)
	responses[strconv.Itoa(DoneStatus(route))] = s.answer(route)
	if slices.ContainsFunc(route.Params, func(p Param) bool { return p.Name == DryRun }) && responses["200"] == nil {
		responses["200"] = object{
			"description": "A dry run: nothing was recorded.",
			"content":     object{"application/json": content(s.value(route.Answer), dryRunOf(route.Answer))},
		}
	}
	if route.Unready != nil {
		responses["503"] = object{
			"description": "Not ready, and why.",
			"content":     object{"application/json": content(s.value(route.Unready), wire.Health{Why: "the log is being replayed"})},
		}
	}
	summary, _, _ := strings.Cut(route.Summary, ". ")
	op := object{
		"summary": strings.TrimSuffix(summary, "."), "description": route.Summary, "operationId": operationID(route), "responses": responses,
		"tags": []any{tagOf(route)},
	}
	if params := parameters(route); len(params) > 0 {
		op["parameters"] = params
	}
	if body := s.body(route); body != nil {
		op["requestBody"] = body
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

// body describes what the route takes; nil is nothing.
func (s *schemas) body(route Route) object {
	switch {
	case route.Request != nil:
		return object{"required": true, "content": object{"application/json": content(s.request(route.Request), requestOf(route.Request))}}
	case route.Accepts != "":
		return object{"required": true, "content": object{route.Accepts: content(object{"type": "string"}, texts[route.Accepts])}}
	}
	return nil
}

// answer describes what a route answers when it has done what was asked.
func (s *schemas) answer(route Route) object {
	out := object{"description": "Done."}
	if route.Returns == "" && route.Answer == nil {
		return out
	}
	media := object{}
	out["content"] = media
	if route.Returns == "" {
		media["application/json"] = content(s.value(route.Answer), exampleOf(route.Answer))
	} else {
		text := content(object{"type": "string"}, textOf(route))
		if route.Answer != nil {
			text["x-data"] = s.value(route.Answer)
		}
		media[route.Returns] = text
	}
	if route.Lines != nil {
		lines := content(object{"type": "string"}, linesOf(exampleOf(route.Lines), exampleOf(route.Answer)))
		lines["x-data"] = object{"oneOf": []any{s.value(route.Lines), s.value(route.Answer), ref("Problem")}}
		media[MediaLines] = lines
	}
	if route.InKind != "" {
		media[route.InKind] = content(object{"type": "string"}, inKind[route.InKind])
	}
	return out
}

// content is a body of one media type with its example.
func content(schema object, example any) object { return object{"schema": schema, "example": example} }

// failures lists the statuses with which a route may fail: for each the kinds that it may be,
// and when.
func failures(route Route) object {
	of := map[int][]wire.Kind{}
	for _, kind := range wire.Kinds() { // in their order
		if _, may := route.Fails[kind]; may {
			status := wire.HTTPStatus(kind)
			of[status] = append(of[status], kind)
		}
	}
	out := object{}
	for status, kinds := range of {
		var clauses []string
		examples := object{}
		for _, kind := range kinds {
			clauses = append(clauses, kind+": "+route.Fails[kind]+".")
			examples[kind] = object{"$ref": "#/components/examples/" + kind}
		}
		media := object{"application/json": object{"schema": ref("Problem"), "examples": examples}}
		if route.InKind == MediaCAP && status != http.StatusInternalServerError && status != http.StatusGatewayTimeout {
			media[MediaCAP] = content(object{"type": "string"}, capError)
		}
		out[strconv.Itoa(status)] = object{"description": strings.Join(clauses, " "), "content": media, "x-kinds": kinds}
	}
	return out
}

// parameters describes the names in the path and the query.
func parameters(route Route) []any {
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

// DoneStatus is the status of a request that was done, as the handlers answer it.
func DoneStatus(route Route) int {
	switch _, outcome := route.Answer.(wire.Outcome); {
	case outcome:
		return http.StatusAccepted
	case route.Answer == nil && route.Returns == "":
		return http.StatusNoContent
	case route.Method == http.MethodPost && route.Accepts == "":
		return http.StatusCreated
	}
	return http.StatusOK
}

// operationID names the operation for generated clients: get_alerts_id_receipts.
func operationID(route Route) string {
	path := strings.TrimPrefix(route.Path, "/api/v1")
	name := strings.NewReplacer("/", "_", "{", "", "}", "", "$", "", ".", "_").Replace(documented(path))
	return strings.ToLower(route.Method) + name
}
