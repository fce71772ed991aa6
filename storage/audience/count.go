package audience

import (
	"cmp"
	"slices"

	"github.com/RoaringBitmap/roaring/v2"
)

// Count is how many members have one kind, or are in one place.
type Count struct {
	Name string // the kind, or the place's path
	N    uint64 // never 0
}

// Counts breaks a set of members down. The numbers of each list add up to Total.
type Counts struct {
	Total   uint64
	ByKind  []Count // sorted by name
	ByPlace []Count // sorted by path
}

// Count breaks down the members of bm by kind, and by place at the given depth: 1
// is the district, 0 is no places. Whoever is in a place above that depth counts
// there. Ordinals that are no members are left out.
func (x *Index) Count(bm *roaring.Bitmap, depth int) Counts {
	x.mu.RLock()
	defer x.mu.RUnlock()
	return Counts{
		Total:   x.all.AndCardinality(bm),
		ByKind:  x.countKinds(bm),
		ByPlace: x.countPlaces(bm, depth),
	}
}

func (x *Index) countKinds(bm *roaring.Bitmap) []Count {
	var counts []Count
	for key, s := range x.profiles.dims {
		if key.what == dimKind {
			counts = appendCount(counts, key.name, s.countIn(bm))
		}
	}
	return sorted(counts)
}

// A bitmap of a place is compared in about 2 µs, a member is looked up in 20 ns.
const membersPerPlace = 100

// countPlaces compares bitmaps when there are few places, and else looks at each
// member.
func (x *Index) countPlaces(bm *roaring.Bitmap, depth int) []Count {
	if depth < 1 {
		return nil
	}
	var counts []Count
	if uint64(len(x.tree.byPath))*membersPerPlace > bm.GetCardinality() && depth > 1 {
		return x.tallyPlaces(bm, depth)
	}
	for path, at := range x.tree.byPath {
		n := &x.tree.nodes[at]
		switch d := path.Depth(); {
		case d == depth:
			counts = appendCount(counts, string(path), n.everyone().countIn(bm))
		case d < depth:
			counts = appendCount(counts, string(path), n.in.countIn(bm))
		}
	}
	return sorted(counts)
}

// tallyPlaces counts member by member.
func (x *Index) tallyPlaces(bm *roaring.Bitmap, depth int) []Count {
	in := map[uint32]uint64{}
	bm.Iterate(func(ord uint32) bool {
		if r := x.records.find(ord); r != nil {
			in[r.place]++
		}
		return true
	})
	byPath := map[Path]uint64{}
	for at, n := range in {
		byPath[x.tree.nodes[at].path.Cut(depth)] += n
	}
	var counts []Count
	for path, n := range byPath {
		counts = append(counts, Count{string(path), n})
	}
	return sorted(counts)
}

func appendCount(counts []Count, name string, n uint64) []Count {
	if n == 0 {
		return counts
	}
	return append(counts, Count{name, n})
}

func sorted(counts []Count) []Count {
	slices.SortFunc(counts, func(a, b Count) int { return cmp.Compare(a.Name, b.Name) })
	return counts
}
