//go:build linux

package main

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// newLeaderTime is how soon somebody else must lead when the leader's disk has
// stalled: its watchdog gives it 10 s.
const newLeaderTime = 15 * time.Second

// breakDisk carries out a step upon the disk of one node.
func (x *nemesis) breakDisk(ctx context.Context, s Step, n *node) {
	n.disked.RLock()
	defer n.disked.RUnlock()
	if n.disk == nil {
		x.rig.say("%s has no disk of its own", n.name)
		return
	}
	switch s.Kind {
	case SlowDisk:
		x.spoil(ctx, s, n, fmt.Sprintf("slow %v", s.Delay), "slow 0s")
	case FullDisk:
		x.spoil(ctx, s, n, fmt.Sprintf("full %d", s.Bytes), "full off")
	case StallDisk:
		x.stall(ctx, s, n)
	case PowerCut:
		x.powerCut(ctx, s, n)
	}
}

// spoil gives one order, and takes it back later.
func (x *nemesis) spoil(ctx context.Context, s Step, n *node, order, back string) {
	end := x.rig.book.begin(n.number, string(s.Kind))
	defer end()
	x.report(n, n.disk.order(order))
	_ = wait(ctx, s.For)
	x.report(n, n.disk.order(back))
	x.answers(n)
}

// stall lets nothing become durable any more. The node must end then, and the others
// must have a leader soon.
func (x *nemesis) stall(ctx context.Context, s Step, n *node) {
	end := x.rig.book.begin(n.number, string(s.Kind))
	defer end()
	led := x.rig.leader(ctx) == n
	began := Stall{Node: n.number, From: time.Now(), Led: led}
	x.report(n, n.disk.order("stall"))
	if led {
		began.Next = x.successor(ctx, n)
	}
	_ = wait(ctx, time.Until(began.From.Add(s.For)))
	x.report(n, n.disk.order("release"))
	began.To = time.Now()
	x.rig.book.note(func(h *History) { h.Stalls = append(h.Stalls, began) })
	x.answers(n)
}

// successor waits for another node to lead; zero when none does in time.
func (x *nemesis) successor(ctx context.Context, old *node) time.Time {
	begun := time.Now()
	ctx, cancel := context.WithTimeout(ctx, newLeaderTime+time.Second)
	defer cancel()
	for {
		for _, n := range x.rig.now() {
			if n == old {
				continue
			}
			if s, err := n.status(ctx, 300*time.Millisecond); err == nil && s.Role == "leader" {
				x.rig.say("%s leads %.1f s after the disk of %s stalled", n.name, time.Since(begun).Seconds(), old.name)
				return time.Now()
			}
		}
		if wait(ctx, 100*time.Millisecond) != nil {
			return time.Time{}
		}
	}
}

// powerCut takes the power from a node: the process is gone, and so is what was not
// synced.
func (x *nemesis) powerCut(ctx context.Context, s Step, n *node) {
	end := x.rig.book.begin(n.number, string(s.Kind))
	defer end()
	n.power.Lock()
	defer n.power.Unlock()
	n.process.hold()
	x.report(n, n.disk.order("cut"))
	x.report(n, n.process.kill())
	_ = wait(ctx, s.For)
	x.report(n, n.disk.order("remount"))
	n.process.let()
	x.report(n, n.process.start())
	x.answers(n)
}

// blackout takes the power from all nodes at once.
func (x *nemesis) blackout(ctx context.Context, s Step) {
	var all sync.WaitGroup
	s.Kind = PowerCut
	for _, n := range x.rig.now() {
		all.Go(func() { x.breakDisk(ctx, s, n) })
	}
	all.Wait()
}
