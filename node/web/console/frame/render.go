package frame

import (
	"bytes"
	"net/http"
	"strings"
	"time"

	"almenara/node/web/console/said"
	"almenara/node/web/console/words"
	"almenara/node/wire"
	"almenara/node/wire/why"
)

// file answers with a style or a script.
func (f *Frame) file(q *Request) error {
	name := q.R.PathValue("file")
	if !f.static.Serve(q.W, q.R, name) {
		return wire.Problemf(wire.KindNotFound, "there is no file %.100q of a page", name).Because(why.NoPage, name)
	}
	return nil
}

// Page is what every page is filled with. Pages embed it.
type Page struct {
	*words.Language
	Title   string
	Zone    string // of the times in its forms
	Path    string // of this page, to come back to
	Again   string // what the form says besides to be drawn again as this page; "" where it need not
	Styles  []string
	Scripts []string
	User    string // "" where nobody has signed in
	Only    bool   // the session is one of this node only
	Nav     []NavItem
	Banner  Banner
	Idle    bool // the password is needed before something is sent
}

// NavItem is a link to a page.
type NavItem struct {
	Path, Label string
	Here        bool
}

// headerPart is set by our own script when it asks for a page to take parts of it. That is no sign of
// a person.
const headerPart = "Almenara-Part"

// Page makes the base of a page: name is that of its template, style, script and title. Styles that it shares with
// others are named besides; the scripts of the same names come along.
func (q *Request) Page(name string, shared ...string) Page {
	f := q.frame
	p := Page{
		Language: q.Lang, Title: q.Lang.T(name + ".title"), Zone: q.Now.In(f.opts.Zone).Format("MST"), Path: q.Inside(q.R.URL.RequestURI()),
		Styles: f.Styles(name, shared...), Scripts: f.scripts(append(shared, name)...), Banner: f.banner(q, q.Who != nil),
	}
	if q.R.Method != http.MethodGet && !f.asks(q.R) { // what a form answered cannot be asked for again
		p.Path = Below
	}
	if q.Who == nil {
		return p
	}
	p.User, p.Only, p.Idle = q.Who.Caller.Name, q.Who.OnlyHere, q.Who.Idle
	for _, item := range f.opts.Nav {
		if item.Action == "" || q.May(item.Action) {
			label := q.Lang.T(item.Name + ".title")
			if short := "nav-" + item.Name + ".title"; q.Lang.Has(short) { // a telephone has little room
				label = q.Lang.T(short)
			}
			p.Nav = append(p.Nav, NavItem{Below + item.Name, label, item.Name == name})
		}
	}
	return p
}

// asks reports whether a page can be asked for at the path to which a form was sent.
func (f *Frame) asks(r *http.Request) bool {
	get := *r
	get.Method = http.MethodGet
	_, pattern := f.mux.Handler(&get)
	return strings.HasPrefix(pattern, http.MethodGet+" ")
}

// Styles are the paths of the styles of a page.
func (f *Frame) Styles(name string, shared ...string) []string {
	out := []string{f.static.Path("_layout.css")}
	for _, style := range shared {
		out = append(out, f.static.Path(style+".css"))
	}
	if own := f.static.Path(name + ".css"); own != "" {
		out = append(out, own)
	}
	return out
}

// scripts are the paths of the scripts of a page: what is live, what sounds, and those of the names that have one.
func (f *Frame) scripts(names ...string) []string {
	out := []string{f.static.Path("console.js"), f.static.Path("sound.js")}
	for _, name := range names {
		if own := f.static.Path(name + ".js"); own != "" {
			out = append(out, own)
		}
	}
	return out
}

// Show writes a page.
func (q *Request) Show(name string, data any) error { return q.ShowAs(http.StatusOK, name, data) }

// ShowAs writes a page with a status.
func (q *Request) ShowAs(status int, name string, data any) error {
	var out bytes.Buffer
	if err := q.frame.templates[name].ExecuteTemplate(&out, "layout", data); err != nil {
		return err
	}
	body := out.Bytes()
	if status >= http.StatusBadRequest {
		body = q.keepTyped(body)
	}
	h := q.W.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Language", q.Lang.Tag)
	h.Set("Vary", "Accept-Language, Cookie")
	q.W.WriteHeader(status)
	_, _ = q.W.Write(withTyped(body))
	return nil
}

// ProblemPage says what went wrong.
type ProblemPage struct {
	Page
	Says     string // what kind of problem it is, in the person's language
	Sentence Said
	Details  []string
	Alert    string
	Help     string // path of what the handbook says of it
	SignIn   bool   // the session has ended
}

// problemPage says a problem in the person's language.
func (f *Frame) problemPage(q *Request, p *wire.Problem) ProblemPage {
	data := ProblemPage{Page: q.Page("problem"), Sentence: q.Said(p), Details: p.Details, Alert: p.Alert, Help: help("problem." + p.Kind), SignIn: p.Kind == wire.KindUnauthenticated && q.Who == nil}
	data.Says = q.Lang.T("problem." + p.Kind)
	if len(data.Sentence.Points) > 0 {
		data.Details = nil // the points say the same, in the person's language
	}
	return data
}

func (f *Frame) showProblem(q *Request, p *wire.Problem) {
	if f.redraw(q, p) {
		return
	}
	data := f.problemPage(q, p)
	if err := q.ShowAs(wire.HTTPStatus(p.Kind), "problem", data); err != nil {
		f.log.Error("showing a problem", "error", err)
		http.Error(q.W, p.Sentence, wire.HTTPStatus(p.Kind))
	}
}

// ClockTime writes a time of day, with the date where it is not today, and DayTime always with the date, in the
// node's zone, which they name: a reader may be elsewhere. The zero time is a dash.
func (q *Request) ClockTime(t time.Time) string {
	form, zone := "15:04:05 MST", q.frame.opts.Zone
	if t.In(zone).Format(time.DateOnly) != q.Now.In(zone).Format(time.DateOnly) {
		form = "2006-01-02 " + form
	}
	return said.Stamp(t, zone, form)
}

// DayTime is said at ClockTime.
func (q *Request) DayTime(t time.Time) string {
	return q.reader().Time(t)
}

// FormTime is a time that a person chose in a field of a form (datetime-local), in the node's
// zone; the zero time where there is none, or none that can be read.
func (q *Request) FormTime(text string) time.Time {
	if text == "" {
		return time.Time{}
	}
	t, err := time.ParseInLocation("2006-01-02T15:04", text, q.frame.opts.Zone)
	if err != nil {
		return time.Time{}
	}
	return t
}

// FieldTime is a time as FormTime reads it.
func (q *Request) FieldTime(t time.Time) string {
	return t.In(q.frame.opts.Zone).Format("2006-01-02T15:04")
}
