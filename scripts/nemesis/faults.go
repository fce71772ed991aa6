//go:build linux

package main

import (
	"context"
	"errors"
	"math/rand/v2"
	"os"
	"sync"
	"time"
)

// nemesis carries out a plan upon a rig.
type nemesis struct {
	rig     *rig
	crowd   *crowd
	rand    *rand.Rand // of the reboots
	least   int        // nodes below which none is removed
	begun   time.Time
	wires   sync.Mutex // one step of the wires at a time
	members sync.Mutex // one change of the membership at a time
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
	if s.Kind == Grow || s.Kind == Swap || s.Kind == Move || s.Kind == Shrink {
		x.members.Lock()
		defer x.members.Unlock()
	}
	s, n := x.resolve(ctx, s)
	x.rig.say("%s", s)
	switch s.Kind {
	case Kill, Stop, Freeze:
		x.process(ctx, s, n)
	case KillAll:
		var all sync.WaitGroup
		for _, n := range x.rig.now() {
			all.Go(func() { x.process(ctx, Step{Kind: Kill, For: s.For}, n) })
		}
		all.Wait()
	case Grow:
		x.grow(ctx, n)
	case Swap:
		x.swap(ctx, s, n)
	case Move:
		x.move(ctx, s, n)
	case Shrink:
		x.shrink(ctx, n)
	case SlowDisk, StallDisk, FullDisk, PowerCut:
		x.breakDisk(ctx, s, n)
	case PowerAll:
		x.blackout(ctx, s)
	case Clock:
		x.jump(ctx, s, n)
	case Descriptors:
		x.strangers(ctx, s, n)
	case Reboot:
		x.crowd.reboot(ctx, x.rand, s.For)
	default:
		x.cut(ctx, s)
	}
	x.rig.say("over: %s", s.Kind)
}

// resolve turns a plan's places among the members into berths, and leading into who
// leads.
func (x *nemesis) resolve(ctx context.Context, s Step) (Step, *node) {
	members := x.rig.now()
	var n *node
	if s.Node == leading {
		if n = x.rig.leader(ctx); n == nil {
			n = members[int(s.At/time.Millisecond)%len(members)]
			x.rig.say("nobody leads; %s stands in", n.name)
		} else {
			x.rig.say("%s leads", n.name)
		}
	} else {
		n = members[s.Node%len(members)]
	}
	s.Node = n.berth.index
	group := make([]int, 0, len(s.Group))
	for _, i := range s.Group {
		group = append(group, members[i%len(members)].berth.index)
	}
	s.Group = group
	return s, n
}

// cut changes the wires for a while.
func (x *nemesis) cut(ctx context.Context, s Step) {
	x.wires.Lock()
	defer x.wires.Unlock()
	if s.Kind == Unplug && x.rig.space != nil { // its devices notice only later that they are not there any more
		defer x.rig.book.begin(x.rig.at(s.Node), string(Unplug))()
	}
	x.rig.wires.set(s.cuts)
	for _, n := range x.rig.now() {
		switch {
		case x.rig.wires.cutOff(n.berth.index):
			defer x.rig.book.cut(n.number, allLinks)()
		case x.rig.wires.anyCut(n.berth.index):
			defer x.rig.book.cut(n.number, someLinks)()
		}
	}
	for _, b := range x.rig.berths {
		if b.proxy != nil {
			b.proxy.endRefused()
		}
	}
	_ = wait(ctx, s.For)
	x.rig.wires.set(func(int, int) link { return link{} })
}

// process takes one node down, or freezes it, for a while. It counts as not itself
// until its API answers again.
func (x *nemesis) process(ctx context.Context, s Step, n *node) {
	end := x.rig.book.begin(n.number, string(s.Kind))
	defer end()
	if s.Kind == Freeze {
		x.report(n, n.process.freeze())
		_ = wait(ctx, s.For)
		x.report(n, n.process.thaw())
		x.answers(n)
		return
	}
	n.power.Lock()
	defer n.power.Unlock()
	if s.Kind == Stop {
		x.report(n, n.process.stop(stopTime))
	} else {
		x.report(n, n.process.kill())
	}
	_ = wait(ctx, s.For)
	x.report(n, n.process.start())
	x.answers(n)
}

// jump sets a node's clock wrong for a while.
func (x *nemesis) jump(ctx context.Context, s Step, n *node) {
	end := x.rig.book.begin(n.number, string(Clock))
	defer end()
	x.report(n, os.WriteFile(n.clock(), []byte(s.Jump.String()), 0o600))
	_ = wait(ctx, s.For)
	x.report(n, os.WriteFile(n.clock(), []byte("0s"), 0o600))
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
