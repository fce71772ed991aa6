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
	joinTime   = 90 * time.Second // until a new node must serve, whatever is cut meanwhile
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
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), joinTime)
	defer cancel()
	n := x.rig.lay(b)
	j := Joining{Node: n.number, Asked: time.Now()}
	err := x.rig.arrive(ctx, n, host)
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
	var invitation string
	for {
		err := error(nil)
		if invitation == "" {
			var invited wire.Invited
			if invited, err = host.client.Invite(ctx, wire.Invite{Name: n.name}); err == nil {
				invitation = invited.Token
			}
		}
		if err == nil {
			err = g.use(ctx, n, invitation)
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

// use joins with an invitation, for a while.
func (g *rig) use(ctx context.Context, n *node, invitation string) error {
	ctx, cancel := context.WithTimeout(ctx, 15*time.Second)
	defer cancel()
	_, err := g.run(ctx, n.berth, append(append([]string{"join", "--data", n.data, "--name", n.name}, n.berth.listen...), invitation)...)
	return err
}

// shrink removes a node for good, as long as there are more than the run began with.
func (x *nemesis) shrink(ctx context.Context, n *node) {
	if len(x.rig.now()) <= x.least {
		x.rig.say("%s stays: there are no more nodes than at the beginning", n.name)
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), removeTime)
	defer cancel()
	n.process.retire()
	r := Removal{Node: n.number, Asked: time.Now()}
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
		return
	}
	if n.process.ends(leaveTime) {
		x.rig.say("%s ended when it learnt that it was removed", n.name)
	}
	x.report(n, n.process.close(stopTime))
	x.rig.vacate(n)
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

// vacate frees the berth of a node whose process has ended for good.
func (g *rig) vacate(n *node) {
	if n.disk != nil {
		if err := n.disk.close(); err != nil {
			g.say("closing the disk of %s: %v", n.name, err)
		}
	}
	_ = os.Remove(n.clock())
	g.mu.Lock()
	defer g.mu.Unlock()
	n.berth.lived, n.berth.taken = n.berth.lived+1, false
}
