package client

import (
	"context"
	"strings"
	"time"

	"almenara/node/wire/visits"
)

// PlaceCodes makes the codes of places, to print.
func (c Reports) PlaceCodes(ctx context.Context, places []string) (out visits.PlaceCodes, err error) {
	err = c.call(ctx, request{method: "GET", path: path("places", "codes"), query: values("places", strings.Join(places, ","))}, nil, &out)
	return out, err
}

// CheckIns counts how often phones checked in, by place.
func (c Reports) CheckIns(ctx context.Context, q visits.Query) (out visits.CheckIns, err error) {
	query := values("place", q.Place, "since", timeText(q.From), "until", timeText(q.To))
	err = c.call(ctx, request{method: "GET", path: path("checkins"), query: query}, nil, &out)
	return out, err
}

// timeText is a time as a query has it; "" for the zero one.
func timeText(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Format(time.RFC3339)
}
