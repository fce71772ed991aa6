package audience

import (
	"slices"

	"github.com/RoaringBitmap/roaring/v2"
)

// fewMembers is how many ordinals a set keeps in a plain slice. A roaring bitmap
// with one member in it weighs about 200 bytes; a floor of a block has a handful.
const fewMembers = 24

// set is a set of ordinals: a sorted slice while small, a bitmap from then on.
// The zero value is empty.
type set struct {
	few  []uint32
	bits *roaring.Bitmap
}

func (s *set) add(ord uint32) {
	if s.bits != nil {
		s.bits.Add(ord)
		return
	}
	at, found := slices.BinarySearch(s.few, ord)
	if found {
		return
	}
	if len(s.few) < fewMembers {
		s.few = slices.Insert(s.few, at, ord)
		return
	}
	s.bits = roaring.BitmapOf(s.few...)
	s.bits.Add(ord)
	s.few = nil
}

func (s *set) remove(ord uint32) {
	if s.bits != nil {
		s.bits.Remove(ord)
		return
	}
	if at, found := slices.BinarySearch(s.few, ord); found {
		s.few = slices.Delete(s.few, at, at+1)
	}
}

func (s *set) contains(ord uint32) bool {
	if s.bits != nil {
		return s.bits.Contains(ord)
	}
	_, found := slices.BinarySearch(s.few, ord)
	return found
}

func (s *set) empty() bool {
	return len(s.few) == 0 && (s.bits == nil || s.bits.IsEmpty())
}

// clone is an independent copy.
func (s *set) clone() set {
	if s.bits != nil {
		return set{bits: s.bits.Clone()}
	}
	return set{few: slices.Clone(s.few)}
}

// shared is the set as a bitmap that must not be modified.
func (s *set) shared() *roaring.Bitmap {
	if s.bits != nil {
		return s.bits
	}
	return roaring.BitmapOf(s.few...)
}

// countIn is the number of members that are also in bm.
func (s *set) countIn(bm *roaring.Bitmap) uint64 {
	if s.bits != nil {
		return s.bits.AndCardinality(bm)
	}
	n := uint64(0)
	for _, ord := range s.few {
		if bm.Contains(ord) {
			n++
		}
	}
	return n
}

// union gathers sets and ordinals and joins them at once, which is several times
// cheaper than one after the other.
type union struct {
	many  []*roaring.Bitmap
	few   []uint32
	dense []uint64 // when made, takes the ordinals that it has room for as plain bits
}

// maxDense bounds plain bits to 2 MiB. Ordinals are dense: only a district that
// has had 16 million members has higher ones.
const maxDense = 1 << 24

// newUnion makes a union for many ordinals up to the highest of all.
func newUnion(all *roaring.Bitmap) *union {
	u := &union{}
	if !all.IsEmpty() {
		u.dense = make([]uint64, min(all.Maximum(), maxDense)/64+1)
	}
	return u
}

func (u *union) add(s *set) {
	if s.bits != nil {
		u.many = append(u.many, s.bits)
		return
	}
	for _, ord := range s.few {
		u.take(ord)
	}
}

// take adds one ordinal.
func (u *union) take(ord uint32) {
	if at := int(ord / 64); at < len(u.dense) {
		u.dense[at] |= 1 << (ord % 64)
	} else {
		u.few = append(u.few, ord)
	}
}

// bitmap is the union as a bitmap of its own. The union is spent.
func (u *union) bitmap() *roaring.Bitmap {
	slices.Sort(u.few)
	joined := roaring.BitmapOf(u.few...)
	if u.dense != nil {
		joined.Or(roaring.FromDense(u.dense, false))
	}
	if len(u.many) == 0 {
		return joined
	}
	return roaring.FastOr(append(u.many, joined)...)
}
