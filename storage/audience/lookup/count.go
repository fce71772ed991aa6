package lookup

import (
	"cmp"
	"math/bits"
	"slices"

	"github.com/RoaringBitmap/roaring/v2"

	"almenara/storage/audience"
	"almenara/storage/audience/lookup/sets"
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
		ByKind:  x.profiles.countKinds(bm),
		ByPlace: x.countPlaces(bm, depth),
	}
}

func (p *profiles) countKinds(bm *roaring.Bitmap) []Count {
	var counts []Count
	for key, s := range p.dims {
		if key.what == dimKind {
			counts = appendCount(counts, key.name, s.CountIn(bm))
		}
	}
	return sorted(counts)
}

// Cost in nanoseconds, to choose how to count: by comparing the bitmap of each
// place, or by looking each member up.
const (
	placeCost  = 2_000
	memberCost = 4
)

func (x *Index) countPlaces(bm *roaring.Bitmap, depth int) []Count {
	switch {
	case depth < 1:
		return nil
	case depth == 1:
		return x.countDistricts(bm)
	case uint64(len(x.tree.byPath))*placeCost > bm.GetCardinality()*memberCost:
		return x.tallyPlaces(bm, depth)
	}
	return x.tree.comparePlaces(bm, depth)
}

// comparePlaces counts place by place.
func (t *tree) comparePlaces(bm *roaring.Bitmap, depth int) []Count {
	var counts []Count
	for path, at := range t.byPath {
		n := &t.nodes[at]
		switch d := path.Depth(); {
		case d == depth:
			counts = appendCount(counts, string(path), n.everyone().CountIn(bm))
		case d < depth:
			counts = appendCount(counts, string(path), n.in.CountIn(bm))
		}
	}
	return sorted(counts)
}

// tallyPlaces counts member by member.
func (x *Index) tallyPlaces(bm *roaring.Bitmap, depth int) []Count {
	in := make([]uint64, len(x.tree.nodes))
	ords := make([]uint32, 4096)
	for it := bm.ManyIterator(); ; {
		n := it.NextMany(ords)
		if n == 0 {
			break
		}
		for _, ord := range ords[:n] {
			in[x.records.place(ord)]++
		}
	}
	byPath := map[audience.Path]uint64{}
	for at, n := range in[1:] {
		if n > 0 {
			byPath[x.tree.nodes[at+1].path.Cut(depth)] += n
		}
	}
	var counts []Count
	for path, n := range byPath {
		counts = append(counts, Count{string(path), n})
	}
	return sorted(counts)
}

// Plain bits are compared at 64 members a step, so it pays for places that have
// at least every 64th member; there are never more than 64 of those.
const denseShare = 64

// countDistricts counts the first level: the breakdown that is always shown.
func (x *Index) countDistricts(bm *roaring.Bitmap) []Count {
	var counts []Count
	var words []uint64
	if !bm.IsEmpty() && bm.Maximum() < sets.MaxDense {
		words = bm.ToDense()
	}
	for path, at := range x.tree.byPath {
		n := &x.tree.nodes[at]
		if n.parent != 0 {
			continue
		}
		if dense := x.dense(n); words != nil && dense != nil {
			counts = appendCount(counts, string(path), commonBits(words, dense))
		} else {
			counts = appendCount(counts, string(path), n.everyone().CountIn(bm))
		}
	}
	return sorted(counts)
}

// dense returns the members under a large place as plain bits, nil for a small one.
func (x *Index) dense(n *treeNode) []uint64 {
	x.densesMu.Lock()
	defer x.densesMu.Unlock()
	bits := n.everyone().Bits()
	if n.dense == nil && bits != nil && !bits.IsEmpty() && bits.Maximum() < sets.MaxDense &&
		bits.GetCardinality()*denseShare >= uint64(x.all.Maximum()) {
		n.dense = bits.ToDense()
	}
	return n.dense
}

// commonBits counts the bits that both have.
func commonBits(a, b []uint64) uint64 {
	n := min(len(a), len(b))
	a, b, n = a[:n], b[:n], 0
	for i := range b {
		n += bits.OnesCount64(a[i] & b[i])
	}
	return uint64(n)
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
