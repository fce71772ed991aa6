package frame

import (
	"bytes"
	"cmp"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"golang.org/x/net/html"

	"almenara/node/web/console/words"
)

// A person who takes the other language in the middle of a form sends the form with it, and gets the page
// again in that language with what was typed; nothing of it is done. Of a page with several forms it is the one
// with this id, or the one in which the person has typed last, which the script then says by its action.
const typedForm = "typed"

// offers marks the button of the other language: ShowAs makes it one of the form whose typing is kept.
const offers = " data-language"

// withTyped makes the button of the other language one of the form that says so.
func withTyped(page []byte) []byte {
	if !bytes.Contains(page, []byte(`<form id="`+typedForm+`"`)) {
		return page
	}
	return bytes.Replace(page, []byte(offers), []byte(` form="`+typedForm+`"`+offers), 1)
}

// setLanguage keeps the chosen language in the browser, and shows the page again: with what was typed where a
// form came along.
func (f *Frame) setLanguage(q *Request) error {
	asked, form := q.R.URL.Query(), q.R.PostForm
	chosen := &http.Cookie{
		Name: languageCookie, Value: words.Pick(cmp.Or(asked.Get("language"), q.Form("language"))).Tag, Path: Below, MaxAge: 365 * 24 * 3600,
		Secure: q.R.TLS != nil, HttpOnly: true, SameSite: http.SameSiteStrictMode,
	}
	http.SetCookie(q.W, chosen)
	back := q.Inside(cmp.Or(asked.Get("back"), q.Form("back")))
	if form.Del("back"); !asked.Has("back") || len(form) == 0 {
		return q.To(back)
	}
	if do := asked.Get("do"); do != "" {
		form.Set("do", do)
	}
	return f.again(q, back, chosen, form, asked.Get("form"))
}

// languagePage is where a browser ends that asks again for the address of a page in the other language.
func languagePage(q *Request) error { return q.To(q.Inside(q.R.URL.Query().Get("back"))) }

// again shows a page in another language as if it had been asked for, with the form as it was typed. A form that
// its own route draws again goes there: it may have more fields than at first. Any other is filled in.
func (f *Frame) again(q *Request, path string, chosen *http.Cookie, form url.Values, action string) error {
	at, err := url.ParseRequestURI(path)
	if err != nil {
		return q.To(Below)
	}
	r := asking(q.R.Clone(q.R.Context()), http.MethodPost, at, form)
	r.Header.Del("Cookie")
	for _, cookie := range q.R.Cookies() {
		if cookie.Name != languageCookie {
			r.AddCookie(cookie)
		}
	}
	r.AddCookie(&http.Cookie{Name: chosen.Name, Value: chosen.Value})
	_, pattern := f.mux.Handler(r)
	drawn := f.redraws[pattern]
	if !drawn {
		r = asking(r, http.MethodGet, at, nil)
	}
	page := &answer{header: http.Header{}, status: http.StatusOK}
	f.mux.ServeHTTP(page, r)
	out := page.body.Bytes()
	if !drawn && page.status == http.StatusOK && strings.HasPrefix(page.header.Get("Content-Type"), "text/html") {
		out = filled(out, form, action)
	}
	page.body = *bytes.NewBuffer(out)
	page.send(q.W)
	return nil
}

// asking makes a copy of a request one for another path, with a form where it is a POST.
func asking(r *http.Request, method string, at *url.URL, form url.Values) *http.Request {
	r.URL, r.RequestURI, r.Form, r.PostForm, r.MultipartForm = at, at.RequestURI(), nil, nil, nil
	r.Method, r.Body, r.ContentLength = method, http.NoBody, 0
	if method == http.MethodPost {
		body := form.Encode()
		r.Body, r.ContentLength = readCloser{strings.NewReader(body)}, int64(len(body))
	}
	return r
}

// readCloser has nothing to close.
type readCloser struct{ *strings.Reader }

// Close does nothing.
func (readCloser) Close() error { return nil }

// answer is a page that is kept before it is sent.
type answer struct {
	header http.Header
	status int
	body   bytes.Buffer
}

// Header, WriteHeader and Write make it an http.ResponseWriter.
func (a *answer) Header() http.Header               { return a.header }
func (a *answer) WriteHeader(status int)            { a.status = status }
func (a *answer) Write(p []byte) (n int, err error) { return a.body.Write(p) }

// send sends it.
func (a *answer) send(w http.ResponseWriter) {
	for name, values := range a.header {
		if name == "Set-Cookie" {
			values = append(w.Header()[name], values...)
		}
		w.Header()[name] = values
	}
	w.WriteHeader(a.status)
	_, _ = w.Write(a.body.Bytes()) // the browser is gone
}

// filled is the page with the values of a form in its fields; what it has no field for is left away. Passwords
// and files are not filled in.
func filled(page []byte, form url.Values, action string) []byte {
	doc, err := html.Parse(bytes.NewReader(page))
	if err != nil {
		return page
	}
	into := formIn(doc, action)
	if into == nil {
		return page
	}
	fillIn(into, form)
	var out bytes.Buffer
	if html.Render(&out, doc) != nil {
		return page
	}
	return out.Bytes()
}

// formIn is the form with the action, else the one whose typing is kept; nil where there is none.
func formIn(doc *html.Node, action string) (found *html.Node) {
	for n := range doc.Descendants() {
		if n.Type != html.ElementNode || n.Data != "form" {
			continue
		}
		if action != "" && attribute(n, "action") == action {
			return n
		}
		if attribute(n, "id") == typedForm {
			found = n
		}
	}
	return found
}

// filling gives fields their values: of fields with one name each the next one.
type filling struct{ all, left url.Values }

// fillIn fills a form in.
func fillIn(form *html.Node, with url.Values) {
	w := filling{all: with, left: url.Values{}}
	for name, values := range with {
		w.left[name] = slices.Clone(values)
	}
	w.fill(form)
}

func (w filling) fill(form *html.Node) {
	for n := range form.Descendants() {
		if n.Type != html.ElementNode {
			continue
		}
		name, before := attribute(n, "name"), attribute(n, "value")
		switch n.Data {
		case "input":
			w.input(n, name, before)
		case "textarea":
			if text, given := w.next(name); given {
				for n.FirstChild != nil {
					n.RemoveChild(n.FirstChild)
				}
				n.AppendChild(&html.Node{Type: html.TextNode, Data: text})
				open(n)
			}
		case "select":
			w.options(n, name)
		}
	}
}

func (w filling) input(n *html.Node, name, before string) {
	switch strings.ToLower(attribute(n, "type")) {
	case "password", "file", "submit", "button", "image", "reset":
	case "radio":
		if w.all.Has(name) {
			set(n, "checked", slices.Contains(w.all[name], before))
		}
	case "checkbox":
		set(n, "checked", name != "" && slices.Contains(w.all[name], cmp.Or(before, "on")))
	default:
		if text, given := w.next(name); given && text != before {
			set(n, "value", false)
			n.Attr = append(n.Attr, html.Attribute{Key: "value", Val: text})
			open(n)
		}
	}
}

func (w filling) options(n *html.Node, name string) {
	if !w.all.Has(name) {
		return
	}
	for option := range n.Descendants() {
		if option.Type == html.ElementNode && option.Data == "option" {
			value := attribute(option, "value")
			if !slices.ContainsFunc(option.Attr, func(a html.Attribute) bool { return a.Key == "value" }) && option.FirstChild != nil {
				value = option.FirstChild.Data
			}
			set(option, "selected", slices.Contains(w.all[name], value))
		}
	}
}

// next is the next value of the name.
func (w filling) next(name string) (text string, given bool) {
	values := w.left[name]
	if name == "" || len(values) == 0 {
		return "", false
	}
	w.left[name] = values[1:]
	return strings.ReplaceAll(values[0], "\r\n", "\n"), true
}

// open opens what a field is folded in.
func open(n *html.Node) {
	for up := n.Parent; up != nil; up = up.Parent {
		if up.Type == html.ElementNode && up.Data == "details" {
			set(up, "open", true)
		}
	}
}

func attribute(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

// set gives an element an attribute without a value, or takes an attribute from it.
func set(n *html.Node, name string, on bool) {
	n.Attr = slices.DeleteFunc(n.Attr, func(a html.Attribute) bool { return a.Key == name })
	if on {
		n.Attr = append(n.Attr, html.Attribute{Key: name})
	}
}
