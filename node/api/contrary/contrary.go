// Package contrary is the route about alerts in force that contradict each other. It has no rule of its own.
package contrary

import (
	"almenara/node/api/openapi"
	"almenara/node/api/routing"
	"almenara/node/authority"
	"almenara/node/service"
	"almenara/node/wire/caution"
)

// Routes are the route about contradictions.
func Routes(reader service.Reader) []routing.Route {
	return []routing.Route{{Action: authority.ReadAlerts, Handle: func(c routing.Call) error {
		found, err := reader.Contradictions(c.R.Context())
		return c.Answer(found, err)
	}, Route: openapi.Route{
		Method: "GET", Path: "/api/v1/contradictions",
		Summary: "List real alerts in force by which two senders tell the same people contrary things about one incident or category: what to do, how bad it is, or how urgent. Of many pairs the 20 gravest are named, of those the newest, and more says how many there are beside them. What CAP has as words of lists decides, never a text; who is right people settle.",
		Answer:  caution.Contradictions{},
	}}}
}
