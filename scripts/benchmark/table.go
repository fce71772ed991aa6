//go:build linux

package main

import (
	"fmt"
	"io"
	"text/tabwriter"
	"time"
)

// absent stands for what was not measured.
const absent = "-"

// table writes every series with its ratios. Ratios are to the floor and to
// mosquitto of the same series.
func (r *results) table(w io.Writer, o options) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "devices\tover\tQoS\talerts\tsystem\tpayload\tCPU/delivery\t/floor\t/mosquitto\tlast p50\tp99\tmax\t/floor\t/mosquitto\tdeliveries/s\t")
	for _, n := range o.devices {
		for _, over := range []string{"TCP", "TLS"} {
			for _, variant := range []string{oneByOne, backToBack, stalled, dead, threeNodes, twoDead} {
				for _, qos := range []byte{1, 0} {
					r.rows(t, o, series{Devices: n, Over: over, Variant: variant, QoS: qos})
				}
			}
		}
	}
	return t.Flush()
}

// rows writes the systems of one series.
func (r *results) rows(w io.Writer, o options, key series) {
	for _, name := range o.only {
		key.System = name
		s, ok := r.of(key)
		if !ok {
			continue
		}
		fmt.Fprintf(w, "%d\t%s\t%d\t%s\t%s\t%d B\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%.0f\t\n",
			key.Devices, key.Over, key.QoS, key.Variant, name, s.Payload,
			micro(s.CPU), r.ratio(key, floorName, cpuOf), r.ratio(key, mosquittoName, cpuOf),
			milli(s.P50), milli(s.P99), milli(s.Max), r.ratio(key, floorName, lastOf), r.ratio(key, mosquittoName, lastOf), s.Rate)
	}
}

func cpuOf(s summary) float64  { return float64(s.CPU) }
func lastOf(s summary) float64 { return float64(s.P50) }

// times is how many times another system's figure this one is.
func (r *results) times(key series, other string, figure func(summary) float64) (float64, bool) {
	mine, ok := r.of(key)
	key.System = other
	theirs, too := r.of(key)
	if !ok || !too || figure(theirs) == 0 {
		return 0, false
	}
	return figure(mine) / figure(theirs), true
}

func (r *results) ratio(key series, other string, figure func(summary) float64) string {
	if x, ok := r.times(key, other, figure); ok {
		return fmt.Sprintf("%.2f", x)
	}
	return absent
}

func micro(d time.Duration) string { return fmt.Sprintf("%.1f µs", float64(d)/1e3) }
func milli(d time.Duration) string { return fmt.Sprintf("%.1f ms", float64(d)/1e6) }

// memoryTable writes what idle connections hold.
func (r *results) memoryTable(w io.Writer, o options) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "devices\tover\tsystem\tRSS/idle connection\t/floor\t/mosquitto\tRSS in all\t")
	for _, n := range o.devices {
		for _, over := range []string{"TCP", "TLS"} {
			for _, name := range o.only {
				m, ok := r.memory[series{System: name, Devices: n, Over: over}]
				if !ok {
					continue
				}
				fmt.Fprintf(t, "%d\t%s\t%s\t%.1f kB\t%s\t%s\t%.1f MB\t\n", n, over, name, m.PerConnection/1e3,
					r.memoryRatio(m, floorName), r.memoryRatio(m, mosquittoName), float64(m.Total)/1e6)
			}
		}
	}
	return t.Flush()
}

func (r *results) memoryRatio(m memory, other string) string {
	theirs, ok := r.memory[series{System: other, Devices: m.Devices, Over: m.Over}]
	if !ok || theirs.PerConnection <= 0 {
		return absent
	}
	return fmt.Sprintf("%.2f", m.PerConnection/theirs.PerConnection)
}

// receiptTable writes how fast receipts are committed.
func (r *results) receiptTable(w io.Writer, o options) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "devices\tover\tof a node\treceipts/s committed\tCPU/receipt\tlast PUBACK after\t")
	for _, n := range o.devices {
		for _, over := range []string{"TCP", "TLS"} {
			for _, variant := range []string{receipts, receipts + ", " + threeNodes} {
				if s, ok := r.of(series{nodeName, n, over, variant, 1}); ok {
					fmt.Fprintf(t, "%d\t%s\t%s\t%.0f\t%s\t%s\t\n", n, over, variant, s.Rate, micro(s.CPU), milli(s.P50))
				}
			}
		}
	}
	return t.Flush()
}
