package node

import (
	"fmt"
	"net"
	"net/http"
	"net/url"
	"time"

	"almenara/channels/pages"
	"almenara/cluster/identity"
	"almenara/node/api"
	"almenara/node/enrol"
	"almenara/node/httpserver"
	"almenara/node/places"
	"almenara/node/service"
	"almenara/node/web/console"
	"almenara/node/web/residents"
)

// openMQTT lets devices in on every address that is set.
func (n *Node) openMQTT() error {
	for _, gate := range []struct {
		scheme, addr string
		serve        func(addr string) (net.Addr, error)
	}{
		{"tcp", n.settings.MQTT, n.gateway.ListenTCP},
		{"ssl", n.settings.MQTTS, n.gateway.ListenTLS},
		{"ws", n.settings.WS, n.gateway.ListenWS},
		{"wss", n.settings.WSS, n.gateway.ListenWSS},
	} {
		if gate.addr == "" {
			continue
		}
		addr, err := gate.serve(gate.addr)
		if err != nil {
			return fmt.Errorf("opening the device gateway: %w", err)
		}
		n.listeners.OpenMQTT(gate.scheme + "://" + n.reachableAt().Addr(addr.String()))
	}
	return nil
}

// openAPI lets people and systems in.
func (n *Node) openAPI() error {
	if n.settings.API == "" {
		return nil
	}
	u, err := url.Parse(n.settings.API)
	if err != nil {
		return fmt.Errorf("reading the API address: %w", err)
	}
	n.registerMetrics()
	devicePages, err := pages.New(n.options.FramedBy)
	if err != nil {
		return err
	}
	handler := api.New(n.Services(), api.Options{Pages: devicePages, Logger: n.log, Clock: n.options.Clock, Trust: n.status.Trust, Drill: n.district.Isolated, Registry: n.registry, Version: n.options.Version, Sender: n.district.Sender(), Sound: n.sounds.Get})
	mux := http.NewServeMux()
	mux.Handle("/", handler)
	pages := newConsole(n, pages.Path+devicePages.Version()+"/arrange.js")
	mux.Handle(console.Below, pages)
	mux.Handle("/mqtt", n.gateway.Handler())
	mux.Handle(enrol.Below, n.enrolment)
	forResidents := residents.New(n.residents, n.checkIns, n.options.Clock, time.Local).Register(mux)
	if n.options.ResidentsListen != "" {
		plain := httpserver.New(httpserver.Options{Address: n.options.ResidentsListen, Handler: forResidents, Conns: n.conns.API, Logger: n.log})
		if err := plain.Start(); err != nil {
			return err
		}
		n.stop.Add("pages of residents", plain.Stop)
	}
	options := httpserver.Options{Address: u.Host, Handler: mux, EndStreams: func() { handler.EndStreams(); pages.EndStreams() }, Conns: n.conns.API, Logger: n.log}
	if u.Scheme == "https" {
		options.TLS = identity.PublicTLS(n.identityNow)
	}
	n.server = httpserver.New(options)
	if err := n.server.Start(); err != nil {
		return err
	}
	n.stop.Add("API", n.server.Stop)
	n.listeners.OpenAPI(u.Scheme + "://" + n.reachableAt().Addr(n.server.Addr().String()))
	n.duty()
	return nil
}

// newConsole makes the pages of the duty operator; screen is the path of the module that arranges alerts
// on screens.
func newConsole(n *Node, screen string) *console.Console {
	s := n.Services()
	return console.New(console.Services{
		SignIn: n.signin, Enrolment: n.enrolment, Alerts: s.Alerts, Approvals: s.Approvals, Scenarios: s.Scenarios, Places: s.Places, PlaceTree: s.PlaceTree, Reader: s.Reader, Reports: s.Reports, Audit: s.Audit, Status: s.Status, Events: s.Events,
		Spoken: s.Spoken, FollowUps: s.FollowUps, Reported: s.Reported, Notices: s.Notices, Residents: s.Residents, CheckIns: s.CheckIns,
		Users: s.Users, Passwords: s.Passwords, Licences: s.Licences, Policy: s.Policy,
		Devices: s.Devices, Connected: s.Connected, Ability: s.Ability, Personal: s.Personal,
		Imports: s.Imports, Selections: s.Selections,
	}, console.Options{
		Clock: n.options.Clock, Hosts: func() []string { return append(n.reachableAt().Hosts(), n.Name()) }, Drill: n.district.Isolated,
		Logger: n.log, Trust: n.status.Trust, Known: httpserver.KnownAs, Screen: screen,
	})
}

// Services are what the API serves, once the node has started.
func (n *Node) Services() service.All {
	exports := newExport(n)
	return service.All{
		Identifier: n.users, Alerts: n.intake, Approvals: n.approvals, Spoken: n.approvals, FollowUps: n.acts, Reported: n.reports, Notices: n.notices, Residents: n.residents, CheckIns: n.checkIns, Scenarios: n.scenarios, Licences: n.licences, Policy: n.policy, Reader: n.read, Reports: newReporter(n), Imports: n.imports,
		Selections: n.members, Places: n.places, PlaceTree: places.New(places.Options{State: n.state, Store: n.store, Proposer: n.proposer, Book: n.book, Clock: n.options.Clock}), Devices: n.devices, Connected: n.read, Ability: n.ability, Personal: n.personal, Users: n.users, Passwords: n.signin, Status: n.status, Nodes: n.membership,
		Backups: exports, Splits: n.splits, Agreed: n.proposer, Audit: exports, Events: n.events,
	}
}

// identityNow is the node's identity: the cluster renews its certificate.
func (n *Node) identityNow() *identity.Identity {
	if n.cluster != nil {
		return n.cluster.Identity()
	}
	return n.identity
}
