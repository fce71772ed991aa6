//go:build linux

package main

import (
	"context"
	"sync"
	"time"
)

// outside stands for a peer that is no node of the district, such as a node that
// still joins. Its links are never cut.
const outside = -1

// link is one direction between two nodes.
type link struct {
	cut    bool          // nothing passes; what was written waits, as packets that are sent again
	refuse bool          // with cut: connections end at once instead of falling silent
	delay  time.Duration // of everything that passes
}

// wires are the links between all nodes of the district. Safe for concurrent use.
type wires struct {
	mu      sync.Mutex
	links   [][]link // from, to
	changed chan struct{}
}

func newWires(nodes int) *wires {
	w := &wires{changed: make(chan struct{})}
	for range nodes {
		w.links = append(w.links, make([]link, nodes))
	}
	return w
}

// get is the link of this moment, and a signal for the next change of any.
func (w *wires) get(from, to int) (link, <-chan struct{}) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if from == outside || to == outside {
		return link{}, w.changed
	}
	return w.links[from][to], w.changed
}

// set gives every link what is says.
func (w *wires) set(is func(from, to int) link) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for from := range w.links {
		for to := range w.links[from] {
			w.links[from][to] = is(from, to)
		}
	}
	close(w.changed)
	w.changed = make(chan struct{})
}

// cutOff reports whether the node can neither hear nor be heard by any other.
func (w *wires) cutOff(node int) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	for other := range w.links {
		if other != node && !(w.links[node][other].cut && w.links[other][node].cut) {
			return false
		}
	}
	return true
}

// pass waits until something may go from one node to another, and as long as it
// takes on the way. It returns an error when ctx ends first.
func (w *wires) pass(ctx context.Context, from, to int) error {
	for {
		l, changed := w.get(from, to)
		if !l.cut {
			return wait(ctx, l.delay)
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// wait lets d pass; an error when ctx ends first.
func wait(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
