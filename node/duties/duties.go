// Package duties is the work that nodes do again and again without being asked: each duty by
// itself, so that one which fails or hangs stops no other. A duty says which nodes do it; who
// stops being one of them is told by the end of the duty's context, and the next one begins
// within a second.
//
// It never imports api, channels' outlets or another part of node.
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
	looks   = time.Second      // how often it is looked whether a duty under way is still this node's
)

// Where says which nodes do a duty.
type Where int

const (
	// Everywhere is every node.
	Everywhere Where = iota
	// AtLeader is the node that leads, and nobody while nobody does: for what changes the
	// agreed state.
	AtLeader
	// AtOne is the node that leads, and every node that cannot agree on anything with others:
	// for what must go on in each part of a district that has split, such as asking a feed,
	// handing alerts to a broker, or reminding. While a link fails two nodes may do it at
	// once, so doing it twice must do no harm.
	AtOne
)

// Duty is one of them. Do is called by one goroutine at a time; its context ends with the node
// and when the node is not one of those that do it any more.
type Duty struct {
	Name  string
	Where Where
	Do    func(context.Context) error
}

// Leaders tells who leads: *cluster.Cluster.
type Leaders interface {
	Leadership() proposals.Leadership
	Changes() (changes <-chan proposals.Leadership, cancel func())
}

// Election says which duties are this node's now. Its methods may be called from any goroutine
// and cost little.
type Election struct {
	leaders   Leaders
	canCommit func() bool
}

// NewElection makes one; canCommit reports whether this node can agree on anything with a
// majority now.
func NewElection(leaders Leaders, canCommit func() bool) *Election {
	return &Election{leaders: leaders, canCommit: canCommit}
}

// Holds reports whether this node does duties of that kind now.
func (e *Election) Holds(w Where) bool {
	switch w {
	case AtLeader:
		return e.leaders.Leadership().Leader
	case AtOne:
		return e.leaders.Leadership().Leader || !e.canCommit()
	}
	return true
}

// Duties are those of one node. Call may be called from any goroutine, also before Run.
type Duties struct {
	election *Election
	log      *slog.Logger
	all      []*running
}

type running struct {
	Duty
	called   signal.Signal
	failures int
	next     time.Time // not before; zero after a success
}

// New makes them; nothing runs yet.
func New(election *Election, log *slog.Logger, list ...Duty) *Duties {
	d := &Duties{election: election, log: log}
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
	changes, cancel := d.election.leaders.Changes()
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
		if time.Until(r.next) > 0 || !d.election.Holds(r.Where) {
			continue
		}
		d.do(ctx, r)
	}
}

func (d *Duties) do(ctx context.Context, r *running) {
	mine, stop := d.whileMine(ctx, r.Where)
	err := r.Do(mine)
	stop()
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

// whileMine ends with ctx, with stop, and once the duty is another node's. stop waits until
// nothing of it runs any more.
func (d *Duties) whileMine(ctx context.Context, w Where) (mine context.Context, stop func()) {
	mine, cancel := context.WithCancel(ctx)
	if w == Everywhere {
		return mine, cancel
	}
	var watching sync.WaitGroup
	watching.Go(func() {
		changes, forget := d.election.leaders.Changes()
		defer forget()
		look := time.NewTicker(looks)
		defer look.Stop()
		for d.election.Holds(w) {
			select {
			case <-mine.Done():
				return
			case <-changes:
			case <-look.C:
			}
		}
		cancel()
	})
	return mine, func() { cancel(); watching.Wait() }
}
