// Package alone knows whether this node has a majority of the district's nodes with it, and
// puts on record when it had none. It owns the files quorum.contact (when there last was a
// majority) and alone (the outage that lasts). cluster/quorum sees raft's signals; what they
// mean for people, from when on a loss counts and how old the policy is, is decided here and
// nowhere else.
//
// It never imports channels, node/api or another part of node: who asks for the state
// is told State, who writes the record is a function.
package alone

import (
	"context"
	"log/slog"
	"path/filepath"
	"sync"
	"time"

	"almenara/cluster"
	"almenara/storage/factbody"
)

const (
	// outageAfter is how long there must have been no majority: an election or a lease that
	// ran out on a busy machine is shorter, and is nothing to change the rules for or to put
	// on record.
	outageAfter = 3 * time.Second
	// look is how often it is looked whether there is one.
	look = 200 * time.Millisecond
)

// Link is what the watch hears of the others; *cluster.Cluster is one.
type Link interface {
	HasQuorum() bool
	Status() cluster.Status
}

// Options say what a Watch needs. None may be nil.
type Options struct {
	Dir    string // the data folder
	Clock  func() time.Time
	Logger *slog.Logger
	// Record puts an outage that has ended on record.
	Record func(context.Context, factbody.Alone) error
	// Applied is the raft index of the agreed state.
	Applied func() uint64
	// Turned is told when the node has become alone, or is not any more; must not block.
	Turned func()
}

// Watch says whether the node is alone. Its methods may be called from any goroutine.
type Watch struct {
	o     Options
	dir   string // of contactFile
	clock func() time.Time
	log   *slog.Logger

	mu      sync.Mutex
	since   time.Time // begin of the loss, with a monotonic reading; zero with quorum
	wall    time.Time // the same by clock
	alone   bool
	contact time.Time // last quorum by clock, also of an earlier run; zero: never
	seen    time.Time // the same of this run, with a monotonic reading; zero: not yet
	written time.Time // what contactFile holds
}

// Open reads when this node last had a majority. What cannot be read is never: the rules
// for an old policy are the safe ones.
func Open(o Options) *Watch {
	w := open(o.Dir, o.Clock, o.Logger)
	w.o = o
	return w
}

// Run watches until ctx ends.
func (w *Watch) Run(ctx context.Context, link Link) {
	var recording sync.WaitGroup
	defer recording.Wait()
	recording.Go(func() { w.record(ctx, link) }) // which may wait for the disk
	w.watch(ctx, link.HasQuorum, func(alone bool) {
		if alone {
			now := w.Now()
			w.log.Warn("this node is alone: people need a licence to warn from here", "since", now.Since.UTC(), "policy_age", now.Age.Round(time.Second))
		} else {
			w.log.Info("this node is not alone any more")
		}
		w.o.Turned()
	})
}

// record puts every outage on record.
func (w *Watch) record(ctx context.Context, link Link) {
	r := &outageRecorder{path: filepath.Join(w.dir, outageFile), now: w.clock, record: w.o.Record}
	if err := r.resume(ctx); err != nil {
		w.log.Error("a time without a majority is not on record", "error", err)
	}
	ticker := time.NewTicker(look)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		var status cluster.Status
		if status.HasQuorum = link.HasQuorum(); !status.HasQuorum {
			status = link.Status()
		}
		if err := r.look(ctx, status, w.o.Applied()); err != nil && ctx.Err() == nil {
			w.log.Error("a time without a majority is not on record yet", "error", err)
		}
	}
}
