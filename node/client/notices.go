package client

import (
	"context"

	"almenara/node/wire/notices"
)

// ListNotices lists the planned notices that are not over, overdue ones first; with over also the last
// ones that are.
func (c Notices) ListNotices(ctx context.Context, over bool) (out []notices.Notice, err error) {
	query := values()
	if over {
		query = values("over", "true")
	}
	err = c.call(ctx, request{method: "GET", path: path("notices"), query: agreed(c.connection, query)}, nil, &out)
	return out, err
}

// ShowNotice is one planned notice, with all that is on record of it.
func (c Notices) ShowNotice(ctx context.Context, id string) (out notices.Notice, err error) {
	err = c.call(ctx, request{method: "GET", path: path("notices", id), query: agreed(c.connection, values())}, nil, &out)
	return out, err
}

// DraftNotice writes a planned notice.
func (c Notices) DraftNotice(ctx context.Context, in notices.DraftNotice) (out notices.Notice, err error) {
	err = c.call(ctx, request{method: "POST", path: path("notices")}, in, &out)
	return out, err
}

// ReviseNotice writes a new version of one.
func (c Notices) ReviseNotice(ctx context.Context, id string, in notices.DraftNotice) (out notices.Notice, err error) {
	err = c.call(ctx, request{method: "POST", path: path("notices", id, "versions")}, in, &out)
	return out, err
}

// ActOnNotice comments on one, passes it on, sends it back or withdraws it.
func (c Notices) ActOnNotice(ctx context.Context, id string, in notices.ActOnNotice) (out notices.Notice, err error) {
	err = c.call(ctx, request{method: "POST", path: path("notices", id, "acts")}, in, &out)
	return out, err
}
