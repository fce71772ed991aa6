// Package derived is what the state machine keeps in memory beside the store, all of it made
// from the store at a start and kept up while entries are applied.
//
//	store ─▶ Rebuild ─▶ State ─┬─ Index    members and places: who a selection means
//	                           ├─ Alerts   what was adopted of alerts      cluster/archive
//	                           ├─ Tallies  what receipts say               cluster/tallies
//	                           └─ Requests, Ordinals: the applying goroutine's
//
// It owns how these are rebuilt together. The applying goroutine changes them while it
// applies, before the commit: readers may see an entry a few milliseconds before it is durable
// here. That is harmless, since a majority has it, and it keeps the emergency path from waiting
// for a slow disk. It may never import the log, the commands or what reads it.
package derived

import (
	"fmt"
	"log/slog"
	"runtime"
	"time"

	"golang.org/x/sync/errgroup"

	"almenara/cluster/archive"
	"almenara/cluster/tallies"
	"almenara/storage"
	"almenara/storage/audience/lookup"
	"almenara/storage/member"
	"almenara/storage/results"
)

// State is all that is derived of one state of the store. Index, Alerts and Tallies are safe
// for use from any goroutine as their own comments say.
type State struct {
	Index   *lookup.Index
	Alerts  *archive.Alerts
	Tallies *tallies.Tallies

	Ordinals uint32            // of members, given so far; the applying goroutine's
	Requests map[string]uint32 // slot of each answered request; the applying goroutine's
}

// Rebuild makes the state from the store, at the index that it returns.
func Rebuild(store *storage.Store, log *slog.Logger) (*State, storage.Applied, error) {
	began := time.Now()
	s := &State{Index: lookup.New(), Tallies: tallies.New(store), Requests: make(map[string]uint32)}
	var applied storage.Applied
	var stale bool
	err := store.View(func(t *storage.Txn) (err error) {
		if applied, err = storage.AppliedRecord.Value(t); err != nil {
			return err
		}
		if err = s.loadAudience(t); err != nil {
			return fmt.Errorf("audience: %w", err)
		}
		if s.Alerts, stale, err = archive.Load(t, log); err != nil {
			return fmt.Errorf("alerts: %w", err)
		}
		return results.Each(t, func(slot uint32, r results.Result) { s.Requests[r.RequestID] = slot })
	})
	if err != nil {
		return nil, applied, err
	}
	if stale {
		s.Alerts.Remake(store, log)
	}
	messages, _ := s.Alerts.Held()
	log.Info("state rebuilt", "index", applied.Index, "members", s.Index.Len(), "messages", messages,
		"took", time.Since(began))
	return s, applied, nil
}

// loadAudience fills the index: places first, so that members find them; one
// goroutine scans, others decode, and the index takes members as they come, because
// its answers do not depend on their order.
func (s *State) loadAudience(t *storage.Txn) (err error) {
	if s.Ordinals, err = member.NextOrdinal(t); err != nil {
		return err
	}
	places, err := member.Places.Live(t)
	if err != nil {
		return err
	}
	for _, p := range places {
		s.Index.PutPlace(p.Place)
	}
	batches := make(chan []member.RawRecord, 4)
	var g errgroup.Group
	for range max(2, runtime.GOMAXPROCS(0)) {
		g.Go(func() error {
			var failed error
			for some := range batches {
				if failed == nil {
					failed = s.putAll(some)
				}
			}
			return failed
		})
	}
	err = member.Raw(t, 2048, func(some []member.RawRecord) error {
		batches <- some
		return nil
	})
	close(batches)
	if waited := g.Wait(); err == nil {
		err = waited
	}
	return err
}

func (s *State) putAll(some []member.RawRecord) error {
	for _, raw := range some {
		rec, err := raw.Decode()
		if err != nil {
			return err
		}
		s.Index.Put(rec.Ordinal, &rec.Member)
	}
	return nil
}
