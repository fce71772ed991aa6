package channels

import (
	"slices"

	"github.com/RoaringBitmap/roaring/v2"
)

// Places divides the members into groups that share a manifest. It is immutable and may
// be used from any goroutine. The nil Places is one group, of everybody.
type Places struct {
	groups  []*roaring.Bitmap
	members *roaring.Bitmap    // of all groups
	of      []*[1 << 16]uint32 // the group of each member; by its upper, then its lower half
}

// NewPlaces makes groups 1 to len(groups), and group 0 of whoever is in none of them. The
// groups must be disjoint, and are not modified afterwards.
func NewPlaces(groups []*roaring.Bitmap) *Places {
	p := &Places{groups: groups, members: roaring.FastOr(groups...)}
	if p.members.IsEmpty() {
		return p
	}
	p.of = make([]*[1 << 16]uint32, p.members.Maximum()>>16+1)
	for i, group := range groups {
		group.Iterate(func(member uint32) bool {
			chunk := &p.of[member>>16]
			if *chunk == nil {
				*chunk = new([1 << 16]uint32)
			}
			(*chunk)[member&0xFFFF] = uint32(i + 1)
			return true
		})
	}
	return p
}

// Len is the number of groups, at least 1.
func (p *Places) Len() int {
	if p == nil {
		return 1
	}
	return len(p.groups) + 1
}

// Of is the group of a member.
func (p *Places) Of(member uint32) int {
	if p == nil || int(member>>16) >= len(p.of) || p.of[member>>16] == nil {
		return 0
	}
	return int(p.of[member>>16][member&0xFFFF])
}

// Same reports whether NewPlaces(groups) would say the same of everybody.
func (p *Places) Same(groups []*roaring.Bitmap) bool {
	return p != nil && slices.EqualFunc(p.groups, groups, func(a, b *roaring.Bitmap) bool { return a == b || a.Equals(b) })
}

// Touching lists the groups that have any of the members, ascending: none for nobody.
func (p *Places) Touching(members *roaring.Bitmap) []int32 {
	touching := []int32{}
	switch {
	case members.IsEmpty():
		return touching
	case p == nil:
		return append(touching, 0)
	case members.GetCardinality() < uint64(len(p.groups)):
		for it := members.Iterator(); it.HasNext(); {
			touching = append(touching, int32(p.Of(it.Next())))
		}
		slices.Sort(touching)
		return slices.Compact(touching)
	}
	if members.GetCardinality() > members.AndCardinality(p.members) {
		touching = append(touching, 0)
	}
	for i, group := range p.groups {
		if group.Intersects(members) {
			touching = append(touching, int32(i+1))
		}
	}
	return touching
}
