// Package api is the HTTP side of a node: one route table that says what exists, and a handler
// for each route. What all requests have in common is node/api/routing, the port is
// node/httpserver, and what is asked of the node is node/service. It holds no rules about alerts.
package api

import (
	"cmp"
	"log/slog"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"almenara/channels/pages"
	"almenara/node/api/devicepages"
	"almenara/node/api/routing"
	"almenara/node/service"
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
	Pages     *pages.Pages         // of devices; nil is those that no other page may show in a frame
	Sound     devicepages.Sound    // what speakers that are a page play; nil has none
	Heartbeat time.Duration        // between lines of an idle stream, of events or of an import; 0 is 15 s
}

// withDefaults are the settings with what is not set.
func (o Options) withDefaults() Options {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Registry == nil {
		o.Registry = prometheus.NewRegistry()
	}
	if o.Drill == nil {
		o.Drill = func() bool { return false }
	}
	if o.Clock == nil {
		o.Clock = time.Now
	}
	if o.Heartbeat <= 0 {
		o.Heartbeat = 15 * time.Second
	}
	if o.Pages == nil {
		o.Pages = ownPages()
	}
	o.Sender = cmp.Or(o.Sender, "almenara")
	return o
}

// ownPages are the pages of devices that are part of the program.
func ownPages() *pages.Pages {
	p, err := pages.New(nil)
	if err != nil {
		panic(err) // nothing of it came from outside
	}
	return p
}

// Handler serves the API over services. It may be used from any goroutine.
type Handler struct {
	pages *pages.Pages // of devices
	sound devicepages.Sound
	alertHandlers
	reported  service.Reported
	notices   service.Notices
	residents service.Residents
	personal  service.Personal
	checkIns  service.CheckIns
	ruleHandlers
	importHandlers
	audienceHandlers
	userHandlers
	nodeHandlers
	eventHandlers
	selfHandlers

	tests service.Ability
	mux   *routing.Mux
	drill func() bool
}

// New makes the handler of every route in Routes. It starts nothing.
func New(services service.All, opts Options) *Handler {
	opts = opts.withDefaults()
	h := &Handler{drill: opts.Drill, pages: opts.Pages, sound: opts.Sound}
	h.group(services, opts)
	h.mux = routing.New(h.routes(), routing.Options{
		Identifier: services.Identifier, Agreed: services.Agreed, Logger: opts.Logger, Registry: opts.Registry,
		MaxBody: opts.MaxBody, Trust: opts.Trust,
	})
	return h
}

// ServeHTTP answers one request. Every answer of a drill copy says what it is, also a refusal.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if h.drill() {
		w.Header().Set(wire.HeaderDrill, wire.DrillCopy)
	}
	h.mux.ServeHTTP(w, r)
}

// EndStreams ends every event stream, now and later; a server calls it before it
// waits for its requests to end. It may be called more than once.
func (h *Handler) EndStreams() { h.mux.EndStreams() }
