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

// union gathers sets and joins them at once, which is several times cheaper than
// one after the other.
type union struct {
	many []*roaring.Bitmap
	few  []uint32
}

func (u *union) add(s *set) {
	if s.bits != nil {
		u.many = append(u.many, s.bits)
	} else {
		u.few = append(u.few, s.few...)
	}
}

// bitmap is the union as a bitmap of its own.
func (u *union) bitmap() *roaring.Bitmap {
	slices.Sort(u.few)
	few := roaring.BitmapOf(u.few...)
	if len(u.many) == 0 {
		return few
	}
	return roaring.FastOr(append(u.many, few)...)
}
