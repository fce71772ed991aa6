package routing

import (
	"bytes"
	"fmt"
	"io"
	"slices"

	"almenara/node/authority"
	"almenara/node/inflight"
)

// privileged reports whether the caller is one of those for whom a share is kept.
func privileged(by authority.Caller) bool {
	return by.System || slices.Contains(by.Roles, authority.RoleAdministrator)
}

// begin reads the body of a call whole and waits until it may be worked on. An import is read as
// it comes, and has bounds of its own.
func (b *bodies) begin(c *Call, asks bool) error {
	if c.Route.MaxBody == 0 || c.Route.MaxBody > MostHeld {
		return nil
	}
	raw, err := io.ReadAll(c.R.Body)
	if err != nil {
		return fmt.Errorf("reading the body: %w", err)
	}
	ctx, work, err := b.work.Begin(c.R.Context(), inflight.Request{
		User: c.By.Name, Privileged: privileged(c.By), Large: len(raw) > largeBody, Asks: asks, Message: c.Route.warns(),
	})
	if err != nil {
		return err
	}
	c.Raw, c.work, c.R = raw, work, c.R.WithContext(ctx)
	c.R.Body = io.NopCloser(bytes.NewReader(raw))
	return nil
}
