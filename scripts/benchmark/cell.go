//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// The variants of a series.
const (
	oneByOne   = "one by one"
	backToBack = "back to back"
	stalled    = "1% stalled"
	dead       = "1% dead"
	receipts   = "receipts"
)

// profileAlerts give a profile enough samples.
const profileAlerts = 20

// cell is a number of devices over one transport: all systems are up at once, and
// take turns, so that what else happens on the machine happens to all of them.
type cell struct {
	options
	devices   int
	secure    bool
	variant   string // oneByOne, stalled or dead
	profileTo string // file; "" is none
	pem       certificates
	program   string
	dir       string
	record    func(any) error // what was measured: sample or memory
	say       func(format string, args ...any)
}

// qos lists the series of plain: a profile is of QoS 1.
func (c *cell) qos() []byte {
	if c.profileTo != "" {
		return []byte{1}
	}
	return []byte{1, 0}
}

func (c *cell) over() string {
	if c.secure {
		return "TLS"
	}
	return "TCP"
}

func (c *cell) share(variant string) int {
	if c.variant != variant {
		return 0
	}
	return max(c.devices/100, 1)
}

func (c *cell) stalled() int { return c.share(stalled) }
func (c *cell) dead() int    { return c.share(dead) }

// run measures the cell.
func (c *cell) run(ctx context.Context) (err error) {
	begun := time.Now()
	if c.variant == stalled && slices.Equal(c.only, []string{floorName}) {
		return nil // its writes would wait for every device
	}
	c.dir = filepath.Join(c.out, fmt.Sprintf("%d-%s-%s", c.devices, c.over(), slug(c.variant)))
	if err := os.MkdirAll(c.dir, 0o755); err != nil {
		return err
	}
	switch c.variant {
	case storm:
		return c.tempests(ctx)
	case killed:
		return c.failovers(ctx)
	}
	units, err := c.units(ctx)
	defer func() {
		for _, u := range units {
			u.end()
		}
	}()
	if err != nil {
		return err
	}
	for _, u := range units {
		if p, ok := u.sys.(profiled); ok && c.profileTo != "" {
			if err := p.beginProfile(); err != nil {
				return err
			}
		}
	}
	c.say("%d devices over %s, %s: connected after %.1f s", c.devices, c.over(), c.variant, time.Since(begun).Seconds())
	measure := c.disturbed
	switch c.variant {
	case oneByOne:
		measure = c.plain
	case threeNodes:
		measure = c.district
	case heldMany:
		measure = c.held
	case grown:
		measure = c.grow
	case manyStrangers:
		measure = c.besieged
	case watched:
		measure = c.watchedBy
	}
	if err := measure(ctx, units); err != nil {
		return err
	}
	for _, u := range units {
		connected, err := u.verify()
		if err != nil {
			return err
		}
		if c.stalled()+c.dead() > 0 {
			c.say("%s: %d of %d devices that do not read are still connected", u.name, connected, c.stalled()+c.dead())
		}
	}
	c.say("%d devices over %s, %s: measured after %.1f s", c.devices, c.over(), c.variant, time.Since(begun).Seconds())
	return nil
}

// slug makes a name fit for a folder.
func slug(name string) string {
	out := []byte(name)
	for i, b := range out {
		if b == ' ' || b == '%' {
			out[i] = '-'
		}
	}
	return string(out)
}

// units starts servers and fleets. What was started is returned with an error, too.
func (c *cell) units(ctx context.Context) (units []*unit, err error) {
	for _, name := range c.only {
		if name == floorName && c.variant == stalled {
			continue
		}
		u, err := c.begin(ctx, name)
		if err != nil {
			return units, err
		}
		units = append(units, u)
	}
	for _, u := range units {
		m, err := u.connect(ctx, c)
		if err != nil {
			return units, err
		}
		if c.variant != oneByOne {
			continue
		}
		if err := c.record(m); err != nil {
			return units, err
		}
	}
	return units, nil
}

// plain is alerts one by one at both QoS, back to back, and receipts.
func (c *cell) plain(ctx context.Context, units []*unit) error {
	for _, qos := range c.qos() {
		if err := c.subscribe(units, qos); err != nil {
			return err
		}
		for n := range c.runs {
			for _, u := range turned(units, n) {
				if err := c.series(ctx, u, n, qos); err != nil {
					return err
				}
			}
		}
	}
	if err := c.subscribe(units, 1); err != nil {
		return err
	}
	for n := range c.runs {
		for _, u := range turned(units, n) {
			if err := c.burst(ctx, u, n); err != nil {
				return err
			}
		}
	}
	return nil
}

func (c *cell) subscribe(units []*unit, qos byte) error {
	for _, u := range units {
		if _, err := u.fleet.ask(order{Do: "subscribe", QoS: qos}); err != nil {
			return fmt.Errorf("%s: %w", u.name, err)
		}
	}
	return nil
}

// turned lets another system begin each time.
func turned(units []*unit, by int) []*unit {
	if len(units) == 0 {
		return nil
	}
	by %= len(units)
	return slices.Concat(units[by:], units[:by])
}

// disturbed is alerts one by one beside devices that do not read. The runs of one
// system follow each other, as a server may end such devices after a while.
func (c *cell) disturbed(ctx context.Context, units []*unit) error {
	for _, u := range units {
		if c.variant == stalled {
			if err := u.sys.flood(ctx, c.stalled()); err != nil {
				return fmt.Errorf("flooding through %s: %w", u.name, err)
			}
		}
		for n := range c.runs {
			if err := c.series(ctx, u, n, 1); err != nil {
				return err
			}
		}
	}
	return nil
}

// series is one run of alerts one by one. The first alert of QoS 1 warms up.
func (c *cell) series(ctx context.Context, u *unit, run int, qos byte) error {
	if qos > 0 {
		if _, err := u.measure(ctx, 1, qos); err != nil {
			return fmt.Errorf("%s: %w", u.name, err)
		}
	}
	alerts := c.alertsOf(u.name, c.devices, qos)
	if c.profileTo != "" {
		alerts = profileAlerts
	}
	for range alerts {
		s, err := u.measure(ctx, 1, qos)
		if err := c.keep(s, err, u, c.variant, run); err != nil {
			return err
		}
	}
	return nil
}

// burst is alerts back to back, and the receipts of devices where they are kept.
func (c *cell) burst(ctx context.Context, u *unit, run int) error {
	s, err := u.measure(ctx, backToBackAlerts(c.devices), 1)
	if err := c.keep(s, err, u, backToBack, run); err != nil {
		return err
	}
	node, ok := u.sys.(*almenara)
	if !ok {
		return nil
	}
	s, err = u.receipts(ctx, node)
	return c.keep(s, err, u, receipts, run)
}

func (c *cell) keep(s sample, err error, u *unit, variant string, run int) error {
	if err != nil {
		return fmt.Errorf("%s: %w", u.name, errors.Join(err, u.sys.alive()))
	}
	s.Devices, s.Over, s.Variant, s.Run = c.devices, c.over(), variant, run
	return c.record(s)
}
