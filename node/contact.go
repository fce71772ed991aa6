package node

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"almenara/cluster/fsm"
	"almenara/storage/durable"
)

// The times of being alone.
const (
	// aloneAfter is how long there must have been no quorum: an election or a lease that
	// ran out on a busy machine is shorter, and is nothing to change the rules for.
	aloneAfter = 3 * time.Second
	// aloneTime is how long a command waits for a majority when the node is alone: whoever
	// asks at night needs the answer, not the wait.
	aloneTime = time.Second
	// aloneEvery is how often quorum is looked at.
	aloneEvery = 200 * time.Millisecond
	// contactEvery is how often the last contact is written: flash wears out.
	contactEvery = time.Minute
	// aheadOfUs is how far the last contact may lie in the future, as clocks are set.
	aheadOfUs = time.Minute
	// staleAfter is the policy age from which on only licences of named scenarios count:
	// whoever lost a right since cannot be known here.
	staleAfter = 72 * time.Hour
)

const contactFile = "quorum.contact"

// contactWatch is since when this node has no quorum, and when it last had any. It is the
// only place that decides whether the node is alone. Safe for concurrent use.
type contactWatch struct {
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

// contactRecord is what contactFile holds.
type contactRecord struct {
	At int64 `json:"last_quorum"` // ms since 1970
}

// openContact reads when this node last had quorum. What cannot be read is never: the
// rules for an old policy are the safe ones.
func openContact(dir string, clock func() time.Time, log *slog.Logger) *contactWatch {
	s := &contactWatch{dir: dir, clock: clock, log: log}
	raw, err := os.ReadFile(filepath.Join(dir, contactFile))
	var record contactRecord
	if err == nil {
		err = json.Unmarshal(raw, &record)
	}
	switch {
	case err == nil:
		s.contact = time.UnixMilli(record.At)
		s.written = s.contact
	case !errors.Is(err, os.ErrNotExist):
		log.Warn("it cannot be read when this node last had quorum; the policy counts as old", "error", err)
	}
	return s
}

// watch looks at quorum until ctx ends. turned is called when the node has become alone
// or is not any more.
func (s *contactWatch) watch(ctx context.Context, quorum func() bool, turned func(alone bool)) {
	tick := time.NewTicker(aloneEvery)
	defer tick.Stop()
	for {
		if alone, changed := s.observe(quorum()); changed {
			turned(alone)
		}
		if err := s.save(contactEvery); err != nil {
			s.log.Warn("writing when this node last had quorum", "error", err)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			if err := s.save(0); err != nil {
				s.log.Warn("writing when this node last had quorum", "error", err)
			}
			return
		}
	}
}

// observe takes one look.
func (s *contactWatch) observe(quorum bool) (alone, changed bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now, was := time.Now(), s.alone
	switch {
	case quorum:
		s.since, s.wall, s.alone = time.Time{}, time.Time{}, false
		s.contact, s.seen = s.clock(), now
	case s.since.IsZero():
		s.since, s.wall = now, s.clock()
	default:
		s.alone = now.Sub(s.since) >= aloneAfter
	}
	return s.alone, s.alone != was
}

// save writes the last contact when what is written is older than every.
func (s *contactWatch) save(every time.Duration) error {
	s.mu.Lock()
	contact, written := s.contact, s.written
	s.mu.Unlock()
	if contact.Equal(written) || !written.IsZero() && contact.Sub(written).Abs() < every {
		return nil
	}
	raw, err := json.Marshal(contactRecord{At: contact.UnixMilli()})
	if err == nil {
		err = durable.WriteFile(filepath.Join(s.dir, contactFile), raw)
	}
	if err != nil {
		return fmt.Errorf("writing %s: %w", contactFile, err)
	}
	s.mu.Lock()
	s.written = contact
	s.mu.Unlock()
	return nil
}

// loneliness is that at one moment.
type loneliness struct {
	alone bool
	since time.Time     // of the loss of quorum by the node's clock; zero with quorum
	age   time.Duration // of the policy: since the last quorum; negative: there never was any
}

// stale reports whether the policy is so old that only named scenarios count.
func (l loneliness) stale() bool { return l.age < 0 || l.age > staleAfter }

// now is the present state. A clock that was set back does not make the policy younger
// than this run knows it to be.
func (s *contactWatch) now() loneliness {
	s.mu.Lock()
	defer s.mu.Unlock()
	l := loneliness{alone: s.alone, since: s.wall, age: -1}
	if s.contact.IsZero() {
		return l
	}
	age := s.clock().Sub(s.contact)
	if s.seen.IsZero() && age < -aheadOfUs {
		return l // written under another clock: how long ago that was cannot be known
	}
	l.age = max(0, age)
	if !s.seen.IsZero() {
		l.age = max(l.age, time.Since(s.seen))
	}
	return l
}

// watchAlone keeps this node's contact until ctx ends.
func (n *Node) watchAlone(ctx context.Context) {
	n.contact.watch(ctx, func() bool { return n.cluster.Status().HasQuorum }, func(alone bool) {
		now := n.contact.now()
		if alone {
			n.log.Warn("this node is alone: people need a licence to warn from here", "since", now.since.UTC(), "policy_age", now.age.Round(time.Second))
		} else {
			n.log.Info("this node is not alone any more")
		}
		n.tallies.touchRecords(fsm.ChangedNodes)
	})
}
