// Package frame is what all pages of the console have in common: who asks and whether that person may,
// which hosts and which kind of request are taken, the language, the layout with its banner, and how
// problems are shown. A page is a function that it is given with a line of the route table. It holds no
// page and no rule, and never imports console, api or a room that does the work.
package frame

import (
	"cmp"
	"context"
	"html/template"
	"io/fs"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"almenara/node/api/rates"
	"almenara/node/authority"
	"almenara/node/service"
	"almenara/node/signin"
	"almenara/node/web"
	"almenara/node/wire"
)

// Sessions knows who has signed in; *signin.SignIn is one.
type Sessions interface {
	Find(cookie string) (signin.Who, error)
	Again(ctx context.Context, w signin.Who, password, address string) error
	Seen(w signin.Who)
}

// Options are the settings of a Frame. Clock, Sessions, Status, Templates and Static must be set.
type Options struct {
	Below    string // where the pages are, with both slashes
	Sessions Sessions
	Status   service.Status
	// Templates are the pages by their names, NAME.html; those that begin with _ are parts of all.
	Templates fs.FS
	// Static are styles and scripts: _layout.css, NAME.css of a page, and Script.
	Static fs.FS
	Script string
	Nav    []Nav

	Clock  func() time.Time
	Zone   *time.Location              // in which times are shown; nil is the machine's
	Hosts  func() []string             // names under which the node is reached, besides its addresses and loopback; nil is none
	Drill  func() bool                 // whether the node is of a drill copy; nil is never
	Logger *slog.Logger                // nil discards
	Trust  func() error                // asked before what is agreed is shown; its error is the answer; nil trusts it
	Known  func(*http.Request, string) // told that a request is of this user; nil is nothing to tell
}

// Nav is a page that is linked from every page, for whoever may do the action.
type Nav struct {
	Name   string
	Action authority.Action
}

// Route is one line of a table of pages.
type Route struct {
	Method, Path string
	Open         bool             // whoever has not signed in may ask, too
	Action       authority.Action // else: says who may; "" is everybody who has signed in
	Sends        bool             // who was idle for long types the password again
	Stream       bool             // its answer does not end, and is no sign of a person
	// Handle answers. A returned error is shown by the one function that knows how; then nothing may
	// have been written.
	Handle func(*Request) error
}

// Frame serves pages. It may be used from any goroutine.
type Frame struct {
	opts      Options
	log       *slog.Logger
	mux       *http.ServeMux
	limits    *rates.Limits
	templates map[string]*template.Template
	static    *web.Files
}

// New makes a frame around the routes. Every template is read, so that one that cannot be is found at
// once.
func New(opts Options, routes []Route) (*Frame, error) {
	opts.Logger = cmp.Or(opts.Logger, slog.New(slog.DiscardHandler))
	opts.Zone = cmp.Or(opts.Zone, time.Local)
	if opts.Hosts == nil {
		opts.Hosts = func() []string { return nil }
	}
	f := &Frame{opts: opts, log: opts.Logger.With("component", "console"), mux: http.NewServeMux(), limits: rates.New()}
	var err error
	if f.templates, err = parse(opts.Templates); err != nil {
		return nil, err
	}
	if f.static, err = web.NewFiles(opts.Below+"static/", opts.Static); err != nil {
		return nil, err
	}
	routes = append([]Route{
		{Method: "GET", Path: opts.Below + "static/{file}", Open: true, Handle: f.file},
		{Method: "POST", Path: opts.Below + "language", Open: true, Handle: setLanguage},
	}, routes...)
	for _, r := range routes {
		f.mux.Handle(r.Method+" "+r.Path, f.serve(r))
	}
	f.mux.HandleFunc("/", f.unrouted)
	return f, nil
}

// ServeHTTP answers one request.
func (f *Frame) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if f.drill() {
		w.Header().Set(wire.HeaderDrill, wire.DrillCopy)
	}
	f.mux.ServeHTTP(w, r)
}

func (f *Frame) drill() bool { return f.opts.Drill != nil && f.opts.Drill() }

// Template is the template of a page; nil where there is none.
func (f *Frame) Template(name string) *template.Template { return f.templates[name] }

// parse reads every page's template with the parts that all have.
func parse(folder fs.FS) (map[string]*template.Template, error) {
	all := map[string]*template.Template{}
	names, err := fs.Glob(folder, "*.html")
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		if strings.HasPrefix(name, "_") {
			continue
		}
		t, err := template.ParseFS(folder, "_*.html", name)
		if err != nil {
			return nil, err
		}
		all[strings.TrimSuffix(name, ".html")] = t
	}
	return all, nil
}
