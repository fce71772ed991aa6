package api

import (
	"net/http"

	"almenara/node/api/openapi"
	"almenara/node/wire"
)

// What kinds of routes may fail with, beside what common says of all.
var (
	// agreedOn is of changes that the district agrees on.
	agreedOn = openapi.Fails{
		wire.KindRefused:        "a rule of the district is against it, or some nodes are not upgraded; nothing happened",
		wire.KindNoQuorum:       "a majority of the district's nodes is needed, and none can be reached",
		wire.KindNotReady:       "the node is stopping",
		wire.KindBusy:           "the district is busy, or the disk of this node or of the leading one is full",
		wire.KindUnknownOutcome: "no answer came in time: it may or may not have happened",
	}
	// warned is of messages to the people of the district.
	warned = openapi.Fails{
		wire.KindForbidden:      "the caller may not speak under its CAP sender, or not for everybody whom it reaches or changes",
		wire.KindMalformed:      "a selection cannot be read, or fields that belong together do not stand together",
		wire.KindTooLarge:       "the message, its areas and its reason are more than the nodes pass on",
		wire.KindOverBudget:     "the sender, a block or the district has as many as it may have, or the caller has asked for too many dry runs",
		wire.KindNoQuorum:       "it takes every node's word that it is upgraded, and none leads",
		wire.KindNotReady:       "the node is stopping",
		wire.KindBusy:           "too many alerts wait for a majority, or others change the same alert at this moment",
		wire.KindUnknownOutcome: "it was cut off: it may or may not have happened",
	}
	// oneAlert is of routes about one alert.
	oneAlert = openapi.Fails{
		wire.KindMalformed: "the id is none, or fewer than 4 characters of one",
		wire.KindNotFound:  "no alert of this id is known here",
		wire.KindConflict:  "more than one alert begins so",
	}
	// upToDate is of reads with consistent=true.
	upToDate = openapi.Fails{
		wire.KindNoQuorum: "with consistent=true, no majority of the district's nodes can be reached",
		wire.KindNotReady: "with consistent=true, the node is stopping",
		wire.KindBusy:     "with consistent=true, the node could not get up to date in time, or its disk is full",
	}
)

// common is what the handler itself may answer on the route, whatever the service does.
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
	if r.agreed() {
		out = out.And(openapi.Fails{wire.KindNotReady: "what the node holds may be damaged, and is not read as if it were true"})
	}
	if r.Agreed {
		out = out.And(upToDate)
	}
	return out
}
