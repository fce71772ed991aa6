// Package fair cuts a list so that one group hides no other one. It imports nothing of ours.
package fair

import (
	"cmp"
	"slices"
)

// Group is what may have too much: of one rank, what came from one block.
type Group struct {
	Rank  int
	Block string
}

// Cut is the most important of a list that has the most important first: of one rank so many of each block that a
// block from which very much comes hides no other one. The order stays.
func Cut[T any](all []T, most int, of func(T) Group) []T {
	if len(all) <= most {
		return all
	}
	before := map[Group]int{} // how many of the group come before
	type place struct{ at, rank, nth int }
	var places []place
	for i, one := range all {
		g := of(one)
		places = append(places, place{i, g.Rank, before[g]})
		before[g]++
	}
	slices.SortStableFunc(places, func(a, b place) int { return cmp.Or(cmp.Compare(a.rank, b.rank), cmp.Compare(a.nth, b.nth)) })
	places = places[:most]
	slices.SortFunc(places, func(a, b place) int { return cmp.Compare(a.at, b.at) })
	out := make([]T, 0, most)
	for _, p := range places {
		out = append(out, all[p.at])
	}
	return out
}
