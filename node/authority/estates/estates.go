// Package estates says how much of a district an alert addresses where whoever manages one estate can make as many
// members and blocks there as they like: each estate counts alike. It imports counts of an audience, and nothing of node.
package estates

import (
	"almenara/storage/audience"
	"almenara/storage/audience/lookup"
)

// Share is the mean share of the blocks of an estate that are addressed, in percent, rounded up; 0 where there are
// fewer estates than few.
func Share(some, all []lookup.Count, few int) uint64 {
	estates := func(blocks []lookup.Count) map[audience.Path]uint64 {
		of := map[audience.Path]uint64{}
		for _, b := range blocks {
			of[audience.Path(b.Name).Cut(audience.EstateDepth)]++
		}
		return of
	}
	part, whole := estates(some), estates(all)
	if len(whole) < few {
		return 0
	}
	const hundredth = 100 // of a percent
	sum := uint64(0)
	for estate, n := range whole {
		sum += part[estate] * 100 * hundredth / n
	}
	each := hundredth * uint64(len(whole))
	return (sum + each - 1) / each
}
