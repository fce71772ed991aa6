//go:build linux

package main

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// payloadSize is the body of one delivery in bytes. The node's is signed text and
// only near it; the table says what it was.
const payloadSize = 512

// mostDevices keeps a process within 20,000 descriptors.
const mostDevices = 18_000

// options is what one run of the benchmark does.
type options struct {
	quick    bool
	profile  bool   // takes profiles and measures nothing
	again    string // folder of an earlier run whose report is printed again; "": none
	devices  []int
	runs     int
	only     []string // systems, in the order in which they are measured
	cells    []string // kinds of cells; nil is all that there is time for
	out      string   // folder for raw output
	almenara string   // the program that is measured
	older    string   // another build of it, measured in turns with it; "": none
	load     float64  // one-minute load average before anything was built
}

// allSystems is what can be measured, the floor first: the others are its multiples.
var allSystems = []string{floorName, mosquittoName, gatewayName, nodeName, olderName}

// allCells is what can be done with them.
var allCells = []string{cellTCP, cellTLS, cellStalled, cellDead, cellStorm, cellDistrict, cellHeld, cellHistory, cellStrangers, cellFailover, cellConsoles}

// The kinds of cells.
const (
	cellTCP       = "tcp"
	cellTLS       = "tls"
	cellStalled   = "stalled"
	cellDead      = "dead"
	cellStorm     = "storm"
	cellDistrict  = "district"
	cellHeld      = "held"
	cellHistory   = "history"
	cellStrangers = "strangers"
	cellFailover  = "failover"
	cellConsoles  = "consoles"
)

// wants reports whether a kind of cell is measured. The quick benchmark leaves out what
// the others would notice, too.
func (o options) wants(kind string) bool {
	if o.cells != nil {
		return slices.Contains(o.cells, kind)
	}
	return !o.quick || !slices.Contains([]string{cellTLS, cellDead, cellHeld, cellHistory, cellStrangers, cellFailover, cellConsoles}, kind)
}

func parseOptions(args []string) (options, error) {
	o := options{runs: 3}
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.BoolVar(&o.quick, "quick", false, "200 devices, 3 alerts, one run: proves that the benchmark works")
	flags.BoolVar(&o.profile, "profile", false, "only profile gateway and node, as far as -only names them")
	flags.StringVar(&o.again, "report", "", "only print the report of the raw output in this folder")
	devices := flags.String("devices", "", "numbers of devices (default 1000,5000,10000; 200 with -quick)")
	only := flags.String("only", "", "systems to measure, of "+strings.Join(allSystems, ",")+" (default all)")
	cells := flags.String("cells", "", "what to measure, of "+strings.Join(allCells, ",")+" (default all; with -quick only tcp, stalled, storm and district)")
	flags.StringVar(&o.out, "out", "dist/bench", "folder for raw output")
	flags.StringVar(&o.almenara, "almenara", "dist/bench/almenara", "the program to measure")
	flags.StringVar(&o.older, "older", "", "another build of the program, measured in turns with it as the system "+olderName)
	flags.IntVar(&o.runs, "runs", o.runs, "how many runs the medians are of")
	flags.Float64Var(&o.load, "load", -1, "load average before the benchmark was built")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	if flags.NArg() > 0 {
		return o, fmt.Errorf("%q is not understood", flags.Arg(0))
	}
	if o.quick {
		o.runs = 1
	}
	if o.runs < 1 {
		return o, fmt.Errorf("runs: %d is not a number from 1 on", o.runs)
	}
	if *cells != "" {
		o.cells = strings.Split(*cells, ",")
		for _, name := range o.cells {
			if !slices.Contains(allCells, name) {
				return o, fmt.Errorf("cells: %q is not one of %s", name, strings.Join(allCells, ", "))
			}
		}
	}
	return o.fill(*devices, *only)
}

// fill reads the lists and makes the folder of this run.
func (o options) fill(devices, only string) (options, error) {
	if devices == "" {
		devices = "1000,5000,10000"
		if o.quick {
			devices = "200"
		}
	}
	for _, text := range strings.Split(devices, ",") {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || n > mostDevices {
			return o, fmt.Errorf("devices: %q is not a number from 1 to %d", text, mostDevices)
		}
		o.devices = append(o.devices, n)
	}
	o.only = allSystems
	if o.older == "" {
		o.only = slices.DeleteFunc(slices.Clone(allSystems), func(s string) bool { return s == olderName })
	}
	if only != "" {
		wanted := strings.Split(only, ",")
		for _, name := range wanted {
			if !slices.Contains(allSystems, name) {
				return o, fmt.Errorf("only: %q is not one of %s", name, strings.Join(allSystems, ", "))
			}
		}
		o.only = slices.DeleteFunc(slices.Clone(allSystems), func(s string) bool { return !slices.Contains(wanted, s) })
	}
	var err error
	if o.out, err = filepath.Abs(filepath.Join(o.out, time.Now().UTC().Format("2006-01-02T150405Z"))); err != nil {
		return o, err
	}
	if o.almenara, err = filepath.Abs(o.almenara); err != nil {
		return o, err
	}
	if slices.Contains(o.only, olderName) {
		if o.older, err = exec.LookPath(o.older); err != nil {
			return o, fmt.Errorf("older: %w", err)
		}
		if o.older, err = filepath.Abs(o.older); err != nil {
			return o, err
		}
	}
	return o, os.MkdirAll(o.out, 0o755)
}

// alerts is how many QoS 1 alerts one run sends to n devices: few enough that a full
// benchmark ends within ten minutes, more where they cost less.
func (o options) alerts(n int) int {
	if o.quick {
		return 3
	}
	return min(max(40_000/n, 5), 15)
}

// alertsOf is alerts for one system and QoS. QoS 0 is of less interest, and the node
// notes what it sent only a second later, which is waited for.
func (o options) alertsOf(system string, n int, qos byte) int {
	switch {
	case qos > 0:
		return o.alerts(n)
	case system == nodeName || system == olderName:
		return 1
	}
	return (o.alerts(n) + 1) / 2
}

// backToBackAlerts fit into every server's window of unacknowledged messages.
func backToBackAlerts(n int) int { return min(max(20_000/n, 5), 10) }

// variantDevices is the number of devices of the stalled and the dead variant.
func (o options) variantDevices() int {
	at := o.devices[0]
	for _, n := range o.devices {
		if n <= 5000 {
			at = max(at, n)
		}
	}
	return at
}
