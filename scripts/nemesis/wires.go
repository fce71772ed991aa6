//go:build linux

package main

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"
)

// outside stands for everything that is no node of the district: the devices, the
// clients, and in proxies a node that still joins.
const outside = -1

// link is one direction between two berths.
type link struct {
	cut    bool          // nothing passes; what was written waits, as packets that are sent again
	refuse bool          // with cut: connections end at once instead of falling silent
	delay  time.Duration // of everything that passes
	loss   float64       // share of the packets that are lost
}

// wires are the links between all berths of the district, and between them and
// outside. Safe for concurrent use.
type wires struct {
	mu      sync.Mutex
	links   [][]link // from, to; the last one is outside
	changed chan struct{}
}

func newWires(berths int) *wires {
	w := &wires{changed: make(chan struct{})}
	for range berths + 1 {
		w.links = append(w.links, make([]link, berths+1))
	}
	return w
}

// place is where a berth is in lists that hold outside as well.
func (w *wires) place(berth int) int {
	if berth == outside {
		return len(w.links) - 1
	}
	return berth
}

// get is the link of this moment, and a signal for the next change of any.
func (w *wires) get(from, to int) (link, <-chan struct{}) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.links[w.place(from)][w.place(to)], w.changed
}

// set gives every link what is says, which is asked for outside as well.
func (w *wires) set(is func(from, to int) link) {
	w.mu.Lock()
	defer w.mu.Unlock()
	berth := func(place int) int {
		if place == len(w.links)-1 {
			return outside
		}
		return place
	}
	for from := range w.links {
		for to := range w.links[from] {
			w.links[from][to] = is(berth(from), berth(to))
		}
	}
	close(w.changed)
	w.changed = make(chan struct{})
}

// cutOff reports whether the berth can neither hear nor be heard by any other.
func (w *wires) cutOff(berth int) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	for other := range len(w.links) - 1 {
		if other != berth && !(w.links[berth][other].cut && w.links[other][berth].cut) {
			return false
		}
	}
	return true
}

// anyCut reports whether some link between the berth and another is cut.
func (w *wires) anyCut(berth int) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	for other := range len(w.links) - 1 {
		if w.links[berth][other].cut || w.links[other][berth].cut {
			return true
		}
	}
	return false
}

// resent is how late what was lost arrives where whole connections are carried and no
// packets: about the shortest time after which TCP sends again.
const resent = 200 * time.Millisecond

// pass waits until something may go from one berth to another, and as long as it
// takes on the way. It returns an error when ctx ends first.
func (w *wires) pass(ctx context.Context, from, to int) error {
	for {
		l, changed := w.get(from, to)
		if !l.cut {
			if l.loss > 0 && rand.Float64() < l.loss {
				l.delay += resent
			}
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
