package engine

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

// connectPerSecond is how many simulated devices connect in a second.
const connectPerSecond = 500

// simulate connects devices and waits until each has proven the expected alerts.
func simulate(ctx context.Context, o inprocess.SimulateOptions, progress func(inprocess.Progress)) (inprocess.SimulateResult, error) {
	begun := time.Now()
	if o.For > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, o.For)
		defer cancel()
	}
	over := make(chan struct{})
	kinds, devices, err := equip(o, over)
	if err != nil {
		return inprocess.SimulateResult{}, err
	}
	healthy := int64(len(devices) - deaf(o))
	fleet, err := device.NewFleet(device.FleetOptions{Devices: devices, PerSecond: connectPerSecond})
	if err != nil {
		return inprocess.SimulateResult{}, err
	}
	var running sync.WaitGroup
	cutting, uncut := context.WithCancel(ctx)
	defer func() { close(over); uncut(); running.Wait(); fleet.Stop() }()
	fleet.Start()
	for i, d := range fleet.Devices() {
		if faultOf(i, o.Faulty) == faultRebooting {
			cutPower(cutting, d, &running)
		}
	}
	err = fleet.Wait(ctx, func(p device.Progress) bool {
		done, text := int64(p.Connected), "connected"
		if len(p.Alerts) > 0 {
			done, text = proofs(p, o.Expect), "proven"
		}
		progress(inprocess.Progress{Done: done, Total: healthy * int64(max(o.Expect, 1)), Text: text})
		return o.Expect > 0 && proofs(p, o.Expect) >= healthy*int64(o.Expect)
	})
	if err != nil && !errors.Is(err, device.ErrNotReached) {
		return inprocess.SimulateResult{}, err
	}
	return sum(fleet, kinds, o, begun), nil
}

// deaf is how many devices show nothing.
func deaf(o inprocess.SimulateOptions) (n int) {
	for i := range o.Devices {
		if faultOf(i, o.Faulty) == faultDeaf {
			n++
		}
	}
	return n
}

// equip makes the devices and says of which kind each is, with its fault.
func equip(o inprocess.SimulateOptions, over <-chan struct{}) (kinds []string, devices []device.Options, err error) {
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
			return nil, nil, err
		}
		if fault := faultOf(i, o.Faulty); fault != "" {
			ail(&d, fault, over)
			kind += ", " + fault
		}
		kinds, devices = append(kinds, kind), append(devices, d)
	}
	return kinds, devices, nil
}

// proofs counts the proofs of the alerts that most devices have proven.
func proofs(p device.Progress, expect int) int64 {
	var all []int64
	for _, reach := range p.Alerts {
		all = append(all, int64(reach.Proven))
	}
	slices.SortFunc(all, func(a, b int64) int { return int(b - a) })
	var sum int64
	for _, n := range all[:min(max(expect, 1), len(all))] {
		sum += n
	}
	return sum
}

// sum says what the devices did. Proven asks that every device was connected and proved
// the expected number of alerts, and none of them twice, and that a deaf one proved none.
func sum(fleet *device.Fleet, kinds []string, o inprocess.SimulateOptions, begun time.Time) inprocess.SimulateResult {
	out := inprocess.SimulateResult{Devices: len(kinds), Seconds: time.Since(begun).Seconds(), Proven: len(kinds) > 0}
	table := map[string]*inprocess.KindProof{}
	for i, d := range fleet.Devices() {
		k := table[kinds[i]]
		if k == nil {
			k = &inprocess.KindProof{Kind: kinds[i]}
			table[kinds[i]] = k
		}
		proven := 0
		if d.Joined() {
			k.Connected++
			out.Connected++
		}
		for key, tally := range d.Record() {
			if !slices.Contains(out.Alerts, key.Alert) {
				out.Alerts = append(out.Alerts, key.Alert)
			}
			out.Proven = out.Proven && tally.Starts <= 1
			out.Twice += max(0, tally.Starts-1)
			k.Addressed++
			k.Verified += has(tally, "verified")
			k.Presented += has(tally, "presented")
			k.Acknowledged += has(tally, "acknowledged")
			k.Stopped += has(tally, contract.RungCancelled)
			proven += has(tally, "presented")
		}
		if faultOf(i, o.Faulty) == faultDeaf {
			out.Proven = out.Proven && d.Joined() && proven == 0
			continue
		}
		out.Proven = out.Proven && d.Joined() && proven >= o.Expect
	}
	for _, k := range table {
		out.Kinds = append(out.Kinds, *k)
	}
	slices.SortFunc(out.Kinds, func(a, b inprocess.KindProof) int { return strings.Compare(a.Kind, b.Kind) })
	slices.Sort(out.Alerts)
	return out
}

func has(t device.Tally, rung string) int {
	if slices.Contains(t.Told, rung) {
		return 1
	}
	return 0
}
