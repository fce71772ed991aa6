package api

import (
	"net/http"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"almenara/node/api/capreply"
	"almenara/node/inflight"
	"almenara/node/service"
)

// The handlers of the routes, by what they are about: each group has what it needs, and no more.
// A Handler is made of them.
type (
	alertHandlers struct {
		alerts    service.Alerts
		approvals service.Approvals
		spoken    service.SpokenCodes
		followUps service.FollowUps
		reader    service.Reader
		reports   service.Reports
		replies   capreply.Writer
		drill     func() bool
	}
	ruleHandlers struct {
		scenarios service.Scenarios
		licences  service.Licences
		policy    service.Policy
	}
	importHandlers struct {
		service   service.Imports
		open      *inflight.Open
		heartbeat time.Duration
	}
	audienceHandlers struct {
		selections service.Selections
		places     service.Places
		tree       service.PlaceTree
		devices    service.Devices
		connected  service.Connected
	}
	userHandlers struct {
		users     service.Users
		passwords service.Passwords
		audit     service.Audit
	}
	nodeHandlers struct {
		state   service.Status
		nodes   service.Nodes
		backups service.Backups
		parted  service.Splits
	}
	eventHandlers struct {
		feed      service.Events
		open      *inflight.Open
		opened    prometheus.Gauge
		heartbeat time.Duration
	}
	selfHandlers struct {
		exporter http.Handler  // of the metrics
		openAPI  func() []byte // written when it is first asked for
	}
)

// Bounds of requests that are open for long: an event stream holds some 50 KiB of backlog, an
// import its file and a parsed copy.
var (
	streamsOpen = inflight.Bounds{Each: 64, All: 256}
	importsOpen = inflight.Bounds{Each: 2, All: 2}
)

// group makes the groups.
func (h *Handler) group(s service.All, opts Options) {
	h.alertHandlers = alertHandlers{s.Alerts, s.Approvals, s.Spoken, s.FollowUps, s.Reader, s.Reports, capreply.Writer{Sender: opts.Sender, Clock: opts.Clock}, opts.Drill}
	h.reported, h.notices, h.residents, h.checkIns, h.personal = s.Reported, s.Notices, s.Residents, s.CheckIns, s.Personal
	h.ruleHandlers = ruleHandlers{s.Scenarios, s.Licences, s.Policy}
	h.importHandlers = importHandlers{s.Imports, inflight.NewOpen("imports", importsOpen), opts.Heartbeat}
	h.audienceHandlers = audienceHandlers{s.Selections, s.Places, s.PlaceTree, s.Devices, s.Connected}
	h.tests = s.Ability
	h.userHandlers = userHandlers{s.Users, s.Passwords, s.Audit}
	h.nodeHandlers = nodeHandlers{s.Status, s.Nodes, s.Backups, s.Splits}
	streams := prometheus.NewGauge(prometheus.GaugeOpts{Name: "almenara_api_event_streams", Help: "Event streams that are open."})
	opts.Registry.MustRegister(streams)
	h.eventHandlers = eventHandlers{s.Events, inflight.NewOpen("event streams", streamsOpen), streams, opts.Heartbeat}
	h.selfHandlers = selfHandlers{
		promhttp.HandlerFor(opts.Registry, promhttp.HandlerOpts{}), sync.OnceValue(func() []byte { return OpenAPI(opts.Version) }),
	}
}
