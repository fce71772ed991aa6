package api

import (
	"net/http"
	"slices"

	"almenara/node/api/openapi"
	"almenara/node/authority"
	"almenara/node/inflight"
	"almenara/node/wire"
	"almenara/storage/alert"
)

// The roles that a token may have, by the names that authority gives them.
const (
	RoleViewer          = authority.RoleViewer
	RoleComposer        = authority.RoleComposer
	RoleApprover        = authority.RoleApprover
	RoleAudienceManager = authority.RoleAudienceManager
	RoleCorrector       = authority.RoleCorrector
	RoleDeviceManager   = authority.RoleDeviceManager
	RoleAuditor         = authority.RoleAuditor
	RoleAdministrator   = authority.RoleAdministrator
)

// Largest request bodies, in bytes: a CAP message is alert.MaxMessageBytes at most. An import carries 1,000,000 members at about
// 160 bytes a row, with a little slack.
const (
	bodyJSON   = 1 << 20
	bodyAlert  = alert.MaxMessageBytes + 64<<10 // what stands around the message in JSON
	bodyPlaces = 16 << 20
	bodyImport = 161 << 20
)

// maxEnrol is the most devices that one request may enrol: as many as one entry of the
// log holds, so that all are enrolled or none, and no secret is lost with a later one.
const maxEnrol = 500

// Route is one line of the API: the only place that says what exists, and how it may fail. Who
// may is in authority's table, under the route's action. Roles and Fails are made whole by
// Routes.
type Route struct {
	openapi.Route
	Action authority.Action // says who may; empty where the route is open
	Agreed bool             // it reads the agreed part, of this node's copy or, with consistent=true, of the district's

	handle handler
}

// Param is one parameter of the query.
type Param = openapi.Param

// call is one request of a caller who may make it.
type call struct {
	route Route
	w     http.ResponseWriter
	r     *http.Request
	by    Caller // the zero value where the route is open
	query *query
	raw   []byte // the body, where it is not read as it comes
	work  *inflight.Working
}

// handler answers one call. A returned error is answered by the one function that
// knows how; then nothing may have been written.
type handler func(h *Handler, c call) error

var (
	paramWait = Param{
		Name: "wait", Type: "string", Enum: []string{string(wire.WaitLocal), string(wire.WaitHeld), string(wire.WaitCommitted)},
		Summary: "how far the fact must get before the answer, 3 seconds at most, and 0.2 on a node that is alone; local when absent",
	}
	paramDryRun = Param{
		Name: openapi.DryRun, Type: "boolean",
		Summary: "verify everything and say whom it would address, record and send nothing; the answer is JSON, with \"dry_run\": true; who asks for more than some seconds of work is answered 429",
	}
	paramPage       = Param{Name: "after", Type: "string", Summary: "where the page begins: the header Almenara-Next of the page before"}
	paramLimit      = Param{Name: "limit", Type: "integer", Summary: "the most rows to answer"}
	paramConsistent = Param{
		Name: "consistent", Type: "boolean",
		Summary: "answer only when this node's copy holds everything that was answered anywhere before; needs a majority",
	}
	paramAfter = Param{Name: "after", Type: "string", Summary: "the id after which the page starts"}
)

// Routes is the route table, in the order of the documents.
func Routes() []Route {
	all := alertRoutes()
	all = append(all, authorityRoutes()...)
	all = append(all, audienceRoutes()...)
	all = append(all, peopleRoutes()...)
	all = append(all, nodeRoutes()...)
	for i, route := range all {
		if line := authority.LineOf(route.Action); !route.Open {
			all[i].Roles = line.Roles
			if len(line.Roles) == 0 {
				all[i].Roles = []string{authority.RoleAdministrator}
			}
		}
		if route.Agreed {
			all[i].Params = append(slices.Clone(route.Params), paramConsistent)
		}
		all[i].Fails = route.common().And(route.Fails)
	}
	return all
}

// OpenAPI is the description of the whole API as JSON, for a program of this version; "" is 0.
// It is the same for every node.
func OpenAPI(version string) []byte { return describe(Routes(), version) }

func describe(routes []Route, version string) []byte {
	said := make([]openapi.Route, len(routes))
	for i, route := range routes {
		said[i] = route.Route
	}
	return openapi.Write(said, version)
}
