//go:build e2e

package e2e

import (
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// costs has each story say what it took of the processors. A figure is of that story alone with -parallel 1.
var costs = flag.Bool("costs", false, "log at the end of each story how long its processes have worked")

// logCost has a story say at its end how long processes have worked since it began.
func logCost(t testing.TB) {
	if !*costs {
		return
	}
	before, begun := worked(), time.Now()
	t.Cleanup(func() {
		after := worked()
		took := func(kind string) float64 { return after[kind] - before[kind] }
		t.Logf("cost: renderers %.1f s, the rest of Chromium %.1f s, nodes and commands that have ended %.1f s, others %.1f s, the test %.1f s; %.0f s in all",
			took("renderers"), took("Chromium"), took("ended"), took("others"), took("test"), time.Since(begun).Seconds())
	})
}

// process is one that runs now.
type process struct {
	line    string   // its command line
	parents []string // the nearest one first
	worked  float64  // seconds, with those of its children that have ended
}

func (p process) of(parent string) bool { return slices.Contains(p.parents, parent) }

// processes are all of the machine, by their numbers.
func processes() map[string]process {
	found, parent := map[string]process{}, map[string]string{}
	files, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, file := range files {
		raw, err := os.ReadFile(file)
		line, gone := os.ReadFile(filepath.Join(filepath.Dir(file), "cmdline"))
		if err != nil || gone != nil {
			continue // it has ended
		}
		fields := strings.Fields(string(raw[strings.LastIndexByte(string(raw), ')')+1:]))
		p, pid := process{line: string(line)}, filepath.Base(filepath.Dir(file))
		for _, field := range fields[11:15] { // utime, stime, cutime and cstime, in hundredths of a second
			n, _ := strconv.ParseFloat(field, 64)
			p.worked += n / 100
		}
		found[pid], parent[pid] = p, fields[1]
	}
	for pid, p := range found {
		for up, ok := parent[pid]; ok; up, ok = parent[up] {
			p.parents = append(p.parents, up)
		}
		found[pid] = p
	}
	return found
}

// worked is how long this process and its descendants have worked so far, in seconds, by what they are.
func worked() map[string]float64 {
	out := map[string]float64{"test": rusage(syscall.RUSAGE_SELF), "ended": rusage(syscall.RUSAGE_CHILDREN)}
	for _, p := range processes() {
		switch {
		case !p.of(strconv.Itoa(os.Getpid())):
		case strings.Contains(p.line, "--type=renderer"), strings.Contains(p.line, "--type=zygote"): // a zygote starts renderers
			out["renderers"] += p.worked
		case strings.Contains(p.line, "--type="), strings.Contains(p.line, "--remote-debugging"):
			out["Chromium"] += p.worked
		default:
			out["others"] += p.worked
		}
	}
	return out
}

func rusage(who int) float64 {
	var used syscall.Rusage
	_ = syscall.Getrusage(who, &used)
	return time.Duration(used.Utime.Nano() + used.Stime.Nano()).Seconds()
}
