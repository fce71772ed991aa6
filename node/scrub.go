package node

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"almenara/cluster"
	"almenara/cluster/fact"
	"almenara/node/wire"
	"almenara/storage"
)

// scrubEvery is how often everything on this node's disk is read and checked.
const scrubEvery = 24 * time.Hour

// scrubbed is what the daily check found. The zero value is ready.
type scrubbed struct {
	at      atomic.Int64 // seconds since 1970; 0 is not yet
	damaged atomic.Int64 // parts
}

// checkState reads the whole state before anything of it is believed: Badger takes a
// damaged block for absent records. A damaged one leaves the mark of quarantine: the node
// must not come back under its id with a part of the state.
func (n *Node) checkState() error {
	err := n.store.Verify()
	if !errors.Is(err, storage.ErrDamaged) {
		return err
	}
	return n.stateDamaged(err)
}

// stateDamaged marks the folder and says in one sentence what to do.
func (n *Node) stateDamaged(err error) error {
	if err := cluster.MarkQuarantined(n.raftDir(), "the agreed state: "+err.Error(), n.identity.District); err != nil {
		n.log.Error("the folder was not marked as damaged", "error", err)
	}
	n.log.Error("the agreed state is damaged", "error", err)
	return fmt.Errorf("this node does not start, because its agreed state is rotten (%w); replace the disk if it is old, "+
		"let the node come back under a new id with almenara rejoin, or restore a backup: %s", storage.ErrDamaged, brief(err))
}

// brief is the end of an error's text, where the cause stands.
func brief(err error) string {
	const most = 160
	text := strings.ReplaceAll(err.Error(), "\n", "; ")
	if r := []rune(text); len(r) > most {
		return "…" + string(r[len(r)-most:])
	}
	return text
}

// scrub reads everything that is on this disk once a day, with idle priority.
func (n *Node) scrub(ctx context.Context) {
	every := n.options.Scrub
	if every == 0 {
		every = scrubEvery
	}
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if n.cluster.Quarantine() == nil {
			done := make(chan struct{})
			go func() { defer close(done); idly(n.scrubNow) }() // a thread of its own, with a priority of its own
			<-done
		}
	}
}

// scrubNow checks the state, the journal and the raft log. What is damaged quarantines
// the node: it warns its devices on, and agrees to nothing any more.
func (n *Node) scrubNow() {
	begun := time.Now()
	for _, part := range []struct {
		name  string
		check func() error
		fatal error
	}{
		{"the agreed state", n.store.Verify, storage.ErrDamaged},
		{"the journal", n.journal.Verify, fact.ErrRotten},
		{"the raft log", n.cluster.CheckLog, cluster.ErrLogDamaged}, // which says so itself
	} {
		err := part.check()
		switch {
		case err == nil:
		case errors.Is(err, part.fatal):
			n.scrubbed.damaged.Add(1)
			n.cluster.QuarantineFor(part.name + ": " + err.Error())
		default:
			n.log.Warn("a part of the disk could not be checked", "part", part.name, "error", err)
		}
	}
	n.scrubbed.at.Store(n.options.Clock().Unix())
	n.log.Info("the disk was checked", "took", time.Since(begun).Round(time.Millisecond))
}

// trust is asked by the API before it reads the agreed state: while the state may be damaged, nothing is read from it
// as if it were true.
func (n *Node) trust() error {
	if q := n.cluster.Quarantine(); q != nil && q.By == nil {
		return wire.Problemf(wire.KindNotReady, "%s", quarantined(q))
	}
	return nil
}
