// Package openapi writes the OpenAPI 3.1 description of the API: of routes that it is given,
// and of the bodies that package wire has. It owns how routes, bodies and their failures are
// described, the words for members whose names need no comment in wire, and one example of
// every body. It knows no handler and no rule, and never imports another part of the node but
// node/wire; what it is not given it does not say.
package openapi

import (
	"maps"
	"slices"

	"almenara/node/wire"
)

// The media types that are not plain JSON.
const (
	MediaCAP    = "application/cap+xml"
	MediaCSV    = "text/csv"
	MediaEvents = "text/event-stream"
	MediaLines  = "application/x-ndjson"
	MediaJPEG   = "image/jpeg"
	MediaBytes  = "application/octet-stream" // only this program reads it
	MediaAny    = "*/*"                      // whatever the file is
)

// Route is what is said of one route of the API.
type Route struct {
	Kind    Kind
	Method  string
	Path    string   // a pattern of http.ServeMux
	Roles   []string // that may
	Open    bool     // needs no token
	MaxBody int64    // bytes; 0 is no body
	Summary string
	Params  []Param // of the query; every other parameter is refused
	Request any     // a value of the type that the JSON body holds; nil is no JSON body
	Accepts string  // media type of a body that is not JSON
	Answer  any     // a value of the type that the answer holds; nil is no body
	Returns string  // media type of an answer that is not JSON
	InKind  string  // media type of an answer beside JSON, for whoever asks for it; "" is none
	Lines   any     // a value of the type of the lines before Answer, where the caller wants MediaLines; nil is no such answer
	Unready any     // a value of the type that a 503 holds, where it is no Problem
	Fails   Fails   // every kind of problem that it may answer
}

// Kind says who calls a route.
type Kind int

const (
	// Program is for programs, with a bearer token in the request.
	Program Kind = iota
	// Page is for browsers: it is answered with the headers that keep other sites out, and what
	// changes something must come from a page of this node.
	Page
	// File is a static file of pages, whose name changes with its content.
	File
)

// Param is one parameter of the query.
type Param struct {
	Name    string
	Type    string // string, integer or boolean
	Summary string
	Enum    []string
}

// DryRun is the name of the parameter with which nothing is recorded.
const DryRun = "dry_run"

// OneOrMore marks a body that is one object of the type of Of, or an array of Most of them at
// most.
type OneOrMore struct {
	Of   any
	Most int
}

// Fails says with which kinds of problem a route may answer, and when: a clause of a sentence
// for each.
type Fails map[wire.Kind]string

// And is both: where both name a kind, with both clauses.
func (f Fails) And(others ...Fails) Fails {
	out := maps.Clone(f)
	if out == nil {
		out = Fails{}
	}
	for _, other := range others {
		for _, kind := range slices.Sorted(maps.Keys(other)) {
			if said := out[kind]; said != "" && said != other[kind] {
				out[kind] = said + "; or " + other[kind]
				continue
			}
			out[kind] = other[kind]
		}
	}
	return out
}
