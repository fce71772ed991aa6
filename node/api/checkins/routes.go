// Package checkins is the routes about places at which phones check in. It asks service.CheckIns, decides nothing, and
// never imports api.
package checkins

import (
	"strings"
	"time"

	"almenara/node/api/openapi"
	"almenara/node/api/routing"
	"almenara/node/authority"
	"almenara/node/service"
	"almenara/node/wire"
	"almenara/node/wire/visits"
	"almenara/node/wire/why"
)

type handlers struct{ of service.CheckIns }

// Routes are the lines of the route table.
func Routes(of service.CheckIns) []routing.Route {
	h := handlers{of}
	return []routing.Route{
		{Action: authority.ReadAudience, Handle: h.codes, Route: openapi.Route{
			Method: "GET", Path: "/api/v1/places/codes",
			Summary: "Make the codes of places, to print and hang up there: whoever scans one checks in, and the visit stays in the phone. A code is signed by this node and good for 396 days, and for as long as the node belongs to the district. Nothing is changed. Who is limited to places gets codes of those alone.",
			Params:  []openapi.Param{{Name: "places", Type: "string", Summary: "paths of places with commas between, 200 at most"}},
			Answer:  visits.PlaceCodes{},
			Fails: openapi.Fails{
				wire.KindMalformed: "no place was given, or more than 200", wire.KindNotFound: "one is no place of the district, or none of the caller's",
				wire.KindRefused: "the node was started without --residents",
			},
		}},
		{Action: authority.ReadReports, Handle: h.checkIns, Route: openapi.Route{
			Method: "GET", Path: "/api/v1/checkins",
			Summary: "Count how often phones checked in, by place. That is a number by place and hour; nobody knows whose phones they are. Every node is asked. Who is limited to places reads of those alone.",
			Params: []openapi.Param{
				{Name: "place", Type: "string", Summary: "the place that they are at or below"},
				{Name: "since", Type: "string", Summary: "begin of the span of time, such as 2026-11-28T10:00:00+08:00; 24 hours before its end when absent"},
				{Name: "until", Type: "string", Summary: "its end; now when absent"},
			},
			Answer: visits.CheckIns{},
			Fails:  openapi.Fails{wire.KindMalformed: "a time is none, or the span is none for which phones keep visits", wire.KindNotFound: "there is no such place in the district"},
		}},
	}
}

func (h handlers) codes(c routing.Call) error {
	text := c.Query.Text("places", "")
	if c.Query.Err() != nil {
		return c.Query.Err()
	}
	var places []string
	if text != "" {
		places = strings.Split(text, ",")
	}
	out, err := h.of.PlaceCodes(c.R.Context(), c.By, places)
	return c.Answer(out, err)
}

func (h handlers) checkIns(c routing.Call) error {
	q := visits.Query{Place: c.Query.Text("place", "")}
	var err error
	for name, to := range map[string]*time.Time{"since": &q.From, "until": &q.To} {
		text := c.Query.Text(name, "")
		if text == "" {
			continue
		}
		if *to, err = time.Parse(time.RFC3339, text); err != nil {
			return wire.Problemf(wire.KindMalformed, "%s is %.40q, and a time such as 2026-11-28T10:00:00+08:00 is expected", name, text).Because(why.SpanUnfit, err)
		}
	}
	if c.Query.Err() != nil {
		return c.Query.Err()
	}
	out, err := h.of.CheckIns(c.R.Context(), c.By, q)
	return c.Answer(out, err)
}
