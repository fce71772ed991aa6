// Package expiry says in time what is about to end: a certificate, a key, a licence.
package expiry

import (
	"slices"
	"time"

	"almenara/node/wire/why"
)

// Ahead is how long before its end a thing is named: an operator may be away for weeks.
const Ahead = 30 * 24 * time.Hour

// The kinds of things that end.
const (
	Certificate = "certificate"
	Authority   = "authority"
	Key         = "key"
	Licence     = "licence"
)

// Thing is one of them.
type Thing struct {
	Kind string
	Name why.Sentence // for people, without a full stop
	From time.Time
	Ends time.Time
	Then why.Sentence // what to do, as the end of a sentence
}

// soon says whether the thing has to be named: within 30 days of its end, and within the
// last half of its life where that is shorter, or a licence for a month would be named
// from its first day on.
func (t Thing) soon(now time.Time) bool {
	ahead := Ahead
	if !t.From.IsZero() {
		ahead = min(ahead, t.Ends.Sub(t.From)/2)
	}
	return !t.Ends.IsZero() && t.Ends.Sub(now) <= ahead
}

// Soon lists what ends soon or has ended, the first one first.
func Soon(things []Thing, now time.Time) []Thing {
	due := slices.DeleteFunc(slices.Clone(things), func(t Thing) bool { return !t.soon(now) })
	slices.SortStableFunc(due, func(a, b Thing) int { return a.Ends.Compare(b.Ends) })
	return due
}

// Sentence says it to an operator.
func (t Thing) Sentence(now time.Time) why.Sentence {
	verb, reason := "ends on", why.ThingEnds
	if !now.Before(t.Ends) {
		verb, reason = "has ended on", why.ThingEnded
	}
	return why.Sayf("%s %s %s: %s", t.Name, verb, t.Ends.UTC().Format("2006-01-02 15:04 UTC"), t.Then).Because(reason, t.Name, t.Ends, t.Then)
}

// First is the first end of a kind; zero when there is none.
func First(things []Thing, kind string) (first time.Time) {
	for _, t := range things {
		if t.Kind == kind && !t.Ends.IsZero() && (first.IsZero() || t.Ends.Before(first)) {
			first = t.Ends
		}
	}
	return first
}
