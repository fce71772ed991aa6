// Package duties runs what keeps a district's records true, again and again: each duty
// by itself, so that one which fails or hangs stops no other.
package duties

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"almenara/channels/signal"
	"almenara/cluster/proposals"
)

const (
	every   = 5 * time.Second  // how often a duty looks when nothing called it
	longest = 30 * time.Second // between two attempts of a duty that fails
)

// Duty is one of them. Do is called by one goroutine at a time.
type Duty struct {
	Name   string
	Leader bool // only where this node leads
	Do     func(context.Context) error
}

// Leaders tells who leads: *cluster.Cluster.
type Leaders interface {
	Leadership() proposals.Leadership
	Changes() (changes <-chan proposals.Leadership, cancel func())
}

// Duties are those of one node. Call may be called from any goroutine, also before Run.
type Duties struct {
	leaders Leaders
	log     *slog.Logger
	all     []*running
}

type running struct {
	Duty
	called   signal.Signal
	failures int
	next     time.Time // not before; zero after a success
}

// New makes them; nothing runs yet.
func New(leaders Leaders, log *slog.Logger, list ...Duty) *Duties {
	d := &Duties{leaders: leaders, log: log}
	for _, duty := range list {
		d.all = append(d.all, &running{Duty: duty, called: signal.New()})
	}
	return d
}

// Call says that something may have come up. It never blocks.
func (d *Duties) Call() {
	for _, r := range d.all {
		r.called.Set()
	}
}

// Run attends to all of them until ctx ends, and waits for those under way.
func (d *Duties) Run(ctx context.Context) {
	var all sync.WaitGroup
	for _, r := range d.all {
		all.Go(func() { d.attend(ctx, r) })
	}
	all.Wait()
}

// attend does one duty when it is called, when the leader changes, and every 5 s. What
// failed rests for longer each time; a change of leader ends the rest, because most
// failures are for want of one.
func (d *Duties) attend(ctx context.Context, r *running) {
	changes, cancel := d.leaders.Changes()
	defer cancel()
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for {
		var rest <-chan time.Time
		if wait := time.Until(r.next); wait > 0 {
			rest = time.After(wait)
		}
		select {
		case <-ctx.Done():
			return
		case <-changes:
			r.failures, r.next = 0, time.Time{}
		case <-r.called:
		case <-ticker.C:
		case <-rest:
		}
		if time.Until(r.next) > 0 || r.Leader && !d.leaders.Leadership().Leader {
			continue
		}
		d.do(ctx, r)
	}
}

func (d *Duties) do(ctx context.Context, r *running) {
	err := r.Do(ctx)
	if err == nil {
		r.failures, r.next = 0, time.Time{}
		return
	}
	if ctx.Err() != nil {
		return
	}
	pause := min(time.Second<<min(r.failures, 10), longest)
	r.failures, r.next = r.failures+1, time.Now().Add(pause)
	d.log.Debug("a record is not up to date yet", "duty", r.Name, "attempts", r.failures, "error", err)
}
