package alone

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"almenara/storage/durable"
)

// The times of being alone.
const (
	// contactEvery is how often the last contact is written: flash wears out.
	contactEvery = time.Minute
	// aheadOfUs is how far the last contact may lie in the future, as clocks are set.
	aheadOfUs = time.Minute
	// StaleAfter is the policy age from which on only licences of named scenarios count:
	// whoever lost a right since cannot be known here.
	StaleAfter = 72 * time.Hour
)

const contactFile = "quorum.contact"

// lastQuorum is what contactFile holds.
type lastQuorum struct {
	At int64 `json:"last_quorum"` // ms since 1970
}

func open(dir string, clock func() time.Time, log *slog.Logger) *Watch {
	w := &Watch{dir: dir, clock: clock, log: log}
	raw, err := os.ReadFile(filepath.Join(dir, contactFile))
	var record lastQuorum
	if err == nil {
		err = json.Unmarshal(raw, &record)
	}
	switch {
	case err == nil:
		w.contact = time.UnixMilli(record.At)
		w.written = w.contact
	case !errors.Is(err, os.ErrNotExist):
		log.Warn("it cannot be read when this node last had quorum; the policy counts as old", "error", err)
	}
	return w
}

// watch looks at quorum until ctx ends. turned is called when the node has become alone
// or is not any more.
func (w *Watch) watch(ctx context.Context, quorum func() bool, turned func(alone bool)) {
	tick := time.NewTicker(look)
	defer tick.Stop()
	for {
		if alone, changed := w.observe(quorum()); changed {
			turned(alone)
		}
		if err := w.save(contactEvery); err != nil {
			w.log.Warn("writing when this node last had quorum", "error", err)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			if err := w.save(0); err != nil {
				w.log.Warn("writing when this node last had quorum", "error", err)
			}
			return
		}
	}
}

// observe takes one look.
func (w *Watch) observe(quorum bool) (alone, changed bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	now, was := time.Now(), w.alone
	switch {
	case quorum:
		w.since, w.wall, w.alone = time.Time{}, time.Time{}, false
		w.contact, w.seen = w.clock(), now
	case w.since.IsZero():
		w.since, w.wall = now, w.clock()
	default:
		w.alone = now.Sub(w.since) >= outageAfter
	}
	return w.alone, w.alone != was
}

// save writes the last contact when what is written is older than every.
func (w *Watch) save(every time.Duration) error {
	w.mu.Lock()
	contact, written := w.contact, w.written
	w.mu.Unlock()
	if contact.Equal(written) || !written.IsZero() && contact.Sub(written).Abs() < every {
		return nil
	}
	raw, err := json.Marshal(lastQuorum{At: contact.UnixMilli()})
	if err == nil {
		err = durable.WriteFile(filepath.Join(w.dir, contactFile), raw)
	}
	if err != nil {
		return fmt.Errorf("writing %s: %w", contactFile, err)
	}
	w.mu.Lock()
	w.written = contact
	w.mu.Unlock()
	return nil
}

// State is how the node stands to the majority at one moment.
type State struct {
	Alone bool          // there has been no majority for some seconds
	Since time.Time     // of the loss by the node's clock; zero with a majority
	Age   time.Duration // of the policy: since the last majority; negative: there never was any
}

// Stale reports whether the policy is so old that only named scenarios count.
func (s State) Stale() bool { return s.Age < 0 || s.Age > StaleAfter }

// Now is the present state. A clock that was set back does not make the policy younger
// than this run knows it to be.
func (w *Watch) Now() State {
	w.mu.Lock()
	defer w.mu.Unlock()
	l := State{Alone: w.alone, Since: w.wall, Age: -1}
	if w.contact.IsZero() {
		return l
	}
	age := w.clock().Sub(w.contact)
	if w.seen.IsZero() && age < -aheadOfUs {
		return l // written under another clock: how long ago that was cannot be known
	}
	l.Age = max(0, age)
	if !w.seen.IsZero() {
		l.Age = max(l.Age, time.Since(w.seen))
	}
	return l
}
