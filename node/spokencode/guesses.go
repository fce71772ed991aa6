package spokencode

import (
	"fmt"
	"sync"
	"time"

	"almenara/node/wire"
	"almenara/node/wire/why"
)

// How many wrong codes are heard within guessTime at one node. Six codes of a million fit at a time, so
// that five tries find one with a chance of 1 in 33,000.
const (
	mostOfOne = 5  // typed by one person, and for one message in the name of one person
	mostOfAll = 30 // by anybody
	guessTime = 15 * time.Minute
	mostKept  = 1024 // persons and messages of which tries are kept; the oldest go first
)

// Guesses counts wrong codes, in memory: a node that is started again has forgotten them. It may be used
// from any goroutine.
type Guesses struct {
	clock func() time.Time

	mu    sync.Mutex
	tries map[string][]time.Time
}

// NewGuesses counts by that clock.
func NewGuesses(clock func() time.Time) *Guesses {
	return &Guesses{clock: clock, tries: map[string][]time.Time{}}
}

// Begin counts a try of the typist, in the name of another person for the message of a fact, before
// the code is looked at; many at once are many. After too many it refuses, and then the code must not
// be looked at. right takes the try back.
func (g *Guesses) Begin(typist, name, fact string) (right func(), err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	now := g.clock()
	keys := []struct {
		key  string
		most int
	}{{"", mostOfAll}, {fmt.Sprintf("by %q", typist), mostOfOne}, {fmt.Sprintf("for %q %s", name, fact), mostOfOne}}
	for _, k := range keys {
		recent := g.recent(k.key, now)
		if len(recent) < k.most {
			continue
		}
		wait := max(time.Second, guessTime-now.Sub(recent[0]))
		return nil, &wire.Problem{Kind: wire.KindOverBudget, RetryAfter: int(wait.Seconds()) + 1,
			Sentence: "nothing was approved: too many wrong codes were typed in at this node; wait, or have it approved at another node", Why: why.Why{Reason: why.TooManyCodes}}
	}
	for _, k := range keys {
		g.put(k.key, append(g.recent(k.key, now), now))
	}
	return func() {
		g.mu.Lock()
		defer g.mu.Unlock()
		for _, k := range keys {
			if t := g.tries[k.key]; len(t) > 0 {
				g.put(k.key, t[:len(t)-1])
			}
		}
	}, nil
}

// recent are the tries that still count. mu is held.
func (g *Guesses) recent(key string, now time.Time) []time.Time {
	all := g.tries[key]
	for len(all) > 0 && now.Sub(all[0]) >= guessTime {
		all = all[1:]
	}
	return all
}

// put keeps tries, and forgets those of the key that was tried longest ago where there are too many.
// mu is held.
func (g *Guesses) put(key string, tries []time.Time) {
	if len(tries) == 0 {
		delete(g.tries, key)
		return
	}
	g.tries[key] = tries
	if len(g.tries) <= mostKept {
		return
	}
	oldest := key
	for k, t := range g.tries {
		if k != "" && t[len(t)-1].Before(g.tries[oldest][len(g.tries[oldest])-1]) {
			oldest = k
		}
	}
	delete(g.tries, oldest)
}
