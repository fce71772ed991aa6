//go:build linux

package main

import (
	"context"
	"fmt"
	"slices"
)

// The variants of the cell that measures what alerts in force cost the next one: the
// last of the devices with nothing else in force, and with so many alerts to all of them.
const (
	heldNone    = "1 in force"
	heldMany    = "1000 in force"
	heldAlerts  = 1000
	heldDevices = 1000 // the promise is about so many; fewer where fewer are asked for
	heldBatch   = 50   // published at once

	mostHeld = 2.0 // times later than with nothing else in force
)

// holder is a system that can leave in force what it publishes.
type holder interface {
	// hold publishes alerts as whoever may have so many in force.
	hold(ctx context.Context, count int) error
	// keep leaves in force what was published last: later alerts come beside it.
	keep() error
}

func (r *ownRole) hold(ctx context.Context, count int) error {
	_, err := r.publish(ctx, count, 1)
	return err
}

func (r *ownRole) keep() error {
	_, err := r.ask(order{Do: "hold"})
	return err
}

// hold publishes as an administrator: the budget of a central system is 100 in one block.
func (a *almenara) hold(ctx context.Context, count int) error {
	centre := a.centre
	defer func() { a.centre = centre }()
	a.centre = a.client
	_, err := a.publish(ctx, count, 1)
	return err
}

func (a *almenara) keep() error {
	a.sent = nil // what is not listed is not retired
	return nil
}

// held measures one alert with nothing else in force, and then with heldAlerts, in the
// same systems and beside the same devices.
func (c *cell) held(ctx context.Context, units []*unit) error {
	for n := range c.runs {
		for _, u := range turned(units, n) {
			if err := c.seriesAs(ctx, u, heldNone, n); err != nil {
				return err
			}
		}
	}
	for _, u := range units {
		for range heldAlerts / heldBatch {
			if err := u.hold(ctx, heldBatch); err != nil {
				return fmt.Errorf("%s: holding %d alerts in force: %w", u.name, heldAlerts, err)
			}
		}
	}
	for n := range c.runs {
		for _, u := range turned(units, n) {
			if err := c.seriesAs(ctx, u, heldMany, n); err != nil {
				return err
			}
		}
	}
	return nil
}

// hold publishes alerts that stay in force.
func (u *unit) hold(ctx context.Context, count int) error {
	if _, err := u.fleet.ask(order{Do: "mark"}); err != nil {
		return err
	}
	server := u.sys.(holder)
	if err := server.hold(ctx, count); err != nil {
		return err
	}
	if _, err := u.fleet.ask(order{Do: "await", Count: count * u.live}); err != nil {
		return err
	}
	u.got += count
	if _, err := u.sys.settle(ctx, count*u.live, 1); err != nil {
		return err
	}
	return server.keep()
}

// seriesAs is series under the name of a variant.
func (c *cell) seriesAs(ctx context.Context, u *unit, variant string, run int) error {
	as := *c
	as.variant = variant
	return as.series(ctx, u, run, 1)
}

// heldTarget judges how much later the last device has an alert where many are in force.
func (r *results) heldTarget(o options, system string) target {
	n := o.heldDevices()
	t := target{system: system, text: fmt.Sprintf("%s, last of %d devices, %s: at most %.0f x with %s, p50", system, n, heldMany, mostHeld, heldNone)}
	one, ok := r.of(series{system, n, "TCP", heldNone, 1})
	if many, too := r.of(series{system, n, "TCP", heldMany, 1}); ok && too {
		x := float64(many.P50) / float64(one.P50)
		t.measured, t.reached = fmt.Sprintf("%.2f x (%s, %s)", x, milli(many.P50), milli(one.P50)), x <= mostHeld
	}
	return t
}

// heldDevices is how many devices the cell has.
func (o options) heldDevices() int { return min(heldDevices, slices.Max(o.devices)) }
