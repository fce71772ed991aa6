package api

import (
	"bytes"
	"fmt"
	"io"
	"slices"

	"almenara/node/api/strictjson"
	"almenara/node/authority"
	"almenara/node/inflight"
	"almenara/node/wire"
)

// privileged reports whether the caller is one of those for whom a share is kept.
func privileged(by Caller) bool { return by.System || slices.Contains(by.Roles, RoleAdministrator) }

// warns reports whether the route is about a message to the people of the district.
func (r Route) warns() bool { return authority.LineOf(r.Action).Warns() }

// begin reads the body of a call whole and waits until it may be worked on. An import is read as
// it comes, and has bounds of its own.
func (b *bodies) begin(c *call, asks bool) error {
	if c.route.MaxBody == 0 || c.route.MaxBody > bodyPlaces {
		return nil
	}
	raw, err := io.ReadAll(c.r.Body)
	if err != nil {
		return fmt.Errorf("reading the body: %w", err)
	}
	ctx, work, err := b.work.Begin(c.r.Context(), inflight.Request{
		User: c.by.Name, Privileged: privileged(c.by), Large: len(raw) > largeBody, Asks: asks, Message: c.route.warns(),
	})
	if err != nil {
		return err
	}
	c.raw, c.work, c.r = raw, work, c.r.WithContext(ctx)
	c.r.Body = io.NopCloser(bytes.NewReader(raw))
	return nil
}

// took notes what became of a message.
func (c call) took(out wire.Outcome) {
	if c.work != nil && !out.Duplicate {
		c.work.Took()
	}
}

// readJSON reads exactly one JSON value into into.
func (c call) readJSON(into any) error {
	defer c.work.Decoded()
	return strictjson.Read(c.r.Body, into)
}
