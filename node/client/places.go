package client

import (
	"context"

	"almenara/node/wire/places"
)

// ShowPlace is one place with its version and what names it.
func (c Audience) ShowPlace(ctx context.Context, at string) (out places.ShownPlace, err error) {
	err = c.call(ctx, request{method: "GET", path: path("places", "one"), query: agreed(c.connection, values("path", at))}, nil, &out)
	return out, err
}

// ChangePlace changes, adds or removes one place; with DryRun it only says what that would be. It is
// committed on return.
func (c Audience) ChangePlace(ctx context.Context, in places.ChangePlace) (out places.ChangedPlace, err error) {
	err = c.call(ctx, request{method: "POST", path: path("places", "changes")}, in, &out)
	return out, err
}
