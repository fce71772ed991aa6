package api

import (
	"slices"

	"almenara/node/api/ability"
	"almenara/node/api/checkins"
	"almenara/node/api/contrary"
	"almenara/node/api/devicepages"
	"almenara/node/api/notices"
	"almenara/node/api/openapi"
	"almenara/node/api/personal"
	"almenara/node/api/personreports"
	"almenara/node/api/places"
	"almenara/node/api/routing"
	"almenara/node/wire"
	"almenara/storage/alert"
)

// Largest request bodies, in bytes: a CAP message is alert.MaxMessageBytes at most. An import carries 1,000,000 members at about
// 160 bytes a row, with a little slack.
const (
	bodyJSON   = 1 << 20
	bodyAlert  = alert.MaxMessageBytes + 64<<10 // what stands around the message in JSON
	bodyPlaces = routing.MostHeld
	bodyImport = 161 << 20
)

// maxEnrol is the most devices that one request may enrol: as many as one entry of the
// log holds, so that all are enrolled or none, and no secret is lost with a later one.
const maxEnrol = wire.MaxEnrol

var (
	paramWait = openapi.Param{
		Name: "wait", Type: "string", Enum: []string{string(wire.WaitLocal), string(wire.WaitHeld), string(wire.WaitCommitted)},
		Summary: "how far the fact must get before the answer, 3 seconds at most, and 0.2 on a node that is alone; local when absent",
	}
	paramDryRun = openapi.Param{
		Name: openapi.DryRun, Type: "boolean",
		Summary: "verify everything and say whom it would address, record and send nothing; the answer is JSON, with \"dry_run\": true; who asks for more than some seconds of work is answered 429",
	}
	paramPage  = openapi.Param{Name: "after", Type: "string", Summary: "where the page begins: the header Almenara-Next of the page before"}
	paramLimit = openapi.Param{Name: "limit", Type: "integer", Summary: "the most rows to answer"}
	paramAfter = openapi.Param{Name: "after", Type: "string", Summary: "the id after which the page starts"}
)

// Routes is the route table, in the order of the documents: the only place that says what exists,
// and how it may fail. It is the same for every node; nothing handles these.
func Routes() []routing.Route {
	all := new(Handler).routes()
	for i := range all {
		all[i].Handle = nil
	}
	return all
}

// routes is the table with this Handler's functions.
func (h *Handler) routes() []routing.Route {
	all := slices.Concat(h.alertRoutes(), h.authorityRoutes(), personreports.Routes(h.reported, h.residents, paramPage, paramLimit, paramWait), notices.Routes(h.notices), checkins.Routes(h.checkIns), h.audienceRoutes(), places.Routes(h.tree), ability.Routes(h.tests), contrary.Routes(h.reader), personal.Routes(h.personal), h.peopleRoutes(), h.nodeRoutes(), devicepages.Routes(h.pages, h.sound))
	for i, route := range all {
		all[i] = route.Whole()
	}
	return all
}

// OpenAPI is the description of the whole API as JSON, for a program of this version; "" is 0.
// It is the same for every node.
func OpenAPI(version string) []byte {
	routes := Routes()
	described := make([]openapi.Route, len(routes))
	for i, route := range routes {
		described[i] = route.Route
	}
	return openapi.Write(described, version)
}
