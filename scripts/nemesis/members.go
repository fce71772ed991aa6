//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"almenara/node/wire"
)

// Times of a change of the membership.
const (
	joinTime   = 90 * time.Second // with a leader until a new node must serve, whatever is cut meanwhile
	joinMost   = 10 * time.Minute // for that and for a new address, with a leader or without
	removeTime = 60 * time.Second // until a removal must be answered
	leaveTime  = 20 * time.Second // in which a removed node may learn it by itself
	againPause = 500 * time.Millisecond
)

// grow lets a further node join, as an operator would: with an invitation, and again
// when it does not work at once.
func (x *nemesis) grow(ctx context.Context, host *node) {
	b := x.rig.free()
	if b == nil {
		x.rig.say("no berth is free for another node")
		return
	}
	ctx, cancel := whileLed(ctx, joinTime, x.rig.leader)
	defer cancel()
	n := x.rig.lay(b)
	asked := time.Now()
	x.came(n, x.rig.arrive(ctx, n, host), asked)
}

// whileLed gives a context that ends when somebody led for so long in all: without a majority nobody can be
// let in and no address be agreed on, and the faults may keep it away for minutes.
func whileLed(ctx context.Context, long time.Duration, leader func(context.Context) *node) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), joinMost)
	go func() {
		defer cancel()
		for led := time.Duration(0); led < long && wait(ctx, againPause) == nil; {
			if leader(ctx) != nil {
				led += againPause
			}
		}
	}()
	return ctx, cancel
}

// came notes that a node joined, or why it did not.
func (x *nemesis) came(n *node, err error, asked time.Time) {
	j := Joining{Node: n.number, Asked: asked}
	if j.Done = time.Now(); err != nil {
		j.Why = err.Error()
		x.rig.say("%s did not join: %v", n.name, err)
	} else {
		x.rig.say("%s joined after %.1f s", n.name, j.Done.Sub(j.Asked).Seconds())
	}
	x.rig.book.note(func(h *History) { h.Joinings = append(h.Joinings, j) })
}

// free is a berth where nobody lives; nil when there is none.
func (g *rig) free() *berth {
	g.mu.Lock()
	defer g.mu.Unlock()
	i := slices.IndexFunc(g.berths, func(b *berth) bool { return !b.taken })
	if i < 0 {
		return nil
	}
	return g.berths[i]
}

// arrive joins a node through host, or through whoever will. An invitation is good
// for one node and for as many attempts as it needs.
func (g *rig) arrive(ctx context.Context, n, host *node) error {
	if err := g.spool(ctx, n); err != nil {
		return err
	}
	args := append([]string{"join", "--data", n.data, "--name", n.name}, n.berth.listen...)
	return g.invite(ctx, n, host, args)
}

// invite runs a command at a node's berth with an invitation, again until it works, and
// counts the node among the members then.
func (g *rig) invite(ctx context.Context, n, host *node, args []string) error {
	var invitation string
	for {
		err := error(nil)
		if invitation == "" {
			var invited wire.Invited
			if invited, err = host.client.Invite(ctx, wire.Invite{}); err == nil {
				invitation = invited.Token
			}
		}
		if err == nil {
			err = g.use(ctx, n, append(slices.Clone(args), invitation))
		}
		if err == nil {
			return g.enter(n)
		}
		if wait(ctx, againPause) != nil {
			return fmt.Errorf("the last attempt: %w", err)
		}
		members := g.now()
		host = members[(slices.Index(members, host)+1)%len(members)]
	}
}

// use runs a command for a while.
func (g *rig) use(ctx context.Context, n *node, args []string) error {
	ctx, cancel := context.WithTimeout(ctx, 15*time.Second)
	defer cancel()
	_, err := g.run(ctx, n.berth, args...)
	return err
}

// shrink removes a node for good, as long as there are more than the run began with.
func (x *nemesis) shrink(ctx context.Context, n *node) {
	if len(x.rig.now()) <= x.least {
		x.rig.say("%s stays: there are no more nodes than at the beginning", n.name)
		return
	}
	if x.expel(ctx, n, false) {
		x.rig.vacate(n)
	}
}

// swap removes a node and brings it back under a new id: what only it had must come
// back with it. Alone, the node is cut off from the others first and takes for a while
// what only it then has, and is killed before anybody can hear of it.
func (x *nemesis) swap(ctx context.Context, s Step, n *node) {
	heal := func() {}
	if s.Alone > 0 {
		heal = x.isolate(n)
		_ = wait(ctx, s.Alone)
	}
	gone := x.expel(ctx, n, true)
	heal()
	if !gone {
		return
	}
	ctx, cancel := whileLed(ctx, joinTime, x.rig.leader)
	defer cancel()
	again, asked := x.rig.again(n), time.Now()
	x.came(again, x.rig.invite(ctx, again, x.rig.now()[0], []string{"rejoin", "--data", again.data}), asked)
}

// isolate cuts a node off until heal is called; no other step of the wires begins
// meanwhile.
func (x *nemesis) isolate(n *node) (heal func()) {
	x.wires.Lock()
	x.rig.wires.set(Step{Kind: Isolate, Node: n.berth.index}.cuts)
	end := x.rig.book.cut(n.number, allLinks)
	return func() {
		x.rig.wires.set(func(int, int) link { return link{} })
		end()
		x.wires.Unlock()
	}
}

// expel removes a node and sees its process end; false when that did not happen. back
// says that it is to return with all it has.
func (x *nemesis) expel(ctx context.Context, n *node, back bool) bool {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), removeTime)
	defer cancel()
	n.process.retire()
	r := Removal{Node: n.number, Asked: time.Now(), Back: back}
	err := x.rig.remove(ctx, n)
	if r.Done = time.Now(); err != nil {
		r.Why = err.Error()
		x.rig.say("%s was not removed: %v", n.name, err)
	} else {
		x.rig.say("%s was removed after %.1f s", n.name, r.Done.Sub(r.Asked).Seconds())
		x.rig.dismiss(n)
	}
	x.rig.book.note(func(h *History) { h.Removals = append(h.Removals, r) })
	if err != nil {
		return false
	}
	if x.rig.wires.cutOff(n.berth.index) {
		n.process.hold()
		x.report(n, n.process.kill()) // it never learns
	} else if n.process.ends(leaveTime) {
		x.rig.say("%s ended when it learnt that it was removed", n.name)
	}
	x.report(n, n.process.close(stopTime))
	return true
}

// again is the node that comes after n, with its folder and its disk.
func (g *rig) again(n *node) *node {
	n.disked.Lock()
	disk := n.disk
	n.disk = nil // closed by its new owner
	n.disked.Unlock()
	g.mu.Lock()
	n.berth.lived++
	g.mu.Unlock()
	next := g.lay(n.berth)
	next.disk, next.data = disk, n.data
	next.process.args = []string{"serve", "--data", n.data}
	return next
}

// remove asks the others, one after the other, to remove a node.
func (g *rig) remove(ctx context.Context, n *node) error {
	for {
		var err error
		for _, other := range g.now() {
			if other == n {
				continue
			}
			err = other.client.RemoveNode(ctx, n.id)
			var p *wire.Problem
			if err == nil || errors.As(err, &p) && p.Kind == wire.KindNotFound {
				return nil
			}
		}
		if wait(ctx, againPause) != nil {
			return fmt.Errorf("the last attempt: %w", err)
		}
	}
}

// dismiss counts a node no longer among the members.
func (g *rig) dismiss(n *node) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.members = slices.DeleteFunc(g.members, func(m *node) bool { return m == n })
}

// unmount closes a node's disk.
func (g *rig) unmount(n *node) {
	n.disked.Lock()
	defer n.disked.Unlock()
	if n.disk == nil {
		return
	}
	if err := n.disk.close(); err != nil {
		g.say("closing the disk of %s: %v", n.name, err)
	}
	n.disk = nil
}

// vacate frees the berth of a node whose process has ended for good.
func (g *rig) vacate(n *node) {
	g.unmount(n)
	_ = os.Remove(n.clock())
	g.mu.Lock()
	defer g.mu.Unlock()
	n.berth.lived, n.berth.taken = n.berth.lived+1, false
}
