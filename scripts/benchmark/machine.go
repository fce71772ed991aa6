//go:build linux

package main

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// calmLoad is the load average over which figures say little.
const calmLoad = 0.5

// machineLines say where and when and with what this was measured.
func machineLines(o options) []string {
	load := o.load
	if load < 0 {
		load = loadAverage()
	}
	var uts unix.Utsname
	_ = unix.Uname(&uts) // it cannot fail on a valid pointer
	lines := []string{
		fmt.Sprintf("date      %s", time.Now().UTC().Format(time.RFC3339)),
		fmt.Sprintf("machine   %s, %d cores, Linux %s, load average before %.2f",
			cpuModel(), runtime.NumCPU(), unix.ByteSliceToString(uts.Release[:]), load),
		fmt.Sprintf("versions  almenara %s, %s, mosquitto %s", or(os.Getenv("ALMENARA_COMMIT"), "unknown"), runtime.Version(), mosquittoVersion()),
		fmt.Sprintf("measured  %s", howMeasured(o)),
	}
	if load > calmLoad {
		lines = append(lines, fmt.Sprintf("WARNING   the machine was busy (load average %.2f > %.1f): draw no conclusions from these figures", load, calmLoad))
	}
	return lines
}

func howMeasured(o options) string {
	if o.quick {
		return "quickly: one run, 3 alerts each; only a full run is a measurement"
	}
	return fmt.Sprintf("medians of %d runs; per run %s alerts", o.runs, alertCounts(o))
}

func alertCounts(o options) string {
	var all []string
	for _, n := range o.devices {
		all = append(all, fmt.Sprintf("%d (%d devices)", o.alerts(n), n))
	}
	return strings.Join(all, ", ")
}

func or(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// loadAverage is that of the last minute.
func loadAverage() (load float64) {
	raw, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return 0
	}
	_, _ = fmt.Sscan(string(raw), &load)
	return load
}

func cpuModel() string {
	raw, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return "unknown processor"
	}
	for line := range strings.Lines(string(raw)) {
		if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return runtime.GOARCH + " processor"
}
