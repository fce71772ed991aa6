//go:build linux

// Command nemesis makes a district of real processes suffer and judges what it did.
// It runs three or five nodes, each in a network namespace of its own where the machine
// lets it and on a disk of its own, cuts, slows and thins the links between them,
// freezes, kills and stops them, sets their clocks wrong, takes their power, slows,
// stalls and fills their disks, lets nodes join and removes others, takes the power from
// devices, and meanwhile sends alerts, updates, cancels, audience edits and enrolments.
// Then it heals everything and holds the district to its promises.
//
// The same seed gives the same faults at the same times; what the district makes of
// them is up to the machine. Exit code 1 says that a promise was broken; the folder
// with data, logs and history is kept then.
package main

import (
	"context"
	"errors"
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
	serve   string
	disks   string
	nodes   int
	devices int
	seed    uint64
	length  time.Duration
	plan    bool
	keep    bool
	stale   bool
	wires   string

	namespaces bool   // what wires came to
	why        string // not namespaces
}

func main() {
	var o options
	flag.StringVar(&o.bin, "bin", "dist/almenara", "the program under test")
	flag.StringVar(&o.serve, "serve", "dist/nemesis-node", "the same with a clock that can be set: what the nodes run")
	flag.StringVar(&o.disks, "disks", "dist/lossyfs", "the program that every node's disk is; empty for the machine's own, without faults of disks")
	flag.IntVar(&o.nodes, "nodes", 3, "nodes of the district")
	flag.IntVar(&o.devices, "devices", 36, "devices at the beginning")
	flag.Uint64Var(&o.seed, "seed", uint64(time.Now().UnixNano()%1e6), "which faults happen when")
	flag.DurationVar(&o.length, "for", 2*time.Minute, "how long the faults last; healing and judging come after")
	flag.BoolVar(&o.plan, "plan", false, "print the faults and do nothing")
	flag.BoolVar(&o.keep, "keep", false, "keep the folder also when all is well")
	flag.StringVar(&o.wires, "wires", "auto", "what is between the nodes: namespaces, proxies, or auto for namespaces where they can be had")
	flag.BoolVar(&o.stale, "stale-reads", false, "read the agreed part of the node's own copy and judge it as if that were consistent: the run must fail")
	flag.Parse()
	if o.plan {
		if _, err := o.chooseDisks(); err != nil {
			fmt.Fprintln(os.Stderr, "nemesis:", err)
			os.Exit(2)
		}
		for _, s := range o.newPlan() {
			fmt.Printf("%8s  %s\n", s.At, s)
		}
		return
	}
	if err := o.chooseWires(); err != nil {
		fmt.Fprintln(os.Stderr, "nemesis:", err)
		os.Exit(2)
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

// chooseWires decides what is between the nodes; the program may start anew for it.
func (o *options) chooseWires() error {
	if o.wires == "proxies" {
		o.why = "as asked"
		return nil
	}
	err := rehouse()
	switch {
	case err == nil:
		o.namespaces = true
	case o.wires == "auto":
		o.why = err.Error()
	default:
		return err
	}
	return nil
}

// between says what is between the nodes, and why.
func (o options) between() string {
	if o.namespaces {
		return "each node in a network namespace of its own"
	}
	return "proxies between the nodes (" + o.why + ")"
}

// newPlan is the plan of this run.
func (o options) newPlan() []Step { return newPlan(o.seed, o.nodes, o.length, o.disks != "") }

// chooseDisks decides what the nodes keep their data on.
func (o *options) chooseDisks() (why string, err error) {
	if o.disks == "" {
		return "the machine's own disk (as asked)", nil
	}
	if err := hasDisks(o.disks); err != nil {
		o.disks = ""
		return fmt.Sprintf("the machine's own disk (%v)", err), nil
	}
	o.disks, err = filepath.Abs(o.disks)
	return "each node on a disk of its own, which forgets what was not synced", err
}

// Times beside the run itself.
const (
	mostNodes = 9
	buildTime = 2 * time.Minute
	healTime  = 2 * time.Minute // until the district must be whole again
)

// run is one run, from an empty folder to the verdict.
func run(ctx context.Context, o options) (failed int, err error) {
	if o.nodes < 2 || o.nodes > mostNodes {
		return 0, fmt.Errorf("%d nodes make no district to torment; 2 to %d do", o.nodes, mostNodes)
	}
	ctx, cancel := context.WithTimeout(ctx, buildTime+o.length+2*healTime)
	defer cancel()
	on, err := o.chooseDisks()
	if err != nil {
		return 0, err
	}
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
	say("%s; %s", o.between(), on)
	verdicts, err := torment(ctx, o, dir, say)
	if err == nil {
		failed = report(io.MultiWriter(os.Stdout, log), verdicts)
	}
	if err == nil && failed == 0 && !o.keep {
		return 0, os.RemoveAll(dir)
	}
	say("data and logs are kept in %s; again with: -seed %d -nodes %d -devices %d -for %v -wires %s", dir, o.seed, o.nodes, o.devices, o.length, o.wires)
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
func torment(ctx context.Context, o options, dir string, say func(string, ...any)) (verdicts map[string]Verdict, err error) {
	bin, err := filepath.Abs(o.bin)
	if err != nil {
		return nil, err
	}
	serve, err := filepath.Abs(o.serve)
	if err != nil {
		return nil, err
	}
	notes := &book{}
	defer func() { err = errors.Join(err, notes.copy().save(dir)) }()
	g, err := newRig(bin, serve, dir, o.nodes+1, o.namespaces, notes, say)
	defer g.close()
	if err != nil {
		return nil, err
	}
	g.seed, g.disks = o.seed, o.disks
	building, cancel := context.WithTimeout(ctx, buildTime)
	defer cancel()
	if err := g.build(building, o.nodes); err != nil {
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
	say("healed; %s; waiting for the district to agree", g.traffic())
	return g.settle(ctx, people)
}

// suffer runs faults and work side by side. This process notes when it was starved
// itself.
func suffer(ctx context.Context, o options, g *rig, people *crowd, w *workload) {
	ctx, cancel := context.WithTimeout(ctx, o.length)
	defer cancel()
	var all sync.WaitGroup
	defer all.Wait()
	x := &nemesis{rig: g, least: o.nodes, crowd: people, rand: rand.New(rand.NewPCG(o.seed, 3))}
	all.Go(func() { x.run(ctx, o.newPlan()) })
	all.Go(func() { w.run(ctx, o.length) })
	for i := range ledgerClients {
		l := &ledger{rig: g, book: g.book, rand: rand.New(rand.NewPCG(o.seed, uint64(10+i))), who: i + 1, begun: time.Now(), stale: o.stale}
		all.Go(func() { l.run(ctx, o.length) })
	}
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
