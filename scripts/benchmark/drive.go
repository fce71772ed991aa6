//go:build linux

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// drive measures everything and prints the report, which also goes to report.txt in the folder of this run.
func drive(ctx context.Context, o options) error {
	if o.again != "" {
		return reportAgain(o)
	}
	d, err := newDriver(o)
	if err != nil {
		return err
	}
	defer d.raw.Close()
	for _, line := range d.head {
		d.say("%s", line)
	}
	sleep, err := d.awaken(ctx)
	if err != nil {
		return err
	}
	defer sleep()
	if d.profile {
		return d.profileAll(ctx, []string{gatewayName, nodeName})
	}
	for _, c := range d.cells() {
		if err := c.run(ctx); err != nil {
			return fmt.Errorf("%d devices over %s, %s: %w (raw output in %s)", c.devices, c.over(), c.variant, err, o.out)
		}
	}
	all := d.results.targets(o)
	if err := d.report(all); err != nil {
		return err
	}
	if !o.quick {
		err = d.profileAll(ctx, missed(all))
	}
	d.say("raw output: %s", o.out)
	return err
}

// profileAll takes profiles of the systems among those that are measured.
func (d *driver) profileAll(ctx context.Context, systems []string) error {
	for _, system := range systems {
		if !slices.Contains(d.only, system) {
			continue
		}
		if err := d.profileOf(ctx, system); err != nil {
			return fmt.Errorf("profiling %s: %w", system, err)
		}
	}
	return nil
}

// driver is one run of the benchmark.
type driver struct {
	options
	head    []string
	pem     certificates
	results *results
	raw     *os.File // one JSON object per line
	begun   time.Time
}

func newDriver(o options) (*driver, error) {
	if slices.Contains(o.only, mosquittoName) {
		if _, err := mosquittoProgram(); err != nil {
			return nil, fmt.Errorf("mosquitto is needed, or -only without it: %w", err)
		}
	}
	d := &driver{options: o, head: machineLines(o), results: newResults(), begun: time.Now()}
	var err error
	if d.pem, err = makeCertificates(o.out); err != nil {
		return nil, fmt.Errorf("making a certificate: %w", err)
	}
	d.raw, err = os.Create(filepath.Join(o.out, "samples.jsonl"))
	return d, err
}

// say tells progress; the report itself goes to standard output.
func (d *driver) say(format string, args ...any) {
	fmt.Fprintf(os.Stderr, format+"\n", args...)
}

func (d *driver) record(what any) error {
	d.results.add(what)
	return json.NewEncoder(d.raw).Encode(what)
}

// cells is the plan: all devices over both transports, and then the variants.
func (d *driver) cells() (all []*cell) {
	add := func(kind string, devices int, secure bool, variant string) {
		if d.wants(kind) {
			all = append(all, d.cell(devices, secure, variant))
		}
	}
	for _, n := range d.devices {
		add(cellTCP, n, false, oneByOne)
		add(cellTLS, n, true, oneByOne)
	}
	n := d.variantDevices()
	add(cellStalled, n, false, stalled)
	add(cellDead, n, false, dead)
	if d.wants(cellHeld) {
		held := d.cell(d.heldDevices(), false, heldMany)
		if held.only = slices.DeleteFunc(slices.Clone(d.only), func(name string) bool { return name == mosquittoName }); len(held.only) > 0 {
			all = append(all, held)
		}
	}
	if slices.Contains(d.only, nodeName) {
		for _, one := range []struct {
			kind, variant string
			devices       int
		}{{cellHistory, grown, min(historyDevices, slices.Max(d.devices))}, {cellStrangers, manyStrangers, d.heldDevices()}, {cellFailover, killed, 1}, {cellConsoles, watched, d.heldDevices()}} {
			if d.wants(one.kind) {
				c := d.cell(one.devices, false, one.variant)
				c.only = slices.DeleteFunc(slices.Clone(d.only), func(name string) bool { return name != floorName && name != nodeName })
				all = append(all, c)
			}
		}
	}
	add(cellStorm, slices.Max(d.devices), true, storm)
	if slices.Contains(d.only, nodeName) && d.wants(cellDistrict) {
		district := d.cell(n, false, threeNodes)
		district.only = []string{nodeName}
		all = append(all, district)
	}
	return all
}

func (d *driver) cell(devices int, secure bool, variant string) *cell {
	return &cell{
		options: d.options, devices: devices, secure: secure, variant: variant,
		pem: d.pem, program: d.almenara, record: d.record, say: d.say,
	}
}

// report prints the tables, on standard output and into a file.
func (d *driver) report(all []target) error {
	file, err := os.Create(filepath.Join(d.out, "report.txt"))
	if err != nil {
		return err
	}
	defer file.Close()
	w := io.MultiWriter(os.Stdout, file)
	fmt.Fprintf(w, "%s\n\n", strings.Join(d.head, "\n"))
	for _, table := range []func(io.Writer, options) error{d.results.table, d.results.memoryTable, d.results.receiptTable, d.results.stormTable, d.results.besideTable, d.results.growthTable, d.results.watchingTable} {
		var text bytes.Buffer
		if err := table(&text, d.options); err != nil {
			return err
		}
		if bytes.Count(text.Bytes(), []byte("\n")) > 1 { // more than its head
			fmt.Fprintf(w, "%s\n", text.Bytes())
		}
	}
	if err := writeTargets(w, all, d.options.cells == nil); err != nil {
		return err
	}
	_, err = fmt.Fprintf(w, "\ntook %.0f s\n", time.Since(d.begun).Seconds())
	return err
}

// profileOf measures once more, one system alone and under the profiler; those figures are in no table.
func (d *driver) profileOf(ctx context.Context, system string) error {
	path := filepath.Join(d.out, system+".pprof")
	c := d.cell(d.variantDevices(), false, oneByOne)
	c.only, c.runs, c.profileTo = []string{system}, 1, path
	c.record = func(any) error { return nil }
	c.out = filepath.Join(d.out, "profile")
	if err := c.run(ctx); err != nil {
		return err
	}
	d.say("profiles of %s: %s, %s, and .txt of both", system, path, heapProfile(path))
	for _, profile := range []string{path, heapProfile(path)} {
		top, err := exec.CommandContext(ctx, "go", "tool", "pprof", "-top", "-cum", "-nodecount", "80", profile).Output()
		if err != nil {
			return nil // Go need not be where this runs
		}
		if err := os.WriteFile(profile+".txt", top, 0o644); err != nil {
			return err
		}
	}
	return nil
}
