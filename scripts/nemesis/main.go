//go:build linux

// Command nemesis makes a district of real processes suffer and judges what it did.
// It runs three or five nodes on loopback, cuts and slows the links between them,
// freezes, kills and stops them, takes the power from devices, and meanwhile sends
// alerts, updates, cancels, audience edits and enrolments. Then it heals everything
// and holds the district to its promises.
//
// The same seed gives the same faults at the same times; what the district makes of
// them is up to the machine. Exit code 1 says that a promise was broken; the folder
// with data and logs is kept then.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/signal"
	"path/filepath"
	"sync"
	"syscall"
	"time"
)

// options are the flags.
type options struct {
	bin     string
	nodes   int
	devices int
	seed    uint64
	length  time.Duration
	plan    bool
	keep    bool
}

func main() {
	var o options
	flag.StringVar(&o.bin, "bin", "dist/almenara", "the program under test")
	flag.IntVar(&o.nodes, "nodes", 3, "nodes of the district")
	flag.IntVar(&o.devices, "devices", 36, "devices at the beginning")
	flag.Uint64Var(&o.seed, "seed", uint64(time.Now().UnixNano()%1e6), "which faults happen when")
	flag.DurationVar(&o.length, "for", 2*time.Minute, "how long the faults last; healing and judging come after")
	flag.BoolVar(&o.plan, "plan", false, "print the faults and do nothing")
	flag.BoolVar(&o.keep, "keep", false, "keep the folder also when all is well")
	flag.Parse()
	if o.plan {
		for _, s := range newPlan(o.seed, o.nodes, o.length) {
			fmt.Printf("%8s  %s\n", s.At, s)
		}
		return
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	failed, err := run(ctx, o)
	if err != nil {
		fmt.Fprintln(os.Stderr, "nemesis:", err)
		os.Exit(2)
	}
	if failed > 0 {
		os.Exit(1)
	}
}

// Times beside the run itself.
const (
	buildTime = 2 * time.Minute
	healTime  = 2 * time.Minute // until the district must be whole again
)

// run is one run, from an empty folder to the verdict.
func run(ctx context.Context, o options) (failed int, err error) {
	if o.nodes < 2 || o.nodes > 9 {
		return 0, fmt.Errorf("%d nodes make no district to torment; 2 to 9 do", o.nodes)
	}
	ctx, cancel := context.WithTimeout(ctx, buildTime+o.length+2*healTime)
	defer cancel()
	dir, err := os.MkdirTemp("", "nemesis-")
	if err != nil {
		return 0, err
	}
	log, err := os.Create(filepath.Join(dir, "nemesis.log"))
	if err != nil {
		return 0, err
	}
	defer log.Close()
	say := narrator(io.MultiWriter(os.Stdout, log))
	say("seed %d, %d nodes, %d devices, %v, in %s", o.seed, o.nodes, o.devices, o.length, dir)
	verdicts, err := torment(ctx, o, dir, say)
	if err == nil {
		failed = report(io.MultiWriter(os.Stdout, log), verdicts)
	}
	if err == nil && failed == 0 && !o.keep {
		return 0, os.RemoveAll(dir)
	}
	say("data and logs are kept in %s; again with: -seed %d -nodes %d -devices %d -for %v", dir, o.seed, o.nodes, o.devices, o.length)
	return failed, err
}

// narrator prints one line at a time with the time since the beginning.
func narrator(w io.Writer) func(string, ...any) {
	var mu sync.Mutex
	begun := time.Now()
	return func(format string, args ...any) {
		mu.Lock()
		defer mu.Unlock()
		fmt.Fprintf(w, "%s %7.2f  %s\n", time.Now().Format("15:04:05"), time.Since(begun).Seconds(), fmt.Sprintf(format, args...))
	}
}

// torment builds, breaks, heals and judges. Whatever it started has ended when it
// returns.
func torment(ctx context.Context, o options, dir string, say func(string, ...any)) (map[string]Verdict, error) {
	bin, err := filepath.Abs(o.bin)
	if err != nil {
		return nil, err
	}
	notes := &book{}
	g, err := newRig(bin, dir, o.nodes, &ports{used: map[int]bool{}, pick: rand.IntN}, notes, say)
	defer g.close()
	if err != nil {
		return nil, err
	}
	building, cancel := context.WithTimeout(ctx, buildTime)
	defer cancel()
	if err := g.build(building); err != nil {
		return nil, fmt.Errorf("building the district: %w", err)
	}
	people := &crowd{rig: g, book: notes}
	defer people.stop()
	w := newWorkload(g, people, notes, o.seed, filepath.Base(dir))
	if err := w.furnish(building, o.devices); err != nil {
		return nil, err
	}
	if err := people.await(building); err != nil {
		return nil, err
	}
	say("%d nodes vote, %d devices are connected", o.nodes, o.devices)
	suffer(ctx, o, g, people, w)
	known, strange := g.traffic()
	say("healed; the nodes dialled each other %d times, strangers %d times; waiting for the district to agree", known, strange)
	return g.settle(ctx, people)
}

// suffer runs faults and work side by side. This process notes when it was starved
// itself.
func suffer(ctx context.Context, o options, g *rig, people *crowd, w *workload) {
	ctx, cancel := context.WithTimeout(ctx, o.length)
	defer cancel()
	var all sync.WaitGroup
	defer all.Wait()
	x := &nemesis{rig: g, crowd: people, rand: rand.New(rand.NewPCG(o.seed, 3))}
	all.Go(func() { x.run(ctx, newPlan(o.seed, o.nodes, o.length)) })
	all.Go(func() { w.run(ctx, o.length) })
	all.Go(func() { watch(ctx, g.book) })
}

// watch notes the times in which this process's timers were late: then neither the
// devices nor the nodes got their share of the machine.
func watch(ctx context.Context, notes *book) {
	const tick = 100 * time.Millisecond
	for last := time.Now(); wait(ctx, tick) == nil; {
		now := time.Now()
		if now.Sub(last) > tick+starvation {
			from := last
			notes.note(func(h *History) {
				h.Spans = append(h.Spans, Span{Node: outside, What: "starved", From: from, To: now})
			})
		}
		last = now
	}
}
