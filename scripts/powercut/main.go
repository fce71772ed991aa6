//go:build linux

// Powercut proves that what a node acknowledged survives a power cut at every flush of
// its disk. It runs the workload on a disk that forgets what was not synced
// (scripts/lossyfs), takes what a cut would leave at each flush and after each
// acknowledgement, opens that again and compares it with what had been promised.
//
//	powercut store [flags]    the durable parts of a node, every flush
//	powercut nodes [flags]    whole nodes, all at once, at some flushes
//
// storage/DESIGN.md and cluster/DESIGN.md say what is promised, package
// scripts/lossyfs/disk what a cut leaves. Needs root and /dev/fuse.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"strconv"
	"time"

	"almenara/scripts/lossyfs/mount"
)

// options of both drills.
type options struct {
	seed    uint64
	steps   int
	salts   int
	imports int
	most    int
	strict  bool
	lag     time.Duration
	caught  string
	scratch string

	bin         string
	nodes, cuts int
}

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "powercut:", err)
		if errors.Is(err, mount.ErrNoFUSE) {
			os.Exit(2)
		}
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) == 0 {
		return errors.New("say store, nodes or stall, or --help after it")
	}
	switch args[0] {
	case "work":
		return runWork(args[1:])
	case "store":
		o, err := parse(args)
		if err != nil {
			return err
		}
		return storeDrill(o)
	case "nodes":
		o, err := parse(args)
		if err != nil {
			return err
		}
		return nodesDrill(o)
	case "stall":
		o, err := parse(args)
		if err != nil {
			return err
		}
		return stallDrill(o)
	}
	return fmt.Errorf("no such drill: %s", args[0])
}

func parse(args []string) (options, error) {
	o := options{}
	f := flag.NewFlagSet(args[0], flag.ContinueOnError)
	f.Uint64Var(&o.seed, "seed", uint64(time.Now().UnixNano()), "decides the workload and what each cut leaves; the time when not given")
	f.IntVar(&o.steps, "steps", 90, "length of the workload")
	f.IntVar(&o.imports, "imports", 30, "of the steps, how many at the beginning are those of large imports, which rotate memtables; 0 is a light workload")
	f.IntVar(&o.salts, "salts", 1, "different outcomes of each cut")
	f.IntVar(&o.most, "most", 0, "how many of the cuts are opened again; 0 is all")
	f.BoolVar(&o.strict, "strict", false, "names survive only by a sync of their directory, as POSIX says, not as on ext4")
	f.StringVar(&o.caught, "caught", "", "the program is a broken one: succeed when a broken promise with these words is found; | separates alternatives")
	f.DurationVar(&o.lag, "lag", 0, "every write and flush takes so much longer, so that more happens meanwhile")
	f.StringVar(&o.bin, "bin", "dist/almenara", "nodes: the program")
	f.IntVar(&o.nodes, "nodes", 3, "nodes: how many")
	f.IntVar(&o.cuts, "cuts", 3, "nodes: how often the power fails")
	f.StringVar(&o.scratch, "scratch", "", "where to work; empty is a temporary directory, in memory where there is one")
	if err := f.Parse(args[1:]); err != nil {
		return o, err
	}
	if f.NArg() > 0 || o.most < 0 || o.salts < 1 || o.steps < 1 || o.nodes < 1 || o.cuts < 1 {
		return o, errors.New("flags take numbers above 0, and there is nothing else to say")
	}
	return o, nil
}

// runWork is the child: directory, sidecar, seed, steps, steps of imports.
func runWork(args []string) error {
	if len(args) != 5 {
		return errors.New("work is for the drill itself")
	}
	seed, err1 := strconv.ParseUint(args[2], 10, 64)
	steps, err2 := strconv.Atoi(args[3])
	imports, err3 := strconv.Atoi(args[4])
	if err := errors.Join(err1, err2, err3); err != nil {
		return err
	}
	return work(args[0], args[1], seed, steps, imports)
}
