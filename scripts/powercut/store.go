//go:build linux

package main

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"almenara/scripts/lossyfs/disk"
)

const checkers = 2

// storeDrill cuts the durable parts of a node at every flush.
func storeDrill(o options) (err error) {
	dir, err := scratch(o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	begun := time.Now()
	s := &sweep{o: o, dir: dir, r: rand.New(rand.NewPCG(o.seed, 2)), coin: rand.New(rand.NewPCG(o.seed, 3))}
	fmt.Printf("power cuts, seed %d: ", o.seed)
	if err := s.run(); err != nil {
		return err
	}
	fmt.Printf("%.1f s, ", time.Since(begun).Seconds())
	oracle, err := newOracle(filepath.Join(dir, "oracle"), filepath.Join(dir, "decided"))
	if err != nil {
		return fmt.Errorf("replaying what was decided: %w", err)
	}
	acks := promisesOf(s.ledger.sofar())
	fmt.Printf("%d flushes, %d entries, %d facts, %d tables, %d cuts taken in %.1f s\n",
		s.flushes, acks.applied, len(acks.facts), acks.tables, len(s.cuts), time.Since(begun).Seconds())
	if o.imports > 0 && acks.tables == 0 || len(acks.facts) == 0 {
		return errors.New("the workload was too short: no memtable was rotated, or no fact made")
	}
	opened, broken := s.checkAll(oracle)
	fmt.Printf("%d of them opened again in %.1f s: ", opened, time.Since(begun).Seconds())
	return verdict(o, broken)
}

// verdict turns broken promises into success or failure.
func verdict(o options, broken []error) error {
	switch {
	case len(broken) == 0 && o.caught != "":
		fmt.Println("nothing was found")
		return errors.New("a program that loses what it acknowledged was not caught")
	case len(broken) == 0:
		fmt.Println("nothing acknowledged was lost")
		return nil
	}
	fmt.Printf("%d broke a promise\n", len(broken))
	for _, err := range broken[:min(len(broken), 10)] {
		fmt.Println(" ", err)
	}
	if o.caught != "" {
		fmt.Println("caught, as it must be")
		return nil
	}
	return errors.New("what was acknowledged did not survive")
}

// checkAll opens what the cuts left. With -caught it stops at the first broken promise of
// that kind.
func (s *sweep) checkAll(o *oracle) (opened int, broken []error) {
	order := s.order()
	var mu sync.Mutex
	var next atomic.Int64
	var wg sync.WaitGroup
	for range checkers {
		wg.Go(func() {
			for {
				n := int(next.Add(1)) - 1
				if n >= len(order) {
					return
				}
				err := s.checkOne(order[n], o)
				mu.Lock()
				opened++
				if err != nil && s.o.looksFor(err) {
					broken = append(broken, err)
				}
				stop := len(broken) > 0 && s.o.caught != ""
				mu.Unlock()
				if stop {
					return
				}
			}
		})
	}
	wg.Wait()
	return opened, broken
}

// looksFor reports whether the broken promise is one of those that must be found.
func (o options) looksFor(broken error) bool {
	return slices.ContainsFunc(strings.Split(o.caught, "|"), func(words string) bool { return strings.Contains(broken.Error(), words) })
}

// order is which cuts are opened: so many, evenly; for a program that must be caught
// soon, those first that left several memtables.
func (s *sweep) order() []int {
	all := make([]int, len(s.cuts))
	for i := range all {
		all[i] = i
	}
	most := s.o.most
	if most == 0 || most > len(all) {
		most = len(all)
	}
	if s.o.caught != "" {
		s.r.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
		slices.SortStableFunc(all, func(i, j int) int { return s.cuts[j].memtables() - s.cuts[i].memtables() })
		return all[:most]
	}
	var some []int
	for i := range most {
		some = append(some, all[i*len(all)/most])
	}
	return some
}

// memtables is how many memtables' logs a cut left: from two on, the older one may lack
// what the newer one is built on.
func (c *cut) memtables() int { return memtables(c.disk) }

func memtables(d *disk.Disk) (n int) {
	dir := d.Root()
	for _, name := range []string{"node", "store", "db-000001"} {
		var err error
		if dir, _, err = d.Lookup(dir, name); err != nil {
			return 0
		}
	}
	names, _, err := d.Names(dir)
	for _, name := range names {
		if strings.HasSuffix(name, ".mem") {
			n++
		}
	}
	if err != nil {
		return 0
	}
	return n
}

// checkOne writes down what a cut left, and opens it.
func (s *sweep) checkOne(n int, o *oracle) error {
	c := &s.cuts[n]
	dir := filepath.Join(s.dir, fmt.Sprintf("cut-%d", n))
	defer os.RemoveAll(dir)
	if err := c.disk.Export(dir); err != nil {
		return err
	}
	c.disk = nil // the memory
	if err := check(filepath.Join(dir, "node"), promisesOf(c.acks), o); err != nil {
		return fmt.Errorf("cut %d, %s, flush %d: %w", n, c.at, c.flush, err)
	}
	return nil
}

// scratch makes a directory of its own, in memory where that is possible: thousands of
// syncs would only cost time.
func scratch(o options) (string, error) {
	base := o.scratch
	if base == "" && exists("/dev/shm") {
		base = "/dev/shm"
	}
	return os.MkdirTemp(base, "almenara-powercut-")
}
