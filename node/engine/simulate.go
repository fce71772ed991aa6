package engine

import (
	"context"
	"errors"
	"slices"
	"strings"
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
	kinds, devices, err := equip(o)
	if err != nil {
		return inprocess.SimulateResult{}, err
	}
	fleet, err := device.NewFleet(device.FleetOptions{Devices: devices, PerSecond: connectPerSecond})
	if err != nil {
		return inprocess.SimulateResult{}, err
	}
	defer fleet.Stop()
	fleet.Start()
	err = fleet.Wait(ctx, func(p device.Progress) bool {
		done, text := int64(p.Connected), "connected"
		if len(p.Alerts) > 0 {
			done, text = proofs(p, o.Expect), "proven"
		}
		progress(inprocess.Progress{Done: done, Total: int64(len(devices) * max(o.Expect, 1)), Text: text})
		return o.Expect > 0 && proofs(p, o.Expect) >= int64(len(devices)*o.Expect)
	})
	if err != nil && !errors.Is(err, device.ErrNotReached) {
		return inprocess.SimulateResult{}, err
	}
	return sum(fleet, kinds, o.Expect, begun), nil
}

// equip makes the devices and says of which kind each is.
func equip(o inprocess.SimulateOptions) (kinds []string, devices []device.Options, err error) {
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
// the expected number of alerts, and none of them twice.
func sum(fleet *device.Fleet, kinds []string, expect int, begun time.Time) inprocess.SimulateResult {
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
		out.Proven = out.Proven && d.Joined() && proven >= expect
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
