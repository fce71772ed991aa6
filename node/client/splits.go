package client

import (
	"context"
	"strconv"

	"almenara/node/wire/splits"
)

// Splits is what was done while nodes were without a majority, the newest split
// first; limit 0 is the node's default.
func (c District) Splits(ctx context.Context, limit int) (out []splits.Split, err error) {
	q := values()
	if limit > 0 {
		q.Set("limit", strconv.Itoa(limit))
	}
	err = c.call(ctx, request{method: "GET", path: path("splits"), query: q}, nil, &out)
	return out, err
}
