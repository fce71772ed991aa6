//go:build linux

package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"almenara/channels/device"
	"almenara/node/wire"
)

// crowd is all simulated devices. They connect straight to the nodes' MQTT ports and
// go to another node when theirs dies. Safe for concurrent use.
type crowd struct {
	rig  *rig
	book *book

	mu    sync.Mutex
	units []*unit
}

// unit is one device, across its reboots.
type unit struct {
	id      string
	options device.Options
	keeps   bool // has a memory, so that it may be rebooted

	mu        sync.Mutex
	device    *device.Device
	memory    []byte
	node      int // connected to; outside when not
	rebooting bool
}

// connectLag is how long devices of one enrolment wait for each other.
const connectLag = 20 * time.Millisecond

// add makes devices and lets them connect.
func (c *crowd) add(ctx context.Context, enrolled []wire.Enrolled) error {
	for _, e := range enrolled {
		u, err := c.unit(e)
		if err != nil {
			return err
		}
		if err := u.start(); err != nil {
			return err
		}
		c.mu.Lock()
		c.units = append(c.units, u)
		c.mu.Unlock()
		if err := wait(ctx, connectLag); err != nil {
			return err
		}
	}
	return nil
}

func (c *crowd) unit(e wire.Enrolled) (*unit, error) {
	root, err := base64.RawURLEncoding.DecodeString(e.RootKey)
	if err != nil {
		return nil, fmt.Errorf("reading root key: %w", err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM([]byte(e.CA))
	c.mu.Lock()
	number := len(c.units)
	c.mu.Unlock()
	u := &unit{id: e.ID, keeps: number%4 == 0, node: outside}
	u.options = device.Options{
		ID: e.ID, Secret: e.Secret, Kind: e.Kind, Version: "simulated", RootKey: root, FirstServer: number,
		TLS:      &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS13},
		RetryMin: 100 * time.Millisecond, RetryMax: 2 * time.Second, KeepAlive: 4 * time.Second, Timeout: 3 * time.Second,
		OnEvent: func(event device.Event) { c.hear(u, event) },
	}
	for _, b := range c.rig.berths {
		u.options.Servers = append(u.options.Servers, b.mqtt[e.Kind])
	}
	if e.Kind == "phone" {
		u.options.ConfirmAfter, u.options.Answer = time.Second, "safe"
	}
	if u.keeps {
		u.options.Save = u.save
	}
	return u, nil
}

// save keeps the device's memory. The device calls it before it does what the memory
// says.
func (u *unit) save(memory []byte) error {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.memory = memory
	return nil
}

func (u *unit) start() error {
	u.mu.Lock()
	defer u.mu.Unlock()
	o := u.options
	o.Memory = u.memory
	d, err := device.New(o)
	if err != nil {
		return err
	}
	u.device = d
	return d.Start()
}

// stop switches the device off. save needs the lock while it stops.
func (u *unit) stop() {
	u.mu.Lock()
	d := u.device
	u.mu.Unlock()
	d.Stop()
}

// hear notes an event with the node that the device was connected to.
func (c *crowd) hear(u *unit, e device.Event) {
	u.mu.Lock()
	switch e.What {
	case device.Connected:
		u.node = c.rig.at(slices.Index(u.options.Servers, e.Detail))
	case device.Disconnected:
		defer u.left()
	}
	h := Happening{Device: u.id, Node: u.node, What: e.What, Alert: e.Alert, Revision: e.Revision, Rung: e.Rung, At: time.Now()}
	u.mu.Unlock()
	if e.Body != nil {
		h.Expires = e.Body.Expires
	}
	c.book.happened(h)
}

func (u *unit) left() {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.node = outside
}

// reboot takes the power from some of the devices that have a memory. Half of them come
// back at another node.
func (c *crowd) reboot(ctx context.Context, r *rand.Rand, off time.Duration) {
	c.mu.Lock()
	var some []*unit
	for _, u := range c.units {
		chosen, first := r.IntN(2) == 0, r.IntN(2*len(u.options.Servers))
		if u.keeps && chosen && u.take() {
			if first < len(u.options.Servers) {
				u.options.FirstServer = first // nobody reads it before the device starts again
			}
			some = append(some, u)
		}
	}
	c.mu.Unlock()
	var all sync.WaitGroup
	for _, u := range some {
		all.Go(func() {
			u.stop()
			_ = wait(ctx, off)
			if err := u.start(); err != nil {
				c.rig.say("starting %s again: %v", u.id, err)
			}
			u.give()
		})
	}
	all.Wait()
}

func (u *unit) take() bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	was := u.rebooting
	u.rebooting = true
	return !was
}

func (u *unit) give() {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.rebooting = false
}

// connected counts the devices that have a node now.
func (c *crowd) connected() (now, all int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, u := range c.units {
		u.mu.Lock()
		if u.node != outside {
			now++
		}
		u.mu.Unlock()
	}
	return now, len(c.units)
}

// stop switches all devices off.
func (c *crowd) stop() {
	c.mu.Lock()
	units := slices.Clone(c.units)
	c.mu.Unlock()
	var all sync.WaitGroup
	for _, u := range units {
		all.Go(u.stop)
	}
	all.Wait()
}
