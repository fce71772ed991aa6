package client

import (
	"context"

	"almenara/node/wire"
	"almenara/node/wire/able"
)

// Select counts a selection and lists its members behind after; limit 0 is 50.
func (c Audience) Select(ctx context.Context, expression, after string, limit int) (out wire.Selected, err error) {
	q := values("expr", expression, "after", after, "limit", number(limit))
	err = c.call(ctx, request{method: "GET", path: path("audience", "select"), query: agreed(c.connection, q)}, nil, &out)
	return out, err
}

// RemoveMember removes a member, also one that devices are enrolled for where yes says so. It is
// committed on return.
func (c *Client) RemoveMember(ctx context.Context, id string, yes bool) (out wire.RemovedMember, err error) {
	q := values()
	if yes {
		q.Set("yes", "true")
	}
	err = c.call(ctx, request{method: "DELETE", path: path("audience", "members", id), query: q}, nil, &out)
	return out, err
}

// ListPlaces is the place tree.
func (c Audience) ListPlaces(ctx context.Context) (out []wire.Place, err error) {
	err = c.call(ctx, request{method: "GET", path: path("places"), query: agreed(c.connection, values())}, nil, &out)
	return out, err
}

// PutPlaces adds or changes places.
func (c Audience) PutPlaces(ctx context.Context, places []wire.Place) error {
	return c.call(ctx, request{method: "PUT", path: path("places")}, places, nil)
}

// PutPlacesSharing does the same where codes that are added may be those of other places, too: an area that cites
// one means all of them.
func (c Audience) PutPlacesSharing(ctx context.Context, places []wire.Place) error {
	return c.call(ctx, request{method: "PUT", path: path("places"), query: values("shared_codes", "true")}, places, nil)
}

// MaxEnrol is the most devices that one EnrolDevices may hold.
const MaxEnrol = wire.MaxEnrol

// EnrolDevices enrols up to MaxEnrol devices, all or none. The secrets are told
// only here.
func (c Audience) EnrolDevices(ctx context.Context, in []wire.Enrol) (out []wire.Enrolled, err error) {
	err = c.call(ctx, request{method: "POST", path: path("devices")}, in, &out)
	return out, err
}

// ListDevices lists devices behind after in the order of their ids; limit 0 is 1,000.
func (c Audience) ListDevices(ctx context.Context, after string, limit int) (out []wire.Device, err error) {
	q := values("after", after, "limit", number(limit))
	err = c.call(ctx, request{method: "GET", path: path("devices"), query: agreed(c.connection, q)}, nil, &out)
	return out, err
}

// RevokeDevice revokes a device.
func (c Audience) RevokeDevice(ctx context.Context, id string) error {
	return c.call(ctx, request{method: "DELETE", path: path("devices", id)}, nil, nil)
}

// Ability is how the devices at a place stand, by their last silent tests; "" is everywhere.
func (c Audience) Ability(ctx context.Context, place string) (out able.Ability, err error) {
	err = c.call(ctx, request{method: "GET", path: path("ability"), query: values("place", place)}, nil, &out)
	return out, err
}

// TestDevices has connected devices test themselves silently; the tests go on when it returns.
func (c Audience) TestDevices(ctx context.Context, in able.TestDevices) (out able.TestBegun, err error) {
	err = c.call(ctx, request{method: "POST", path: path("ability", "test")}, in, &out)
	return out, err
}

// TestDevice has one device test itself silently, and waits for what it tells.
func (c Audience) TestDevice(ctx context.Context, id string) (out able.DeviceTest, err error) {
	err = c.call(ctx, request{method: "POST", path: path("devices", id, "test")}, nil, &out)
	return out, err
}

// IdentifyDevice has one device show or sound where it is.
func (c Audience) IdentifyDevice(ctx context.Context, id string) (out able.DeviceTest, err error) {
	err = c.call(ctx, request{method: "POST", path: path("devices", id, "identify")}, nil, &out)
	return out, err
}

// ListUsers lists users and tokens.
func (c People) ListUsers(ctx context.Context) (out []wire.User, err error) {
	err = c.call(ctx, request{method: "GET", path: path("users"), query: agreed(c.connection, values())}, nil, &out)
	return out, err
}

// AddUser adds a user; the answer's token is told only here.
func (c People) AddUser(ctx context.Context, in wire.AddUser) (out wire.User, err error) {
	err = c.call(ctx, request{method: "POST", path: path("users")}, in, &out)
	return out, err
}

// SetUser changes what a user is and may do.
func (c People) SetUser(ctx context.Context, name string, in wire.SetUser) error {
	return c.call(ctx, request{method: "PUT", path: path("users", name)}, in, nil)
}

// SetPassword sets a person's password for the console, and ends all sessions of that person. It is
// committed on return.
func (c People) SetPassword(ctx context.Context, name string, in wire.SetPassword) error {
	return c.call(ctx, request{method: "PUT", path: path("users", name, "password")}, in, nil)
}

// RevokeUser revokes a user.
func (c People) RevokeUser(ctx context.Context, name string) error {
	return c.call(ctx, request{method: "DELETE", path: path("users", name)}, nil, nil)
}
