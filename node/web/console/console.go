// Package console is the duty operator's pages: the wall of scenarios, what is in force, and whom it
// reached, and the rooms of all others. One file per page has its template and style beside it. It adds no right and no rule: every page asks the functions that the API asks
// (node/service), as the user whose session it is, and authority's table says who may. It never imports
// api, cluster, channels, storage or a room that does the work.
package console

import (
	"cmp"
	"embed"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"almenara/node/inflight"
	"almenara/node/service"
	"almenara/node/web/console/account"
	"almenara/node/web/console/compose"
	"almenara/node/web/console/enrol"
	"almenara/node/web/console/frame"
)

// Below is where the console's pages are.
const Below = frame.Below

//go:embed *.html *.css
var files embed.FS

// Services are what the pages ask; all must be set.
type Services struct {
	SignIn    account.SignIn
	Enrolment enrol.Enrolment
	Alerts    service.Alerts
	Approvals service.Approvals
	Spoken    service.SpokenCodes
	FollowUps service.FollowUps
	Scenarios service.Scenarios
	Places    service.Places
	PlaceTree service.PlaceTree
	Reader    service.Reader
	Reports   service.Reports
	Reported  service.Reported
	Notices   service.Notices
	Residents service.Residents
	CheckIns  service.CheckIns
	Audit     service.Audit
	Status    service.Status
	Events    service.Events

	Users     service.Users
	Passwords service.Passwords
	Licences  service.Licences
	Policy    service.Policy

	Devices   service.Devices
	Connected service.Connected
	Ability   service.Ability
	Personal  service.Personal

	Imports    service.Imports
	Selections service.Selections
}

// Options are the settings of a Console. The zero value of all but Clock works; what is said of a field
// at frame.Options holds here.
type Options struct {
	Clock  func() time.Time
	Zone   *time.Location
	Hosts  func() []string
	Drill  func() bool
	Logger *slog.Logger
	Trust  func() error
	Known  func(*http.Request, string)
	Screen string        // path of the module that arranges alerts on screens; "" is none, and no picture of them is shown
	Beat   time.Duration // between signs of life on the stream of events; 0 is 5 s
}

// Console serves the pages. It may be used from any goroutine.
type Console struct {
	*frame.Frame
	endOnce sync.Once
	ended   chan struct{} // closed by EndStreams
}

// New makes a console. Nothing runs.
func New(s Services, o Options) *Console {
	c := &Console{ended: make(chan struct{})}
	var err error
	c.Frame, err = frame.New(frame.Options{
		Sessions: s.SignIn, Status: s.Status,
		Nav:   nav(),
		Clock: o.Clock, Zone: o.Zone, Hosts: o.Hosts, Drill: o.Drill, Logger: o.Logger, Trust: o.Trust, Known: o.Known,
	}, rooms(s, pages{
		compose:   compose.Services{Alerts: s.Alerts, Reader: s.Reader, Places: s.Places, Status: s.Status, Scenarios: s.Scenarios, Screen: o.Screen},
		scenarios: scenarioPages{s.Scenarios, s.Alerts, s.Reader, s.Places},
		alerts:    alertPages{s.Alerts, s.FollowUps, s.Reader, s.Places, s.Reported, s.Notices, s.Residents},
		approvals: approvalPages{s.Approvals, s.Spoken, s.Reader, s.Places, s.Notices, s.Scenarios},
		live:      livePages{s.Events, s.SignIn, o.Clock, cmp.Or(o.Beat, 5*time.Second), inflight.NewOpen("live pages", streamsOpen), c.ended},
	})...)
	if err != nil {
		panic(err) // templates and styles are part of the program
	}
	return c
}

// EndStreams ends the streams of events, now and later; a server calls it before it waits for its
// requests to end. It may be called more than once.
func (c *Console) EndStreams() { c.endOnce.Do(func() { close(c.ended) }) }

// The pages by what they are about: each group has what it needs, and no more.
type (
	pages struct {
		compose   compose.Services
		scenarios scenarioPages
		alerts    alertPages
		approvals approvalPages
		live      livePages
	}

	scenarioPages struct {
		scenarios service.Scenarios
		alerts    service.Alerts
		reader    service.Reader
		places    service.Places
	}
	alertPages struct {
		alerts    service.Alerts
		followUps service.FollowUps
		reader    service.Reader
		places    service.Places
		reported  service.Reported
		notices   service.Notices
		residents service.Residents
	}
	approvalPages struct {
		service   service.Approvals
		spoken    service.SpokenCodes
		reader    service.Reader
		places    service.Places
		notices   service.Notices
		scenarios service.Scenarios
	}
	livePages struct {
		feed     service.Events
		sessions frame.Sessions
		clock    func() time.Time
		beat     time.Duration
		open     *inflight.Open
		ended    <-chan struct{}
	}
)
