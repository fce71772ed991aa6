package api

import (
	"log/slog"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"almenara/node/inflight"
)

// The handlers of the routes, by what they are about: each group has what it needs, and no more.
// A Handler is made of them.
type (
	// answers write what is answered, and log what is the node's fault.
	answers struct{ log *slog.Logger }

	alertHandlers struct {
		answers
		alerts    Alerts
		approvals Approvals
		reader    Reader
		sender    string // CAP sender of replies
		clock     func() time.Time
		drill     func() bool
	}
	ruleHandlers struct {
		answers
		scenarios Scenarios
		licences  Licences
		policy    Policy
	}
	importHandlers struct {
		answers
		service   Imports
		open      *inflight.Open
		heartbeat time.Duration
	}
	audienceHandlers struct {
		answers
		selections Selections
		places     Places
		devices    Devices
		connected  Connected
	}
	userHandlers struct {
		answers
		users Users
		audit Audit
	}
	nodeHandlers struct {
		answers
		state   Status
		nodes   Nodes
		backups Backups
		parted  Splits
	}
	eventHandlers struct {
		feed      Events
		open      *inflight.Open
		opened    prometheus.Gauge
		caller    func(Route, *http.Request) (Caller, error) // who asks now: a token may have been revoked
		ended     <-chan struct{}
		heartbeat time.Duration
	}
)

// group makes the groups.
func (h *Handler) group(s Services, opts Options) {
	h.alertHandlers = alertHandlers{h.answers, s.Alerts, s.Approvals, s.Reader, opts.Sender, opts.Clock, opts.Drill}
	h.ruleHandlers = ruleHandlers{h.answers, s.Scenarios, s.Licences, s.Policy}
	h.importHandlers = importHandlers{h.answers, s.Imports, inflight.NewOpen("imports", importsOpen), opts.Heartbeat}
	h.audienceHandlers = audienceHandlers{h.answers, s.Selections, s.Places, s.Devices, s.Connected}
	h.userHandlers = userHandlers{h.answers, s.Users, s.Audit}
	h.nodeHandlers = nodeHandlers{h.answers, s.Status, s.Nodes, s.Backups, s.Splits}
	h.eventHandlers = eventHandlers{
		s.Events, inflight.NewOpen("event streams", streamsOpen), h.metric.streams, h.caller, h.ended, opts.Heartbeat,
	}
}
