package api

import (
	"cmp"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"almenara/node/api/openapi"
	"almenara/node/api/rates"
	"almenara/node/authority"
	"almenara/node/web"
	"almenara/node/wire"
)

// Options are the settings of a Handler. The zero value works.
type Options struct {
	Logger    *slog.Logger         // nil discards
	Registry  *prometheus.Registry // nil makes one; the API's own metrics go there and /metrics shows all of it
	Version   string               // of the program, for the OpenAPI file
	Sender    string               // CAP sender of the node's Ack and Error replies; empty is "almenara"
	MaxBody   int64                // bytes; lowers every route's own limit; 0 keeps them
	Trust     func() error         // asked before the agreed state is read; its error is the answer; nil trusts it
	Drill     func() bool          // whether the node is of a drill copy of a district; nil is never
	Clock     func() time.Time     // the time of day; nil is the machine's
	Heartbeat time.Duration        // between lines of an idle stream, of events or of an import; 0 is 15 s
}

// Handler serves the API over Services. It may be used from any goroutine.
type Handler struct {
	answers
	alertHandlers
	ruleHandlers
	importHandlers
	audienceHandlers
	userHandlers
	nodeHandlers
	eventHandlers

	identifier Identifier
	upToDate   Agreed
	mux        *http.ServeMux
	metric     *metrics
	exporter   http.Handler
	openAPI    func() []byte // written when it is first asked for
	maxBody    int64
	trust      func() error
	drill      func() bool
	limits     *rates.Limits
	bodies     *bodies

	endOnce sync.Once
	ended   chan struct{} // closed by EndStreams
}

// withDefaults are the settings with what is not set.
func (o Options) withDefaults() Options {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Registry == nil {
		o.Registry = prometheus.NewRegistry()
	}
	if o.Clock == nil {
		o.Clock = time.Now
	}
	if o.Heartbeat <= 0 {
		o.Heartbeat = 15 * time.Second
	}
	o.Sender = cmp.Or(o.Sender, "almenara")
	return o
}

// New makes the handler of every route in Routes. It starts nothing.
func New(services Services, opts Options) *Handler {
	opts = opts.withDefaults()
	routes := Routes()
	h := &Handler{
		answers: answers{opts.Logger.With("component", "api")}, identifier: services.Identifier, upToDate: services.Agreed,
		mux: http.NewServeMux(), metric: newMetrics(opts.Registry, routes), exporter: promhttp.HandlerFor(opts.Registry, promhttp.HandlerOpts{}),
		openAPI: sync.OnceValue(func() []byte { return describe(routes, opts.Version) }), maxBody: opts.MaxBody, trust: opts.Trust, drill: opts.Drill,
		limits: rates.New(), bodies: newBodies(), ended: make(chan struct{}),
	}
	h.group(services, opts)
	for _, route := range routes {
		h.mux.Handle(route.Method+" "+route.Path, h.serve(route))
	}
	h.mux.HandleFunc("/", h.unrouted)
	return h
}

// ServeHTTP answers one request. Every answer of a drill copy says what it is, also a refusal.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if h.drill != nil && h.drill() {
		w.Header().Set(wire.HeaderDrill, wire.DrillCopy)
	}
	h.mux.ServeHTTP(w, r)
}

// EndStreams ends every event stream, now and later; a server calls it before it
// waits for its requests to end. It may be called more than once.
func (h *Handler) EndStreams() { h.endOnce.Do(func() { close(h.ended) }) }

// serve puts around a route what all have in common: recovery, metrics, the
// caller, the role, the size of the body.
func (h *Handler) serve(route Route) http.Handler {
	max := route.MaxBody
	if h.maxBody > 0 {
		max = min(max, h.maxBody)
	}
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		w := &recorder{ResponseWriter: rw}
		began := time.Now()
		defer func() { h.metric.observe(route, w.status, time.Since(began)) }()
		defer h.recover(w, r)
		if route.Kind == openapi.Page {
			if err := web.Protect(w, r); err != nil {
				h.fail(w, r, err)
				return
			}
		}
		if err := h.answer(route, w, r, max); err != nil {
			h.fail(w, r, err)
		}
	})
}

func (h *Handler) answer(route Route, w *recorder, r *http.Request, max int64) error {
	by, err := h.caller(route, r)
	if err != nil {
		return err
	}
	if route.Method == http.MethodGet && !route.Open {
		done, err := h.limits.Turn(r.Context(), by)
		if err != nil {
			return err
		}
		defer done()
		w.begun = done // a slow reader or a stream holds up nobody else
	}
	if h.trust != nil && route.agreed() {
		if err := h.trust(); err != nil {
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
	c := call{route: route, w: w, r: r, by: by, query: query}
	trial := query.flag(paramDryRun.Name)
	done, err := h.bodies.open(c, trial)
	if err != nil {
		w.Header().Set("Connection", "close") // else the server would wait for the body first
		return err
	}
	defer done()
	r.Body = checkedBody{http.MaxBytesReader(w.ResponseWriter, r.Body, max)}
	if route.Agreed {
		if err := h.consistent(r, query); err != nil {
			return err
		}
	}
	if err := h.bodies.begin(&c, trial); err != nil {
		return err
	}
	defer c.work.Done()
	return route.handle(h, c)
}

// consistent waits for this node's copy where the caller wants that.
func (h *Handler) consistent(r *http.Request, q *query) error {
	wanted := q.flag(paramConsistent.Name)
	if q.err != nil || !wanted {
		return q.err
	}
	return h.upToDate.UpToDate(r.Context())
}

// agreed reports whether the route answers from what the district has agreed on. The
// others of this method answer from what the node itself has seen, or about itself.
func (r Route) agreed() bool {
	switch r.Path {
	case "/api/v1/alerts", "/api/v1/alerts/{id}", "/api/v1/alerts/{id}/cap", "/api/v1/events", "/api/v1/status":
		return false
	}
	return r.Method == "GET" && !r.Open
}

// caller identifies who asks, counts the request and checks the role. A good token is
// looked for first: strangers cannot use up what its owner may ask.
func (h *Handler) caller(route Route, r *http.Request) (Caller, error) {
	if route.Open {
		return Caller{}, h.limits.Open(r, time.Now())
	}
	token, err := bearer(r)
	var by Caller
	if err == nil {
		by, err = h.identifier.Identify(r.Context(), token)
	}
	var p *wire.Problem
	if errors.As(err, &p) && p.Kind == wire.KindUnauthenticated {
		if often := h.limits.Stranger(r, time.Now()); often != nil {
			return Caller{}, often
		}
	}
	if err != nil {
		return Caller{}, err
	}
	if err := h.limits.Caller(by, route.Action, time.Now()); err != nil {
		return Caller{}, err
	}
	known(r, by.Name)
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
func (h *Handler) recover(w *recorder, r *http.Request) {
	fault := recover()
	if fault == nil {
		return
	}
	if err, ok := fault.(error); ok && errors.Is(err, http.ErrAbortHandler) {
		panic(fault) // the server closes the connection, quietly
	}
	h.metric.panics.Inc()
	h.log.Error("recovering from a panic in a request", "method", r.Method, "path", r.URL.Path,
		"panic", fault, "stack", string(debug.Stack()))
	if w.status != 0 {
		panic(http.ErrAbortHandler) // half an answer must not look like a whole one
	}
	h.writeProblem(w, internal())
}

// unrouted answers what no route matches: another method, or nothing at all.
func (h *Handler) unrouted(w http.ResponseWriter, r *http.Request) {
	var allowed []string
	for _, method := range []string{"GET", "POST", "PUT", "DELETE"} {
		other := r.Clone(r.Context())
		other.Method = method
		if _, pattern := h.mux.Handler(other); pattern != "/" {
			allowed = append(allowed, method)
		}
	}
	if len(allowed) == 0 {
		h.writeProblem(w, wire.Problemf(wire.KindNotFound, "there is nothing at %s", r.URL.Path))
		return
	}
	w.Header().Set("Allow", strings.Join(allowed, ", "))
	h.writeProblem(w, wire.Problemf(wire.KindNotAllowed, "%s takes %s, not %s", r.URL.Path, strings.Join(allowed, " and "), r.Method))
}

// writeJSON answers v. What cannot be sent any more is the client's loss only.
func (a answers) writeJSON(w http.ResponseWriter, status int, v any) {
	body, err := json.Marshal(v)
	if err != nil {
		a.log.Error("encoding an answer", "error", err)
		status, body = http.StatusInternalServerError, []byte(`{"kind":"internal","error":"the answer cannot be written as JSON"}`)
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_, _ = w.Write(append(body, '\n'))
}

// recorder remembers the status for the metrics.
type recorder struct {
	http.ResponseWriter
	status int
	begun  func() // called when the answer begins; nil is nothing to call
}

// begin notes the status, once.
func (w *recorder) begin(status int) {
	if w.status != 0 {
		return
	}
	w.status = status
	if w.begun != nil {
		w.begun()
	}
}

// WriteHeader notes the status.
func (w *recorder) WriteHeader(status int) {
	w.begin(status)
	w.ResponseWriter.WriteHeader(status)
}

// Write notes the implied status.
func (w *recorder) Write(b []byte) (int, error) {
	w.begin(http.StatusOK)
	return w.ResponseWriter.Write(b)
}

// failed notes the status that the request would have been answered with, had a
// stream not begun before.
func (w *recorder) failed(status int) { w.status = status }

// Unwrap lets http.ResponseController reach the connection.
func (w *recorder) Unwrap() http.ResponseWriter { return w.ResponseWriter }
