// Package routing serves routes: what every request has in common, whatever it asks for. It owns
// who the caller is and whether he may, how often and how much he may ask, how the query and the
// body are read, how answers and problems are written, and the metrics of requests. What a route
// does is a function that it is given. It holds no route and no rule about alerts, and never
// imports api or a room that does the work.
package routing

import (
	"net/http"
	"slices"

	"almenara/node/api/openapi"
	"almenara/node/authority"
	"almenara/node/wire"
)

// MostHeld is the largest body, in bytes, that is read whole before it is worked on. A larger one
// is read as it comes, by its handler, which bounds how many of them there are.
const MostHeld = 16 << 20

// Route is one line of a route table. Who may is in authority's table, under the route's action.
type Route struct {
	openapi.Route
	Action authority.Action // says who may; empty where the route is open
	Agreed bool             // it reads the agreed part, of this node's copy or, with consistent=true, of the district's
	Own    bool             // it answers from what the node itself has seen, or about itself, also where what it holds may be damaged
	// Handle answers one call. A returned error is answered by the one function that
	// knows how; then nothing may have been written.
	Handle func(Call) error
}

var paramConsistent = openapi.Param{
	Name: "consistent", Type: "boolean",
	Summary: "answer only when this node's copy holds everything that was answered anywhere before; needs a majority",
}

// Whole is the route with what follows from its action and its kind: the roles that may, the
// parameter of reads of the agreed part, and what every such route may fail with.
func (r Route) Whole() Route {
	if !r.Open {
		r.Roles = authority.LineOf(r.Action).Roles
		if len(r.Roles) == 0 {
			r.Roles = []string{authority.RoleAdministrator}
		}
	}
	if r.Agreed {
		r.Params = append(slices.Clone(r.Params), paramConsistent)
	}
	r.Fails = r.common().And(r.Fails)
	return r
}

// warns reports whether the route is about a message to the people of the district.
func (r Route) warns() bool { return authority.LineOf(r.Action).Warns() }

// trusting reports whether the route answers from what the district has agreed on.
func (r Route) trusting() bool { return r.Method == http.MethodGet && !r.Open && !r.Own }

// upToDate is of reads with consistent=true.
var upToDate = openapi.Fails{
	wire.KindNoQuorum: "with consistent=true, no majority of the district's nodes can be reached",
	wire.KindNotReady: "with consistent=true, the node is stopping",
	wire.KindBusy:     "with consistent=true, the node could not get up to date in time, or its disk is full",
}

// common is what may be answered on the route before its handler is asked, whatever that does.
func (r Route) common() openapi.Fails {
	out := openapi.Fails{
		wire.KindMalformed:  "a parameter of the query is not listed here, is given twice, or has another value",
		wire.KindOverBudget: "the caller asks too often",
		wire.KindInternal:   "a fault of the node, of which its log says more",
	}
	if !r.Open {
		out = out.And(openapi.Fails{
			wire.KindUnauthenticated: "the token is missing, is not known or was revoked",
			wire.KindForbidden:       "the caller has none of the roles",
		})
	}
	if r.MaxBody > 0 {
		out = out.And(openapi.Fails{
			wire.KindMalformed: "the body cannot be read",
			wire.KindTooLarge:  "the body is larger than x-max-body-bytes",
			wire.KindBusy:      "the caller has too many requests open here, or too many large bodies",
		})
	}
	switch {
	case r.Method != http.MethodGet:
		out = out.And(openapi.Fails{wire.KindUnknownOutcome: "it was cut off: it may or may not have happened"})
	case !r.Open:
		out = out.And(openapi.Fails{wire.KindBusy: "the node did not answer in time"})
	}
	if r.trusting() {
		out = out.And(openapi.Fails{wire.KindNotReady: "what the node holds may be damaged, and is not read as if it were true"})
	}
	if r.Agreed {
		out = out.And(upToDate)
	}
	return out
}
