package frame

import (
	"context"
	"errors"
	"mime"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"almenara/node/authority"
	"almenara/node/signin"
	"almenara/node/web"
	"almenara/node/web/console/words"
	"almenara/node/wire"
	"almenara/node/wire/why"
)

// maxForm is the most that a form may hold, in bytes: the texts of an alert in several languages.
const maxForm = 256 << 10

// answerIn is how long a page may take.
const answerIn = 30 * time.Second

// Request is one request for a page, of who may ask for it. It is used by one goroutine.
type Request struct {
	Route Route
	W     http.ResponseWriter
	R     *http.Request
	Who   *signin.Who // nil where nobody has signed in
	Lang  *words.Language
	Now   time.Time

	frame *Frame
	file  *File
}

// By is the person who asks.
func (q *Request) By() authority.Caller { return q.Who.Caller }

// May reports whether the person's role allows the action at all: what it does not is not shown.
func (q *Request) May(action authority.Action) bool {
	return q.Who != nil && authority.Door(q.Who.Caller, action) == nil
}

// Form is a field of the form, without space around it.
func (q *Request) Form(name string) string { return strings.TrimSpace(q.R.PostFormValue(name)) }

// Done is what a page is to say that was done just now; "" is nothing. Whoever leads a person here from elsewhere
// makes no page say so: of browsers that tell where they come from, a page of the console alone does.
func (q *Request) Done() string {
	if from := q.R.Header.Get("Sec-Fetch-Site"); from != "" && from != "same-origin" {
		return ""
	}
	return q.R.URL.Query().Get("done")
}

// To sends the browser on to another page.
func (q *Request) To(path string) error {
	http.Redirect(q.W, q.R, path, http.StatusSeeOther)
	return nil
}

// serve puts around a route what all pages have in common.
func (f *Frame) serve(route Route) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		q := &Request{Route: route, W: w, R: r, Lang: languageOf(r), Now: f.opts.Clock(), frame: f}
		defer f.recover(q)
		if err := f.answer(q); err != nil {
			f.fail(q, err)
		}
	})
}

func (f *Frame) answer(q *Request) error {
	if err := web.Protect(q.W, q.R); err != nil {
		return err
	}
	if err := f.checkKind(q); err != nil {
		return err
	}
	if err := f.identify(q); err != nil {
		return err
	}
	q.giveTime()
	if q.R.Method == http.MethodPost { // of whoever may: nobody else has a form read
		if err := q.readForm(); err != nil {
			return err
		}
	}
	if f.opts.Trust != nil && q.Route.Action != "" && q.R.Method == http.MethodGet {
		if err := f.opts.Trust(); err != nil {
			return err
		}
	}
	if q.Route.Sends {
		if err := f.awake(q); err != nil {
			return err
		}
	}
	if !q.Route.Stream {
		ctx, cancel := context.WithTimeout(q.R.Context(), max(q.Route.Within, answerIn))
		defer cancel()
		q.R = q.R.WithContext(ctx)
	}
	return q.Route.Handle(q)
}

// checkKind refuses what is not meant for a page: a program's request, and one for another host,
// under whose name a page of somebody else may have been loaded.
func (f *Frame) checkKind(q *Request) error {
	r, wanted := q.R, "application/x-www-form-urlencoded"
	if q.Route.Upload > 0 {
		wanted = "multipart/form-data"
	}
	if !f.ours(r) {
		return wire.Problemf(wire.KindForbidden, "this node is not reached under the name %.100q; the names that it has are those of --tls-name, its own, and its addresses", r.Host).Because(why.HostUnknown, r.Host)
	}
	if r.Header.Get("Authorization") != "" {
		return wire.Problemf(wire.KindMalformed, "this is a page for people; a program with a token asks below /api/v1/").Because(why.ForPeople)
	}
	if r.Method != http.MethodPost {
		return nil
	}
	if kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); kind != wanted {
		return wire.Problemf(wire.KindMalformed, "this page takes a form; a program asks below /api/v1/").Because(why.ForPeople)
	}
	return nil
}

// ours reports whether the request is for a name or an address of this node.
func (f *Frame) ours(r *http.Request) bool {
	host := r.Host
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.ToLower(strings.TrimSuffix(strings.Trim(host, "[]"), "."))
	if host == "localhost" {
		return true
	}
	if ip, err := netip.ParseAddr(host); err == nil {
		if ip.IsLoopback() {
			return true
		}
		if local, ok := r.Context().Value(http.LocalAddrContextKey).(net.Addr); ok {
			at, err := netip.ParseAddrPort(local.String())
			if err == nil && at.Addr().Unmap().WithZone("") == ip.Unmap() {
				return true
			}
		}
	}
	return slices.ContainsFunc(f.opts.Hosts(), func(name string) bool { return strings.EqualFold(name, host) })
}

// identify finds who asks, counts the request, and holds the person to the route's action.
func (f *Frame) identify(q *Request) error {
	who, err := f.opts.Sessions.Find(CookieOf(q.R))
	var p *wire.Problem
	if err != nil && !(errors.As(err, &p) && p.Kind == wire.KindUnauthenticated) {
		return err
	}
	if err == nil {
		q.Who = &who
	}
	if q.Route.Open {
		return f.limits.Open(q.R, q.Now)
	}
	if q.Who == nil {
		if often := f.limits.Stranger(q.R, q.Now); often != nil {
			return often
		}
		return err
	}
	if err := f.limits.Caller(who.Caller, q.Route.Action, q.Now); err != nil {
		return err
	}
	if f.opts.Known != nil {
		f.opts.Known(q.R, who.Caller.Name)
	}
	if !q.Route.Stream && q.R.Header.Get(headerPart) == "" {
		f.opts.Sessions.Seen(who)
	}
	if q.Route.Action == "" {
		return nil
	}
	return authority.Door(who.Caller, q.Route.Action)
}

// awake asks who was idle for long for the password, with what else the form holds.
func (f *Frame) awake(q *Request) error {
	if !q.Who.Idle {
		return nil
	}
	password := q.R.PostFormValue("password")
	if password == "" {
		return wire.Problemf(wire.KindRefused, "nothing was sent: this page was not used for a while; go back, type the password, and send again").Because(why.Idle)
	}
	return f.opts.Sessions.Again(q.R.Context(), *q.Who, password, q.R.RemoteAddr)
}

// fail answers what went wrong with a page that says so.
func (f *Frame) fail(q *Request, err error) {
	var p *wire.Problem
	switch {
	case errors.As(err, &p):
	case errors.Is(err, context.DeadlineExceeded):
		p = wire.Problemf(wire.KindUnknownOutcome, "the node did not answer in time: look whether it happened before you try again").Because(why.Unknown)
	default:
		f.log.Error("answering a page", "path", q.R.URL.Path, "error", err)
		p = wire.Problemf(wire.KindInternal, "a fault of the node; its log says more").Because(why.Fault)
	}
	if p.Kind == wire.KindUnauthenticated && !q.Route.Open && q.R.Method == http.MethodGet {
		_ = q.To(Below + "sign-in?next=" + url.QueryEscape(q.R.URL.RequestURI()))
		return
	}
	if p.RetryAfter > 0 {
		q.W.Header().Set("Retry-After", words.Show(p.RetryAfter))
	}
	f.showProblem(q, p)
}

// recover keeps one page's fault from ending the node.
func (f *Frame) recover(q *Request) {
	fault := recover()
	if fault == nil {
		return
	}
	if err, ok := fault.(error); ok && errors.Is(err, http.ErrAbortHandler) {
		panic(fault) // the server closes the connection, quietly
	}
	f.log.Error("recovering from a panic in a page", "path", q.R.URL.Path, "panic", fault, "stack", string(debug.Stack()))
	http.Error(q.W, "a fault of the node; its log says more", http.StatusInternalServerError)
}

// unrouted answers what no route matches.
func (f *Frame) unrouted(w http.ResponseWriter, r *http.Request) {
	q := &Request{W: w, R: r, Lang: languageOf(r), Now: f.opts.Clock(), frame: f}
	if err := web.Protect(w, r); err != nil {
		f.fail(q, err)
		return
	}
	f.showProblem(q, wire.Problemf(wire.KindNotFound, "there is no page at %.200s", r.URL.Path).Because(why.NoPage, r.URL.Path))
}
