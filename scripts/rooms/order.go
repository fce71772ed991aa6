package main

import (
	"maps"
	"slices"
)

// order puts files in an order in which users come before what they use, with few
// references that run back up.
func order(uses map[string]map[string]bool) []string {
	left := map[string]bool{}
	for from, tos := range uses {
		left[from] = true
		for to := range tos {
			left[to] = true
		}
	}
	var first, last []string
	for len(left) > 0 {
		names := slices.Sorted(maps.Keys(left))
		out, in := degrees(uses, left)
		best := ""
		for _, f := range names {
			switch {
			case out[f] == 0: // uses nothing that is left
				last, best = append(last, f), f
			case in[f] == 0: // nothing that is left uses it
				first, best = append(first, f), f
			default:
				continue
			}
			break
		}
		if best == "" {
			best = slices.MaxFunc(names, func(a, b string) int { return (out[a] - in[a]) - (out[b] - in[b]) })
			first = append(first, best)
		}
		delete(left, best)
	}
	slices.Reverse(last)
	return append(first, last...)
}

// degrees counts the references among the files that are left.
func degrees(uses map[string]map[string]bool, left map[string]bool) (out, in map[string]int) {
	out, in = map[string]int{}, map[string]int{}
	for from := range left {
		for to := range uses[from] {
			if left[to] {
				out[from]++
				in[to]++
			}
		}
	}
	return out, in
}
