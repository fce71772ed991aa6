package routing

import (
	"errors"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"almenara/node/api/openapi"
	"almenara/node/api/rates"
	"almenara/node/authority"
	"almenara/node/httpserver"
	"almenara/node/service"
	"almenara/node/web"
	"almenara/node/wire"
)

// Options are the settings of a Mux. Identifier, Agreed, Logger and Registry must be set.
type Options struct {
	Identifier service.Identifier
	Agreed     service.Agreed
	Logger     *slog.Logger
	Registry   prometheus.Registerer // takes the metrics of requests
	MaxBody    int64                 // bytes; lowers every route's own limit; 0 keeps them
	Trust      func() error          // asked before the agreed state is read; its error is the answer; nil trusts it
}

// Mux serves routes. It may be used from any goroutine.
type Mux struct {
	opts   Options
	log    *slog.Logger
	mux    *http.ServeMux
	metric *metrics
	limits *rates.Limits
	bodies *bodies

	endOnce sync.Once
	ended   chan struct{} // closed by EndStreams
}

// New makes a Mux of routes that are Whole. It starts nothing.
func New(routes []Route, opts Options) *Mux {
	m := &Mux{
		opts: opts, log: opts.Logger.With("component", "api"), mux: http.NewServeMux(), metric: newMetrics(opts.Registry, routes),
		limits: rates.New(), bodies: newBodies(), ended: make(chan struct{}),
	}
	for _, route := range routes {
		m.mux.Handle(route.Method+" "+route.Path, m.serve(route))
	}
	m.mux.HandleFunc("/", m.unrouted)
	return m
}

// ServeHTTP answers one request.
func (m *Mux) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	m.mux.ServeHTTP(w, r)
}

// EndStreams ends every event stream, now and later; a server calls it before it
// waits for its requests to end. It may be called more than once.
func (m *Mux) EndStreams() { m.endOnce.Do(func() { close(m.ended) }) }

// serve puts around a route what all have in common: recovery, metrics, the
// caller, the role, the size of the body.
func (m *Mux) serve(route Route) http.Handler {
	max := route.MaxBody
	if m.opts.MaxBody > 0 {
		max = min(max, m.opts.MaxBody)
	}
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		w := &recorder{ResponseWriter: rw}
		began := time.Now()
		defer func() { m.metric.observe(route, w.status, time.Since(began)) }()
		defer m.recover(w, r)
		if route.Kind == openapi.Page {
			if err := web.Protect(w, r); err != nil {
				m.fail(w, r, err)
				return
			}
		}
		if err := m.answer(route, w, r, max); err != nil {
			m.fail(w, r, err)
		}
	})
}

func (m *Mux) answer(route Route, w *recorder, r *http.Request, max int64) error {
	by, err := m.caller(route, r)
	if err != nil {
		return err
	}
	if route.Method == http.MethodGet && !route.Open {
		done, err := m.limits.Turn(r.Context(), by)
		if err != nil {
			return err
		}
		defer done()
		w.begun = done // a slow reader or a stream holds up nobody else
	}
	if m.opts.Trust != nil && route.trusting() {
		if err := m.opts.Trust(); err != nil {
			return err
		}
	}
	if r.ContentLength > max && max > 0 {
		return &http.MaxBytesError{Limit: max}
	}
	query, err := newQuery(r, route.Params)
	if err != nil {
		return err
	}
	c := Call{Route: route, W: w, R: r, By: by, Query: query, mux: m}
	trial := query.Flag(openapi.DryRun)
	done, err := m.bodies.open(c, trial)
	if err != nil {
		w.Header().Set("Connection", "close") // else the server would wait for the body first
		return err
	}
	defer done()
	r.Body = checkedBody{http.MaxBytesReader(w.ResponseWriter, r.Body, max)}
	if route.Agreed {
		if err := m.consistent(r, query); err != nil {
			return err
		}
	}
	if err := m.bodies.begin(&c, trial); err != nil {
		return err
	}
	defer c.work.Done()
	return route.Handle(c)
}

// consistent waits for this node's copy where the caller wants that.
func (m *Mux) consistent(r *http.Request, q *Query) error {
	wanted := q.Flag(paramConsistent.Name)
	if q.err != nil || !wanted {
		return q.err
	}
	return m.opts.Agreed.UpToDate(r.Context())
}

// caller identifies who asks, counts the request and checks the role. A good token is
// looked for first: strangers cannot use up what its owner may ask.
func (m *Mux) caller(route Route, r *http.Request) (authority.Caller, error) {
	if route.Open {
		return authority.Caller{}, m.limits.Open(r, time.Now())
	}
	token, err := bearer(r)
	var by authority.Caller
	if err == nil {
		by, err = m.opts.Identifier.Identify(r.Context(), token)
	}
	var p *wire.Problem
	if errors.As(err, &p) && p.Kind == wire.KindUnauthenticated {
		if often := m.limits.Stranger(r, time.Now()); often != nil {
			return authority.Caller{}, often
		}
	}
	if err != nil {
		return authority.Caller{}, err
	}
	if err := m.limits.Caller(by, route.Action, time.Now()); err != nil {
		return authority.Caller{}, err
	}
	httpserver.KnownAs(r, by.Name)
	return by, authority.Door(by, route.Action)
}

// bearer is the token of the Authorization header (RFC 6750 §2.1).
func bearer(r *http.Request) (string, error) {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if token = strings.TrimSpace(token); token == "" || !strings.EqualFold(scheme, "Bearer") {
		return "", wire.Problemf(wire.KindUnauthenticated, "this needs a token in the header Authorization: Bearer")
	}
	return token, nil
}

// recover keeps one request's fault from ending the node.
func (m *Mux) recover(w *recorder, r *http.Request) {
	fault := recover()
	if fault == nil {
		return
	}
	if err, ok := fault.(error); ok && errors.Is(err, http.ErrAbortHandler) {
		panic(fault) // the server closes the connection, quietly
	}
	m.metric.panics.Inc()
	m.log.Error("recovering from a panic in a request", "method", r.Method, "path", r.URL.Path,
		"panic", fault, "stack", string(debug.Stack()))
	if w.status != 0 {
		panic(http.ErrAbortHandler) // half an answer must not look like a whole one
	}
	m.writeProblem(w, internal())
}

// unrouted answers what no route matches: another method, or nothing at all.
func (m *Mux) unrouted(w http.ResponseWriter, r *http.Request) {
	var allowed []string
	for _, method := range []string{"GET", "POST", "PUT", "DELETE"} {
		other := r.Clone(r.Context())
		other.Method = method
		if _, pattern := m.mux.Handler(other); pattern != "/" {
			allowed = append(allowed, method)
		}
	}
	if len(allowed) == 0 {
		m.writeProblem(w, wire.Problemf(wire.KindNotFound, "there is nothing at %s", r.URL.Path))
		return
	}
	w.Header().Set("Allow", strings.Join(allowed, ", "))
	m.writeProblem(w, wire.Problemf(wire.KindNotAllowed, "%s takes %s, not %s", r.URL.Path, strings.Join(allowed, " and "), r.Method))
}
