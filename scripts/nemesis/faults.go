//go:build linux

package main

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"time"
)

// nemesis carries out a plan upon a rig.
type nemesis struct {
	rig   *rig
	crowd *crowd
	rand  *rand.Rand // of the reboots
	begun time.Time
	wires sync.Mutex // one step of the wires at a time
}

// run does every step at its time and returns when the last one is undone, or ctx
// has ended and everything is undone.
func (x *nemesis) run(ctx context.Context, plan []Step) {
	x.begun = time.Now()
	var under sync.WaitGroup
	defer under.Wait()
	for _, s := range plan {
		if wait(ctx, time.Until(x.begun.Add(s.At))) != nil {
			return
		}
		under.Go(func() { x.do(ctx, s) })
	}
}

// do does one step and undoes it.
func (x *nemesis) do(ctx context.Context, s Step) {
	if s.Node == leading {
		s.Node = x.rig.leader(ctx)
		if s.Node == outside {
			s.Node = int(s.At/time.Millisecond) % len(x.rig.nodes)
			x.rig.say("nobody leads; n%d stands in", s.Node+1)
		} else {
			x.rig.say("n%d leads", s.Node+1)
		}
	}
	x.rig.say("%s", s)
	switch s.Kind {
	case Kill, Stop, Freeze:
		x.process(ctx, s, s.Node)
	case KillAll:
		var all sync.WaitGroup
		for i := range x.rig.nodes {
			all.Go(func() { x.process(ctx, Step{Kind: Kill, For: s.For}, i) })
		}
		all.Wait()
	case Reboot:
		x.crowd.reboot(ctx, x.rand, s.For)
	default:
		x.cut(ctx, s)
	}
	x.rig.say("over: %s", s.Kind)
}

// cut changes the wires for a while.
func (x *nemesis) cut(ctx context.Context, s Step) {
	x.wires.Lock()
	defer x.wires.Unlock()
	x.rig.wires.set(s.cuts)
	for _, n := range x.rig.nodes {
		n.proxy.endRefused()
	}
	_ = wait(ctx, s.For)
	x.rig.wires.set(func(int, int) link { return link{} })
}

// process takes one node down, or freezes it, for a while. It counts as not itself
// until its API answers again.
func (x *nemesis) process(ctx context.Context, s Step, node int) {
	n := x.rig.nodes[node]
	end := x.rig.book.begin(node, string(s.Kind))
	defer end()
	if s.Kind == Freeze {
		x.report(n, n.process.freeze())
		_ = wait(ctx, s.For)
		x.report(n, n.process.thaw())
		x.answers(n)
		return
	}
	if s.Kind == Stop {
		x.report(n, n.process.stop(stopTime))
	} else {
		x.report(n, n.process.kill())
	}
	_ = wait(ctx, s.For)
	x.report(n, n.process.start())
	x.answers(n)
}

func (x *nemesis) report(n *node, err error) {
	if err == nil {
		return
	}
	x.rig.say("%s: %v", n.name, err)
	if errors.Is(err, errSlowStop) {
		x.rig.book.note(func(h *History) { h.SlowStops = append(h.SlowStops, n.name) })
	}
}

// answers waits until the node's API does.
func (x *nemesis) answers(n *node) {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	for {
		if _, err := n.status(ctx, time.Second); err == nil {
			return
		}
		if wait(ctx, 100*time.Millisecond) != nil {
			x.rig.say("%s does not answer 20 s after it was let go", n.name)
			return
		}
	}
}
