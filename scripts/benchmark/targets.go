//go:build linux

package main

import (
	"fmt"
	"io"
	"slices"
	"text/tabwriter"
	"time"
)

// target is one promise in numbers, and what this run has to say to it.
type target struct {
	system   string // whose profile explains a miss
	text     string
	measured string // "" when this run did not measure it
	reached  bool
}

// The limits that the design promises.
const (
	mostOfFloor       = 1.3
	mostOfMosquitto   = 0.7 // at 5,000 devices
	mostOfMosquitto10 = 0.5 // at 10,000
	mostLastP50       = 120 * time.Millisecond
	mostLastP99       = time.Second
	mostLater         = 10 * time.Millisecond
	mostAlone         = 200 * time.Millisecond
	mostPerConnection = 8e3   // bytes
	mostResident      = 256e6 // bytes, with 10,000 devices
	leastReceipts     = 60_000
	mostPerReceipt    = 20 * time.Microsecond
	mostStormWait     = 30 * time.Second
)

// targets judges what was measured.
func (r *results) targets(o options) (all []target) {
	for _, system := range []string{gatewayName, nodeName} {
		if slices.Contains(o.only, system) {
			all = append(all, r.cpuTargets(o, system)...)
			all = append(all, r.lateTargets(o, system)...)
			all = append(all, r.heldTarget(o, system), r.memoryTarget(o, system))
			all = append(all, r.stormTargets(system)...)
		}
	}
	if slices.Contains(o.only, nodeName) {
		all = append(all, r.nodeTargets(o)...)
	}
	return all
}

func delivering(system string, devices int) series {
	return series{system, devices, "TCP", oneByOne, 1}
}

func (r *results) cpuTargets(o options, system string) (all []target) {
	for _, n := range o.devices {
		all = append(all, r.ratioTarget(delivering(system, n), floorName, mostOfFloor))
	}
	return append(all,
		r.ratioTarget(delivering(system, 5000), mosquittoName, mostOfMosquitto),
		r.ratioTarget(delivering(system, 10_000), mosquittoName, mostOfMosquitto10))
}

func (r *results) ratioTarget(key series, other string, most float64) target {
	t := target{system: key.System, text: fmt.Sprintf("%s, CPU per QoS 1 delivery, %d devices: at most %.1f x %s", key.System, key.Devices, most, other)}
	if x, ok := r.times(key, other, cpuOf); ok {
		t.measured, t.reached = fmt.Sprintf("%.2f x", x), x <= most
	}
	return t
}

// lateTargets compares medians of the time to the last device that reads.
func (r *results) lateTargets(o options, system string) (all []target) {
	key := delivering(system, o.variantDevices())
	plain, ok := r.of(key)
	for _, key.Variant = range []string{stalled, dead} {
		t := target{system: system, text: fmt.Sprintf("%s, last of %d devices, %s: later by at most %s", system, key.Devices, key.Variant, milli(mostLater))}
		if s, too := r.of(key); ok && too {
			t.measured, t.reached = milli(s.P50-plain.P50), s.P50-plain.P50 <= mostLater
		}
		all = append(all, t)
	}
	return all
}

func (r *results) memoryTarget(o options, system string) target {
	n := slices.Max(o.devices)
	t := target{system: system, text: fmt.Sprintf("%s, RSS per idle TCP device, %d devices: at most %.0f kB", system, n, mostPerConnection/1e3)}
	if m, ok := r.memory[series{System: system, Devices: n, Over: "TCP"}]; ok {
		t.measured, t.reached = fmt.Sprintf("%.1f kB", m.PerConnection/1e3), m.PerConnection <= mostPerConnection
	}
	return t
}

func (r *results) nodeTargets(o options) []target {
	all := []target{
		{text: "node, alert posted to last of 5000 devices, p50: at most " + milli(mostLastP50)},
		{text: "node, alert posted to last of 5000 devices, p99: less than " + milli(mostLastP99)},
		{text: fmt.Sprintf("node, RSS with 10000 TCP devices: less than %.0f MB", mostResident/1e6)},
		{text: fmt.Sprintf("node, receipts committed: at least %d/s", leastReceipts)},
		{text: "node, CPU per receipt: at most " + micro(mostPerReceipt)},
	}
	for i := range all {
		all[i].system = nodeName
	}
	if s, ok := r.of(delivering(nodeName, 5000)); ok {
		all[0].measured, all[0].reached = milli(s.P50), s.P50 <= mostLastP50
		all[1].measured, all[1].reached = milli(s.P99), s.P99 < mostLastP99
	}
	if m, ok := r.memory[series{System: nodeName, Devices: 10_000, Over: "TCP"}]; ok {
		all[2].measured, all[2].reached = fmt.Sprintf("%.1f MB", float64(m.Total)/1e6), m.Total < mostResident
	}
	if s, ok := r.of(series{nodeName, slices.Max(o.devices), "TCP", receipts, 1}); ok {
		all[3].measured, all[3].reached = fmt.Sprintf("%.0f/s", s.Rate), s.Rate >= leastReceipts
		all[4].measured, all[4].reached = micro(s.CPU), s.CPU <= mostPerReceipt
	}
	all = append(all, r.districtTargets(o)...)
	all = append(all, r.strangersTarget(o))
	all = append(all, r.failoverTargets()...)
	all = append(all, r.watchingTargets()...)
	return append(all, r.growthTargets()...)
}

// districtTargets judges a district of three, and what is left of it.
func (r *results) districtTargets(o options) []target {
	n := o.variantDevices()
	all := []target{
		{system: nodeName, text: fmt.Sprintf("node, last of %d devices with 2 of 3 nodes dead, p50: no later than with all by more than %s", n, milli(mostLater))},
		{system: nodeName, text: fmt.Sprintf("node, alert posted with 2 of 3 nodes dead to last of %d devices, most: less than %s", n, milli(mostAlone))},
		{system: nodeName, text: fmt.Sprintf("node of three, CPU per receipt, %d devices: at most %s", n, micro(mostPerReceipt))},
	}
	whole, ok := r.of(series{nodeName, n, "TCP", threeNodes, 1})
	if s, too := r.of(series{nodeName, n, "TCP", twoDead, 1}); ok && too {
		all[0].measured, all[0].reached = milli(s.P50-whole.P50), s.P50-whole.P50 <= mostLater
		all[1].measured, all[1].reached = milli(s.Max), s.Max < mostAlone
	}
	if s, ok := r.of(series{nodeName, n, "TCP", receipts + ", " + threeNodes, 1}); ok {
		all[2].measured, all[2].reached = micro(s.CPU), s.CPU <= mostPerReceipt
	}
	return all
}

// writeTargets prints the verdicts, also of what was not measured where everything is.
func writeTargets(w io.Writer, all []target, everything bool) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, one := range all {
		verdict := "MISSED"
		switch {
		case one.measured == "" && !everything:
			continue
		case one.measured == "":
			verdict, one.measured = "not measured", absent
		case one.reached:
			verdict = "reached"
		}
		fmt.Fprintf(t, "%s\t%s\t%s\n", verdict, one.measured, one.text)
	}
	return t.Flush()
}

// missed lists the systems that missed something.
func missed(all []target) (systems []string) {
	for _, t := range all {
		if t.measured != "" && !t.reached && !slices.Contains(systems, t.system) {
			systems = append(systems, t.system)
		}
	}
	return systems
}
