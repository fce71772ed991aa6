package frame

import (
	"bytes"
	"context"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"

	"almenara/node/wire"
)

// drawnAt is the field of a form that was drawn again: the path of the page that it is of, because the browser says
// the path to which it was sent.
const drawnAt = "drawn-at"

// redraw shows a form that was refused as it was typed, with why before it; false where no page has that form, or
// where it has no field for something that was typed. Nothing is sent by it. Passwords are typed again.
func (f *Frame) redraw(q *Request, p *wire.Problem) bool {
	typed := q.R.PostForm
	if q.R.Method != http.MethodPost || q.Route.Upload > 0 || q.Who == nil || len(typed) == 0 {
		return false
	}
	for _, path := range q.drawn() {
		for _, method := range []string{http.MethodGet, http.MethodPost} {
			page := f.page(q, method, path)
			if page == nil {
				continue
			}
			if out := f.withRefusal(q, p, path, page.body.Bytes()); out != nil {
				page.status, page.body = wire.HTTPStatus(p.Kind), *bytes.NewBuffer(out)
				page.send(q.W)
				return true
			}
		}
	}
	return false
}

// drawn are the paths of the pages that the form may be of, the likeliest first.
func (q *Request) drawn() (out []string) {
	paths := []string{q.R.PostForm.Get(drawnAt)}
	if from, err := url.Parse(q.R.Header.Get("Referer")); err == nil && from.Host == q.R.Host {
		paths = append(paths, from.RequestURI())
		if from.Path == Below+"language" {
			paths = append(paths, from.Query().Get("back"))
		}
	}
	for _, path := range append(paths, q.R.URL.RequestURI()) {
		if path = q.Inside(withoutEffect(path)); path != Below && !slices.Contains(out, path) {
			out = append(out, path)
		}
	}
	return out
}

// withoutEffect is an address without what an earlier form has done, which its page would say beside the refusal.
func withoutEffect(path string) string {
	page, err := url.Parse(path)
	if err != nil {
		return path
	}
	said := page.Query()
	if said.Has("effect") {
		said.Del("effect")
		page.RawQuery = said.Encode()
	}
	return page.RequestURI()
}

// keepTyped is a page that a route itself shows because it refuses a form, with what was typed in that form. What is
// hidden in it is left to the route: it may say what was read anew.
func (q *Request) keepTyped(page []byte) []byte {
	if q.R.Method != http.MethodPost || q.Route.Upload > 0 || len(q.R.PostForm) == 0 {
		return page
	}
	doc, err := html.Parse(bytes.NewReader(page))
	if err != nil {
		return page
	}
	form := sentBy(doc, q.R)
	if form == nil {
		return page
	}
	typed := maps.Clone(q.R.PostForm)
	for field := range form.Descendants() {
		if strings.EqualFold(attribute(field, "type"), "hidden") {
			delete(typed, attribute(field, "name"))
		}
	}
	fillIn(form, withoutWord(typed))
	var out bytes.Buffer
	if html.Render(&out, doc) != nil {
		return page
	}
	return out.Bytes()
}

// withoutWord is a form without the word that is typed to confirm what cannot be undone: each time anew.
func withoutWord(typed url.Values) url.Values {
	typed = maps.Clone(typed)
	delete(typed, "word")
	return typed
}

// page is a page as it is asked for, or, by a form, as its own route draws it again with what was typed; nil where
// there is none.
func (f *Frame) page(q *Request, method, path string) *answer {
	at, err := url.ParseRequestURI(path)
	if err != nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(q.R.Context()), answerIn)
	defer cancel()
	r := q.R.Clone(ctx)
	form := maps.Clone(q.R.PostForm)
	form.Set("do", "check")
	if r = asking(r, method, at, form); method == http.MethodPost {
		if _, pattern := f.mux.Handler(r); !f.redraws[pattern] {
			return nil
		}
	}
	page := &answer{header: http.Header{}, status: http.StatusOK}
	f.mux.ServeHTTP(page, r)
	if page.status != http.StatusOK || !strings.HasPrefix(page.header.Get("Content-Type"), "text/html") {
		return nil
	}
	return page
}

// withRefusal is a page with the form as it was typed and why it was refused; nil where it has no such form.
func (f *Frame) withRefusal(q *Request, p *wire.Problem, path string, page []byte) []byte {
	doc, err := html.Parse(bytes.NewReader(page))
	if err != nil {
		return nil
	}
	form := sentBy(doc, q.R)
	if form == nil || !holds(form, q.R.PostForm) {
		return nil
	}
	fillIn(form, withoutWord(q.R.PostForm))
	form.AppendChild(&html.Node{Type: html.ElementNode, Data: "input", DataAtom: atom.Input, Attr: []html.Attribute{
		{Key: "type", Val: "hidden"}, {Key: "name", Val: drawnAt}, {Key: "value", Val: path},
	}})
	var said, out bytes.Buffer
	data := f.problemPage(q, p)
	data.Path = path
	if err := f.templates["problem"].ExecuteTemplate(&said, "refusal", data); err != nil {
		return nil
	}
	parts, err := html.ParseFragment(&said, form.Parent)
	if err != nil {
		return nil
	}
	for _, part := range parts {
		form.Parent.InsertBefore(part, form)
	}
	open(form)
	if html.Render(&out, doc) != nil {
		return nil
	}
	return out.Bytes()
}

// sentBy is the form of a page that sends to where the request was sent; of several the one that has most of the
// same hidden fields, and nil where none has anything to type.
func sentBy(doc *html.Node, r *http.Request) (found *html.Node) {
	most := -1
	for n := range doc.Descendants() {
		if n.Type != html.ElementNode || n.Data != "form" || !strings.EqualFold(attribute(n, "method"), http.MethodPost) {
			continue
		}
		if to, err := url.Parse(attribute(n, "action")); err != nil || to.Path != r.URL.Path {
			continue
		}
		same, toType := 0, false
		for field := range n.Descendants() {
			name, kind := attribute(field, "name"), strings.ToLower(attribute(field, "type"))
			switch {
			case field.Type != html.ElementNode || name == "":
			case field.Data == "textarea" || field.Data == "select":
				toType = true
			case field.Data != "input":
			case kind == "hidden" && slices.Contains(r.PostForm[name], attribute(field, "value")):
				same++
			case kind != "hidden" && kind != "password" && kind != "submit":
				toType = true
			}
		}
		if toType && same > most {
			found, most = n, same
		}
	}
	return found
}

// holds reports whether a form has a field, or a button, for all that was typed.
func holds(form *html.Node, typed url.Values) bool {
	names := map[string]bool{"password": true, drawnAt: true}
	for n := range form.Descendants() {
		if n.Type == html.ElementNode {
			names[attribute(n, "name")] = true
		}
	}
	for name := range typed {
		if !names[name] {
			return false
		}
	}
	return true
}
