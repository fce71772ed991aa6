//go:build linux

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"almenara/node/wire"
)

// The cell that measures what alerts cost that are over. Each was sent to the cell's devices, and
// each device's delivery is a receipt of it.
const (
	grown          = "history"
	historyDevices = 300
	historyAtOnce  = 50 // alerts that are sent before their receipts are awaited: a node gives up deliveries that it cannot commit in time
	historySenders = 4

	// historyLife is how long such an alert is in force: long enough to reach its devices, and
	// short enough that an administrator's budget, some 1,000 at a time, is not used up.
	historyLife = 5 * time.Second

	mostList      = 50 * time.Millisecond
	mostStart     = 3 * time.Second
	mostGrowth    = 1.5  // times the time with next to none
	mostGrownHeap = 12e6 // bytes more than with next to none: Badger's cache of blocks, and what is around
)

// history are the sizes that are measured. The first stands for none: a list of 100 needs as many.
func (o options) history() []int {
	if o.quick {
		return []int{100, 200, 400}
	}
	return []int{100, 1000, 5000, 20_000}
}

// asked is how often each thing is done that is measured beside a history.
func (o options) asked() int {
	if o.quick {
		return 20
	}
	return 100
}

// accepted is how many alerts are posted one by one beside a history: so many that the slowest of a
// hundred is not one write to the disk that took long.
func (o options) accepted() int { return 5 * o.asked() }

// growth is a node beside so many alerts that are over.
type growth struct {
	History         int
	Start           time.Duration // of the process, until it is ready
	Heap, Anon, RSS int64         // bytes: live after the last collection; resident; resident with files

	List, Accept           spread
	Last, Floor            spread // from the post to the last device
	WatchedAccept, Watched spread // the same while a viewer lists without end
	Lists                  int    // of the viewer
}

// spread is a median and the nearest rank of 99 of 100.
type spread struct{ P50, P99 time.Duration }

func spreadOf(all []time.Duration) spread {
	slices.Sort(all)
	return spread{quantile(all, 50), quantile(all, 99)}
}

// grow measures the node at each size of its history. The floor has none: it is what a delivery to as many devices costs in this run.
func (c *cell) grow(ctx context.Context, units []*unit) error {
	floor := spread{}
	for _, u := range units {
		node, ok := u.sys.(*almenara)
		if !ok {
			last, err := u.lasts(ctx, c.asked(), func() (int64, error) { return u.sys.publish(ctx, 1, 1) })
			if err != nil {
				return fmt.Errorf("%s: %w", u.name, err)
			}
			floor = spreadOf(last)
			continue
		}
		had := 0
		for _, size := range c.history() {
			begun := time.Now()
			if err := u.pass(ctx, node, size-had); err != nil {
				return fmt.Errorf("making a history of %d alerts: %w", size, err)
			}
			made := time.Since(begun)
			g, err := c.beside(ctx, u, node)
			if err != nil {
				return fmt.Errorf("beside %d alerts: %w", size, err)
			}
			had = size + c.accepted() + c.asked() // what was measured is history, too
			g.History, g.Floor = size, floor
			c.say("history of %d alerts: made in %.0f s, measured in %.0f s", size, made.Seconds(), time.Since(begun).Seconds()-made.Seconds())
			if err := c.record(g); err != nil {
				return err
			}
		}
	}
	return nil
}

// pass sends alerts to all devices and waits until they are over.
func (u *unit) pass(ctx context.Context, node *almenara, count int) error {
	for count > 0 {
		some := min(count, historyAtOnce)
		if _, err := u.fleet.ask(order{Do: "mark"}); err != nil {
			return err
		}
		var group errgroup.Group
		for sender := range historySenders {
			group.Go(func() error {
				for range (some + sender) / historySenders {
					if _, err := node.brief(ctx, "local"); err != nil {
						return err
					}
				}
				return nil
			})
		}
		if err := group.Wait(); err != nil {
			return err
		}
		if _, err := u.fleet.ask(order{Do: "await", Count: some * u.live}); err != nil {
			return err
		}
		if err := node.agreed(ctx, some); err != nil {
			return err
		}
		u.got += some
		count -= some
	}
	return node.over(ctx, 0)
}

// brief sends an alert that is soon over, as an administrator, and waits where the budget is used up.
func (a *almenara) brief(ctx context.Context, wait string) (out wire.Outcome, err error) {
	for end := time.Now().Add(awaitTime); ; {
		out, err = a.sendAs(ctx, a.client, "place under "+district, "", historyLife, wait)
		var p *wire.Problem
		if err == nil || !errors.As(err, &p) || p.RetryAfter == 0 || time.Now().After(end) {
			return out, err
		}
		if err := pause(ctx, 100*time.Millisecond); err != nil {
			return out, err
		}
	}
}

// over waits until no more than so many alerts are in force.
func (a *almenara) over(ctx context.Context, held int) error {
	for end := time.Now().Add(awaitTime + historyLife); ; {
		st, err := a.client.Status(ctx, false)
		if err == nil && st.InForce <= held {
			return pause(ctx, time.Second) // what is dropped now is dropped with the next look
		}
		if time.Now().After(end) {
			return fmt.Errorf("%d alerts are in force: %w", st.InForce, errors.Join(err, errRestless))
		}
		if err := pause(ctx, 100*time.Millisecond); err != nil {
			return err
		}
	}
}

// agreed waits until the newest alerts have a receipt of every device on record.
func (a *almenara) agreed(ctx context.Context, newest int) error {
	for end := time.Now().Add(awaitTime); ; {
		list, _, err := a.client.ListAlerts(ctx, wire.AlertQuery{Limit: newest})
		missing := slices.IndexFunc(list, func(l wire.Alert) bool { return l.Rungs.Delivered < uint64(a.setup.devices) })
		if err == nil && missing < 0 && len(list) == newest {
			return nil
		}
		if time.Now().After(end) {
			return fmt.Errorf("of the newest %d alerts that at %d of %d has not all receipts: %w", newest, missing, len(list), errors.Join(err, errRestless))
		}
		if err := pause(ctx, 100*time.Millisecond); err != nil { // a list of what is in force costs something, too
			return err
		}
	}
}

// longOver is how much later a node is started than its history was made: twice as long as the end of an alert is told to devices that come
// back (storage/alert/board.EndMemory). What ran out within the last day is still work for a node.
const longOver = 48 * time.Hour

// beside starts the node anew, so much later by its clock, and measures it.
func (c *cell) beside(ctx context.Context, u *unit, node *almenara) (g growth, err error) {
	u.fleet.stop()
	node.child.stop()
	node.ahead += longOver
	begun := time.Now()
	if err := node.serve(ctx); err != nil {
		return g, err
	}
	g.Start = time.Since(begun)
	u.got = 0
	if _, err := u.connect(ctx, c); err != nil {
		return g, err
	}
	var listing []time.Duration
	for range c.asked() {
		begun := time.Now()
		if _, _, err := node.client.ListAlerts(ctx, wire.AlertQuery{Limit: 100}); err != nil {
			return g, err
		}
		listing = append(listing, time.Since(begun))
		if err := pause(ctx, 15*time.Millisecond); err != nil { // an operator may ask 100 times a second
			return g, err
		}
	}
	g.List = spreadOf(listing)
	if g.Accept, g.Last, err = u.accepts(ctx, node, c.accepted()); err != nil {
		return g, err
	}
	var viewer viewer
	if err := viewer.begin(ctx, node); err != nil {
		return g, err
	}
	g.WatchedAccept, g.Watched, err = u.accepts(ctx, node, c.asked())
	lists, wrong := viewer.end()
	if err := errors.Join(err, wrong, node.over(ctx, 0)); err != nil {
		return g, err
	}
	g.Lists = lists
	if g.Heap, err = node.liveHeap(ctx); err != nil {
		return g, err
	}
	g.Anon, err = memoryOf(node.pid(), "RssAnon")
	if err == nil {
		g.RSS, err = residentBytes(node.pid())
	}
	return g, err
}

// accepts sends alerts one by one and says how long each took until it was agreed, and until the last device had it.
func (u *unit) accepts(ctx context.Context, node *almenara, count int) (accept, last spread, err error) {
	var took []time.Duration
	lasts, err := u.lasts(ctx, count, func() (int64, error) {
		at := stamp()
		_, err := node.brief(ctx, "committed")
		took = append(took, time.Duration(stamp()-at))
		return at, err
	})
	if err != nil {
		return accept, last, err
	}
	return spreadOf(took), spreadOf(lasts), nil
}

// lasts says how long each alert took to the last device; send gives the stamp before it.
func (u *unit) lasts(ctx context.Context, count int, send func() (int64, error)) (all []time.Duration, err error) {
	for range count {
		if _, err := u.fleet.ask(order{Do: "mark"}); err != nil {
			return nil, err
		}
		at, err := send()
		if err != nil {
			return nil, err
		}
		last, err := u.fleet.ask(order{Do: "await", Count: u.live})
		if err != nil {
			return nil, err
		}
		u.got++
		all = append(all, time.Duration(last.At-at))
		if err := pause(ctx, 10*time.Millisecond); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// liveHeap is what the last collection of the node found in use.
func (a *almenara) liveHeap(ctx context.Context) (int64, error) {
	var text bytes.Buffer
	if err := a.client.Metrics(ctx, &text); err != nil {
		return 0, err
	}
	for line := range bytes.Lines(text.Bytes()) {
		var n float64
		if _, err := fmt.Sscanf(string(line), "go_gc_heap_live_bytes %g", &n); err == nil {
			return int64(n), nil
		}
	}
	return 0, errors.New("the node does not tell its heap")
}
