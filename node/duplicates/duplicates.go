// Package duplicates finds alerts that may be about the same: two operators at two nodes
// that could not hear each other gave them different incidents, or none. It goes by what
// they say and when, not by whom they address. Nothing is ever merged by it.
package duplicates

import (
	"iter"
	"slices"
	"strings"
	"time"

	"almenara/storage/alert"
)

// Within is how far apart two alerts about the same may have been accepted.
const Within = time.Hour

// Alert is what an index knows of one alert. Of is the caller's.
type Alert[T any] struct {
	ID       alert.ID
	Status   alert.Status
	Accepted time.Time
	Incident string
	Scenario string
	Events   []string // of its info blocks
	Of       T
}

// subjects are what the alert is about: alerts with one in common are found by it.
func (a *Alert[T]) subjects() (all []string) {
	if a.Scenario != "" {
		all = append(all, "scenario "+a.Scenario)
	}
	if a.Scenario == "" && a.Incident != "" { // written by hand, where the console names the incident by what happens and where
		all = append(all, "incident "+a.Incident)
	}
	for _, event := range a.Events {
		if event != "" {
			all = append(all, "event "+strings.ToLower(strings.ToUpper(event))) // so that all spellings of one letter meet
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// alike reports whether two alerts with a subject in common may be about the same.
func (a *Alert[T]) alike(b *Alert[T]) bool {
	return a.ID != b.ID && a.Status == b.Status && a.Accepted.Sub(b.Accepted).Abs() <= Within &&
		(a.Incident == "" || a.Incident != b.Incident || a.Scenario == b.Scenario)
}

// Index finds alerts by what they are about. It is not modified once made, so any goroutine
// may use it.
type Index[T any] struct {
	bySubject map[string][]*Alert[T] // in the order of their acceptance
}

// New makes an index of alerts.
func New[T any](all []*Alert[T]) *Index[T] {
	x := &Index[T]{bySubject: map[string][]*Alert[T]{}}
	sorted := slices.SortedFunc(slices.Values(all), func(a, b *Alert[T]) int { return a.Accepted.Compare(b.Accepted) })
	for _, a := range sorted {
		for _, subject := range a.subjects() {
			x.bySubject[subject] = append(x.bySubject[subject], a)
		}
	}
	return x
}

// Near yields the alerts that may be about the same as a, by each subject the nearest in
// time first. One that shares several subjects is yielded once.
func (x *Index[T]) Near(a *Alert[T]) iter.Seq[*Alert[T]] {
	return func(yield func(*Alert[T]) bool) {
		seen := map[alert.ID]bool{}
		for _, subject := range a.subjects() {
			for other := range outward(x.bySubject[subject], a.Accepted) {
				if seen[other.ID] || !a.alike(other) {
					continue
				}
				seen[other.ID] = true
				if !yield(other) {
					return
				}
			}
		}
	}
}

// outward yields those that were accepted within reach of at, the nearest first.
func outward[T any](sorted []*Alert[T], at time.Time) iter.Seq[*Alert[T]] {
	return func(yield func(*Alert[T]) bool) {
		after, _ := slices.BinarySearchFunc(sorted, at, func(a *Alert[T], at time.Time) int { return a.Accepted.Compare(at) })
		before := after - 1
		for {
			var next *Alert[T]
			switch {
			case before < 0 && after >= len(sorted):
				return
			case before < 0 || after < len(sorted) && sorted[after].Accepted.Sub(at) <= at.Sub(sorted[before].Accepted):
				next, after = sorted[after], after+1
			default:
				next, before = sorted[before], before-1
			}
			if next.Accepted.Sub(at).Abs() > Within || !yield(next) {
				return
			}
		}
	}
}
