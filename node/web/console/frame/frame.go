// Package frame is what all pages of the console have in common: who asks and whether that person may,
// which hosts and which kind of request are taken, the language, the layout with its banner, and how
// problems are shown. A page is a function that it is given with a line of the route table. It holds no
// page and no rule, and never imports console, api or a room that does the work.
package frame

import (
	"cmp"
	"context"
	"embed"
	"fmt"
	"html/template"
	"io/fs"
	"log/slog"
	"net/http"
	"strings"
	"sync"
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

// Below is where the console's pages are.
const Below = "/console/"

// The layout with its style, the parts that any page may use, the script of what is live, and the page
// that says what went wrong.
//
//go:embed *.html *.css *.js
var own embed.FS

// Room is the pages about one thing: their lines of the route table, and what they are made of.
type Room struct {
	Routes []Route
	// Pages has the templates of the pages by their names, NAME.html, which are of all rooms, and the
	// style and the script of each where it has its own: NAME.css and NAME.js. What begins with _ is a
	// part of the templates of this room.
	Pages fs.FS
}

// Options are the settings of a Frame. Clock, Sessions and Status must be set.
type Options struct {
	Sessions Sessions
	Status   service.Status
	Nav      []Nav

	Clock  func() time.Time
	Zone   *time.Location              // in which times are shown; nil is the machine's
	Hosts  func() []string             // names under which the node is reached, besides its addresses and loopback; nil is none
	Drill  func() bool                 // whether the node is of a drill copy; nil is never
	Logger *slog.Logger                // nil discards
	Trust  func() error                // asked before what is agreed is shown; its error is the answer; nil trusts it
	Known  func(*http.Request, string) // told that a request is of this user; nil is nothing to tell
}

// Nav is a page that is linked from every page, for whoever may do the action; "" is everybody who has signed in.
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
	Tries        bool             // a form that sends and changes nothing: what it holds is only tried
	Redraws      bool             // of one that Tries: it draws the form again as it was typed
	Stream       bool             // its answer does not end, and is no sign of a person
	Upload       int64            // its form is multipart/form-data with a file as the last field, of this many bytes at most; 0: it takes none
	Within       time.Duration    // how long it may take; 0 is 30 s, which is also the least
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
	redraws   map[string]bool // patterns of routes that draw a form again
	static    *web.Files
}

// New makes a frame around the rooms. Every template is read, so that one that cannot be is found at
// once.
func New(opts Options, rooms ...Room) (*Frame, error) {
	opts.Logger = cmp.Or(opts.Logger, slog.New(slog.DiscardHandler))
	opts.Zone = cmp.Or(opts.Zone, time.Local)
	if opts.Hosts == nil {
		opts.Hosts = func() []string { return nil }
	}
	f := &Frame{opts: opts, log: opts.Logger.With("component", "console"), mux: http.NewServeMux(), limits: rates.New(), templates: map[string]*template.Template{}, redraws: map[string]bool{}}
	var err error
	var folders []fs.FS
	for _, room := range append([]Room{{Pages: own, Routes: []Route{
		{Method: "GET", Path: Below + "static/{file}", Open: true, Handle: f.file},
		{Method: "POST", Path: Below + "language", Open: true, Handle: f.setLanguage},
		{Method: "GET", Path: Below + "language", Open: true, Handle: languagePage},
	}}}, rooms...) {
		if err := f.addTemplates(room.Pages); err != nil {
			return nil, err
		}
		folders = append(folders, room.Pages)
		for _, r := range room.Routes {
			f.mux.Handle(r.Method+" "+r.Path, f.serve(r))
			f.redraws[r.Method+" "+r.Path] = r.Tries && r.Redraws
		}
	}
	if f.static, err = web.NewFiles(Below+"static/", folders...); err != nil {
		return nil, err
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

// common is the layout with the parts that any page may use.
var common = sync.OnceValue(func() *template.Template { return template.Must(template.ParseFS(own, "_*.html")) })

// addTemplates makes the templates of a room those of pages.
func (f *Frame) addTemplates(room fs.FS) error {
	read, err := templates(room)
	if err != nil {
		return err
	}
	for name, t := range read {
		if f.templates[name] != nil {
			return fmt.Errorf("two rooms have a page %s", name)
		}
		f.templates[name] = t
	}
	return nil
}

// parsed are the templates of the rooms that are part of the program, by their folders (embed.FS): each is read
// once, however many frames there are. A template holds nothing of a request and nothing of a frame, and is not
// modified once parsed.
var parsed sync.Map

// templates are those of a room, by their names; the map is shared, and only read.
func templates(room fs.FS) (map[string]*template.Template, error) {
	folder, embedded := room.(embed.FS)
	if !embedded {
		return parse(room)
	}
	if read, ok := parsed.Load(folder); ok {
		return read.(map[string]*template.Template), nil
	}
	read, err := parse(room)
	if err != nil {
		return nil, err
	}
	kept, _ := parsed.LoadOrStore(folder, read)
	return kept.(map[string]*template.Template), nil
}

// parse reads the templates of a room, with the parts that all have and its own.
func parse(room fs.FS) (map[string]*template.Template, error) {
	names, err := fs.Glob(room, "*.html")
	if err != nil {
		return nil, err
	}
	parts, err := fs.Glob(room, "_*.html")
	if err != nil {
		return nil, err
	}
	out := map[string]*template.Template{}
	for _, file := range names {
		name := strings.TrimSuffix(file, ".html")
		if strings.HasPrefix(file, "_") {
			continue
		}
		t, err := common().Clone()
		if err != nil {
			return nil, err
		}
		if out[name], err = t.ParseFS(room, append(parts, file)...); err != nil {
			return nil, err
		}
	}
	return out, nil
}
