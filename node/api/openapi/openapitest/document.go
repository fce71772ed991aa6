// Package openapitest holds what a node answers against the description of its API, for tests
// of whatever speaks to it: every status must be listed for its route, every problem must be of
// a kind that the route may fail with, and every body must be as described. It owns how that is
// looked at, and knows nothing of the API but the description that it is given.
package openapitest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// Document is a description that was read. It may be used from any goroutine.
type Document struct {
	doc struct {
		Paths      map[string]map[string]*Operation `json:"paths"`
		Components struct {
			Schemas  map[string]*schema `json:"schemas"`
			Examples map[string]example `json:"examples"`
		} `json:"components"`
	}
	mux *http.ServeMux // finds the path of a request
}

// Operation is what is said of one route.
type Operation struct {
	ID          string              `json:"operationId"`
	RequestBody *body               `json:"requestBody"`
	Responses   map[string]response `json:"responses"`
}

type body struct {
	Content map[string]media `json:"content"`
}

type response struct {
	Description string           `json:"description"`
	Content     map[string]media `json:"content"`
	Kinds       []string         `json:"x-kinds"` // of the problems with this status
}

type media struct {
	Schema   *schema            `json:"schema"`
	Data     *schema            `json:"x-data"`
	Example  json.RawMessage    `json:"example"`
	Examples map[string]example `json:"examples"`
}

type example struct {
	Ref   string          `json:"$ref"`
	Value json.RawMessage `json:"value"`
}

// Read reads a description of package openapi.
func Read(raw []byte) (*Document, error) {
	d := &Document{mux: http.NewServeMux()}
	if err := json.Unmarshal(raw, &d.doc); err != nil {
		return nil, fmt.Errorf("reading the description: %w", err)
	}
	for path, methods := range d.doc.Paths {
		pattern := path
		if strings.HasSuffix(path, "/") {
			pattern += "{$}"
		}
		for method := range methods {
			d.mux.Handle(strings.ToUpper(method)+" "+pattern, http.NotFoundHandler())
		}
	}
	return d, nil
}

// operation finds what a request asks for; nil is nothing that is described.
func (d *Document) operation(r *http.Request) *Operation {
	asked, at := *r, *r.URL
	if at.Path != "/" { // a slash at the end is not described
		at.Path = strings.TrimSuffix(at.Path, "/")
	}
	asked.URL = &at
	_, pattern := d.mux.Handler(&asked)
	method, path, ok := strings.Cut(pattern, " ")
	if !ok {
		return nil
	}
	return d.doc.Paths[strings.TrimSuffix(path, "{$}")][strings.ToLower(method)]
}

// Answer says what in an answer is not as described; nil is nothing. A request that no route
// takes has 404 or 405 for an answer. raw is the whole body; where it is nil only status and
// media type are looked at.
func (d *Document) Answer(r *http.Request, status int, header http.Header, raw []byte) error {
	op := d.operation(r)
	if op == nil {
		if status != http.StatusNotFound && status != http.StatusMethodNotAllowed {
			return fmt.Errorf("%s %s is not described, and was answered %d", r.Method, r.URL.Path, status)
		}
		return nil
	}
	if err := d.answer(op, status, header, raw); err != nil {
		return fmt.Errorf("the answer %d of %s is not as its description says: %w: %s", status, op.ID, err, bytes.TrimSpace(raw[:min(len(raw), 500)]))
	}
	return nil
}

func (d *Document) answer(op *Operation, status int, header http.Header, raw []byte) error {
	said, ok := op.Responses[strconv.Itoa(status)]
	if !ok {
		return errors.New("this status is not listed")
	}
	if len(said.Content) == 0 {
		if len(raw) > 0 {
			return errors.New("no body is described")
		}
		return nil
	}
	typ, _, err := mime.ParseMediaType(header.Get("Content-Type"))
	if err != nil {
		return fmt.Errorf("its media type cannot be read: %w", err)
	}
	m, ok := said.Content[typ]
	if !ok {
		m, ok = said.Content["*/*"] // RFC 9110, 12.5.1
	}
	switch {
	case !ok:
		return fmt.Errorf("the media type %s is not listed", typ)
	case raw == nil:
		return nil
	case typ == "application/x-ndjson" && m.Data != nil:
		return d.lines(m, raw)
	case typ != "application/json":
		return nil
	}
	value, err := decoded(raw)
	if err != nil {
		return err
	}
	if err := d.fits(m.Schema, value, "the body"); err != nil {
		return err
	}
	if said.Kinds == nil {
		return nil
	}
	kind, _ := value.(map[string]any)["kind"].(string)
	if !slices.Contains(said.Kinds, kind) {
		return fmt.Errorf("the kind %s is not listed, only %s", kind, strings.Join(said.Kinds, ", "))
	}
	return nil
}

// lines holds each line of a body against the schema of its data.
func (d *Document) lines(m media, raw []byte) error {
	for line := range bytes.Lines(raw) {
		value, err := decoded(line)
		if err == nil {
			err = d.fits(m.Data, value, "the line")
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// decoded is one JSON value with its numbers as they are written.
func decoded(raw []byte) (v any, err error) {
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	if err := dec.Decode(&v); err != nil {
		return nil, fmt.Errorf("reading JSON: %w", err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("it holds more than one JSON value")
	}
	return v, nil
}
