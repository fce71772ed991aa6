// Package simulation runs simulated devices, honest and faulty, against real nodes, and says what
// they came to: which are connected, what they show, what they have proven, and which were late.
//
//	devices that were enrolled ─> Run ─> device.Fleet ─> (MQTT) ─> nodes
//	                               └─ faults, times ─> told: a picture every second
//
// It counts what the devices know of themselves, never what a node says: the two are to be compared.
package simulation

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"

	"almenara/channels/contract"
	"almenara/channels/device"
	"almenara/node/cli/inprocess"
	"almenara/node/demo"
)

const (
	connectPerSecond = 500         // devices that begin to connect in a second
	lookEvery        = time.Second // between two pictures
)

// crowd is one simulation under way.
type crowd struct {
	options inprocess.SimulateOptions
	kinds   []string // by device, with its fault
	shows   int      // devices that are not deaf
	fleet   *device.Fleet
	times   *times
}

// Run connects devices and waits until each has proven the expected alerts, o.For is over, or ctx
// ends, neither of which is an error. told is given a picture every second, by one goroutine.
func Run(ctx context.Context, o inprocess.SimulateOptions, told func(inprocess.SimulateResult)) (inprocess.SimulateResult, error) {
	begun := time.Now()
	now := func() time.Duration { return time.Since(begun) }
	if o.For > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, o.For)
		defer cancel()
	}
	over := make(chan struct{})
	c, err := assemble(o, now, over)
	if err != nil {
		return inprocess.SimulateResult{}, err
	}
	var running sync.WaitGroup
	beside, end := context.WithCancel(ctx)
	defer func() { close(over); end(); running.Wait(); c.fleet.Stop() }()
	c.fleet.Start()
	misbehave(beside, c.fleet.Devices(), o.Faulty, &running)
	looking := make(chan struct{})
	looks, enough := context.WithCancel(ctx)
	go func() { defer close(looking); c.look(looks, told) }()
	err = c.fleet.Wait(ctx, c.enough)
	enough()
	<-looking
	if err != nil && !errors.Is(err, device.ErrNotReached) {
		return inprocess.SimulateResult{}, err
	}
	return c.sum(), nil
}

// assemble makes the devices, each of its kind and with its fault.
func assemble(o inprocess.SimulateOptions, now func() time.Duration, over <-chan struct{}) (*crowd, error) {
	c := &crowd{options: o, times: newTimes(len(o.Devices), now)}
	var devices []device.Options
	for i, e := range o.Devices {
		if len(o.Servers) > 0 {
			e.Servers = o.Servers
		}
		kind := e.Kind
		if kind == "" {
			kind = "device"
		}
		d, err := demo.Equip(e, kind, i)
		if err != nil {
			return nil, err
		}
		d.OnEvent = func(e device.Event) { c.times.happened(i, e) }
		fault := faultOf(i, o.Faulty)
		c.shows += one(fault != deaf)
		if fault != "" {
			ail(&d, fault, over)
			kind += ", " + fault
		}
		c.kinds, devices = append(c.kinds, kind), append(devices, d)
	}
	var err error
	c.fleet, err = device.NewFleet(device.FleetOptions{Devices: devices, PerSecond: connectPerSecond})
	return c, err
}

// look tells how things stand until ctx ends.
func (c *crowd) look(ctx context.Context, told func(inprocess.SimulateResult)) {
	ticker := time.NewTicker(lookEvery)
	defer ticker.Stop()
	for {
		told(c.sum())
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// enough reports whether every device that shows anything has proven what is expected.
func (c *crowd) enough(p device.Progress) bool {
	return c.options.Expect > 0 && provenMost(p, c.options.Expect) >= c.shows*c.options.Expect
}

// provenMost counts the proofs of as many alerts, those that most devices have proven.
func provenMost(p device.Progress, alerts int) (sum int) {
	var all []int
	for _, reach := range p.Alerts {
		all = append(all, reach.Proven)
	}
	slices.SortFunc(all, func(a, b int) int { return b - a })
	for _, n := range all[:min(alerts, len(all))] {
		sum += n
	}
	return sum
}

// tally gathers what is said of all devices.
type tally struct {
	out         inprocess.SimulateResult
	kinds       map[string]*inprocess.SimulatedKind
	there, back []verdict // of devices without a fault
	missing     bool      // a device did not prove what is expected, or a deaf one did
}

// sum says what the devices did so far. Proven asks that every device was connected and proved
// the expected number of alerts, and none of them twice, and that a deaf one proved none.
func (c *crowd) sum() inprocess.SimulateResult {
	t := tally{kinds: map[string]*inprocess.SimulatedKind{}}
	t.out = inprocess.SimulateResult{Devices: len(c.kinds), Seconds: c.times.now().Seconds()}
	begun := c.times.begun()
	for i, d := range c.fleet.Devices() {
		k := t.kinds[c.kinds[i]]
		if k == nil {
			k = &inprocess.SimulatedKind{Kind: c.kinds[i]}
			t.kinds[c.kinds[i]] = k
		}
		c.count(&t, k, i, d, begun)
	}
	for _, k := range t.kinds {
		t.out.Kinds = append(t.out.Kinds, *k)
		t.out.Connected += k.Connected
		t.out.Online += k.Online
		t.out.Late += k.Late
		t.out.Twice += k.Twice
	}
	for _, key := range begun {
		if !slices.Contains(t.out.Alerts, key.Alert) {
			t.out.Alerts = append(t.out.Alerts, key.Alert)
		}
	}
	slices.SortFunc(t.out.Kinds, func(a, b inprocess.SimulatedKind) int { return strings.Compare(a.Kind, b.Kind) })
	slices.Sort(t.out.Alerts)
	t.out.Never = t.out.Devices - t.out.Connected
	t.out.There, t.out.Back = pace(t.there), pace(t.back)
	t.out.Proven = t.out.Devices > 0 && t.out.Never == 0 && t.out.Twice == 0 && !t.missing
	return t.out
}

// count adds the i-th device to its kind.
func (c *crowd) count(t *tally, k *inprocess.SimulatedKind, i int, d *device.Device, begun []device.Revision) {
	fault := faultOf(i, c.options.Faulty)
	k.Devices++
	k.Connected += one(d.Joined())
	k.Online += one(device.LocalOf(d).Connected())
	record := d.Record()
	shown := map[string]bool{} // that began: what is still on its way to the glass is not shown
	proven := 0
	for key, told := range record {
		shown[key.Alert] = shown[key.Alert] || told.Starts+told.Resumes > 0
		k.Addressed++
		k.Verified += one(slices.Contains(told.Told, contract.RungVerified))
		k.Presented += one(told.Proven())
		k.Acknowledged += one(slices.Contains(told.Told, contract.RungAcknowledged))
		k.Stopped += one(slices.Contains(told.Told, contract.RungCancelled))
		k.Twice += max(0, told.Starts-1)
		proven += one(told.Proven())
	}
	k.Showing += one(slices.ContainsFunc(d.Presenting(), func(alert string) bool { return shown[alert] }))
	for _, key := range begun {
		if _, got := record[key]; !got && c.options.Expect == 0 || !d.Joined() {
			continue // it was not addressed, as far as is known here
		}
		v := c.times.judge(i, key)
		k.Late += one(v.late)
		switch {
		case fault != "" || !v.known:
		case v.back:
			t.back = append(t.back, v)
		default:
			t.there = append(t.there, v)
		}
	}
	if fault == deaf {
		t.missing = t.missing || proven > 0
		return
	}
	t.missing = t.missing || proven < c.options.Expect
}

func one(is bool) int {
	if is {
		return 1
	}
	return 0
}
