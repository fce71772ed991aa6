//go:build linux

package main

import (
	"fmt"
	"io"
	"text/tabwriter"
	"time"
)

// growthTable writes what a history costs, one column for each size, and how many times the figure of the first the last one is.
func (r *results) growthTable(w io.Writer, _ options) error {
	if len(r.growths) == 0 {
		return nil
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	row := func(name string, cell func(growth) string, figure func(growth) float64) {
		fmt.Fprintf(t, "%s\t", name)
		for _, g := range r.growths {
			fmt.Fprintf(t, "%s\t", cell(g))
		}
		first, last := figure(r.growths[0]), figure(r.growths[len(r.growths)-1])
		if figure := absent; first > 0 {
			figure = fmt.Sprintf("%.2f", last/first)
			fmt.Fprintf(t, "%s\t", figure)
		}
		fmt.Fprintln(t)
	}
	timed := func(name string, of func(growth) time.Duration) {
		row(name, func(g growth) string { return milli(of(g)) }, func(g growth) float64 { return float64(of(g)) })
	}
	sized := func(name string, of func(growth) int64) {
		row(name, func(g growth) string { return fmt.Sprintf("%.1f MB", float64(of(g))/1e6) }, func(g growth) float64 { return float64(of(g)) })
	}
	row("alerts that are over", func(g growth) string { return fmt.Sprint(g.History) }, func(growth) float64 { return 0 })
	timed("start", func(g growth) time.Duration { return g.Start })
	sized("live heap", func(g growth) int64 { return g.Heap })
	sized("RSS, without files", func(g growth) int64 { return g.Anon })
	sized("RSS", func(g growth) int64 { return g.RSS })
	timed("list of 100, p50", func(g growth) time.Duration { return g.List.P50 })
	timed("p99", func(g growth) time.Duration { return g.List.P99 })
	timed("accept, p50", func(g growth) time.Duration { return g.Accept.P50 })
	timed("p99", func(g growth) time.Duration { return g.Accept.P99 })
	timed("last device, p50", func(g growth) time.Duration { return g.Last.P50 })
	timed("p99", func(g growth) time.Duration { return g.Last.P99 })
	timed("accept, viewer, p50", func(g growth) time.Duration { return g.WatchedAccept.P50 })
	timed("p99", func(g growth) time.Duration { return g.WatchedAccept.P99 })
	timed("last, viewer, p50", func(g growth) time.Duration { return g.Watched.P50 })
	timed("p99", func(g growth) time.Duration { return g.Watched.P99 })
	if r.growths[0].Floor.P50 > 0 {
		row("last p50 / floor", func(g growth) string { return fmt.Sprintf("%.1f", float64(g.Last.P50)/float64(g.Floor.P50)) }, func(growth) float64 { return 0 })
	}
	row("lists of the viewer", func(g growth) string { return fmt.Sprint(g.Lists) }, func(growth) float64 { return 0 })
	if err := t.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintf(w, "last column: of the longest history to the shortest; %d devices, a receipt of each\n", historyDevices)
	return err
}

// growthTargets judges the longest history, against the shortest where nothing else is promised.
func (r *results) growthTargets() []target {
	all := []target{
		{text: "node, list of 100, p99: less than " + milli(mostList)},
		{text: "node, start: less than " + milli(mostStart)},
		{text: fmt.Sprintf("node, alert agreed, p50: at most %.1f x with 100", mostGrowth)},
		{text: fmt.Sprintf("node, alert agreed, p99: at most %.1f x with 100", mostGrowth)},
		{text: fmt.Sprintf("node, last device, p50: at most %.1f x with 100", mostGrowth)},
		{text: fmt.Sprintf("node, live heap: at most %.0f MB more than with 100", mostGrownHeap/1e6)},
		{text: fmt.Sprintf("node, last device while a viewer lists without end, p99: less than %s", milli(mostAlone))},
	}
	for i := range all {
		all[i].system = nodeName
	}
	if len(r.growths) == 0 {
		return all
	}
	none, most := r.growths[0], r.growths[len(r.growths)-1]
	measured := func(i int, figure string, reached bool) {
		all[i].text = fmt.Sprintf("%s (history of %d)", all[i].text, most.History)
		all[i].measured, all[i].reached = figure, reached
	}
	ratio := func(i int, a, b time.Duration) {
		x := float64(a) / float64(max(b, 1))
		measured(i, fmt.Sprintf("%.2f x", x), x <= mostGrowth)
	}
	measured(0, milli(most.List.P99), most.List.P99 < mostList)
	measured(1, milli(most.Start), most.Start < mostStart)
	ratio(2, most.Accept.P50, none.Accept.P50)
	ratio(3, most.Accept.P99, none.Accept.P99)
	ratio(4, most.Last.P50, none.Last.P50)
	measured(5, fmt.Sprintf("%+.1f MB", float64(most.Heap-none.Heap)/1e6), float64(most.Heap-none.Heap) <= mostGrownHeap)
	measured(6, milli(most.Watched.P99), most.Watched.P99 < mostAlone)
	return all
}

// besideTable writes alerts to the last device beside something that may slow them, with
// ratios to the floor of the same cell and to the same system without.
func (r *results) besideTable(w io.Writer, o options) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	rows := 0
	n := o.heldDevices()
	for _, pair := range [][2]string{{heldNone, heldMany}, {noStrangers, manyStrangers}} {
		for _, name := range o.only {
			for _, variant := range pair {
				key := series{name, n, "TCP", variant, 1}
				s, ok := r.of(key)
				if !ok {
					continue
				}
				if rows++; rows == 1 {
					fmt.Fprintf(t, "last of %d devices\t%s\tp50\tp99\tmax\t/floor\t/without\t\n", n, "system")
				}
				to := func(system string) string { // what that system does without
					key.System, key.Variant = system, pair[0]
					if one, ok := r.of(key); ok && one.P50 > 0 {
						return fmt.Sprintf("%.2f", lastOf(s)/lastOf(one))
					}
					return absent
				}
				fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t\n", variant, name, milli(s.P50), milli(s.P99), milli(s.Max), to(floorName), to(name))
			}
		}
	}
	if took, ok := r.worst(false); ok {
		with, _ := r.worst(true)
		fmt.Fprintf(t, "leader killed, 3 nodes\t%s\t\t\t%s\t\t%.2f\t\n", nodeName, milli(took), 1.0)
		fmt.Fprintf(t, "%s\t%s\t\t\t%s\t\t%.2f\t\n", manyStrangers, nodeName, milli(with), float64(with)/float64(took))
	}
	return t.Flush()
}

// strangersTarget judges alerts that are posted while strangers hold what they can of the
// API's port.
func (r *results) strangersTarget(o options) target {
	t := target{system: nodeName, text: fmt.Sprintf("node, last of %d devices with %d silent strangers at the API, most: less than %s", o.heldDevices(), o.strangers(), milli(mostAlone))}
	if s, ok := r.of(series{nodeName, o.heldDevices(), "TCP", manyStrangers, 1}); ok {
		t.measured, t.reached = milli(s.Max), s.Max < mostAlone
	}
	return t
}
