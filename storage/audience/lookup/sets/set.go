// Package sets holds sets of ordinals that are small where they have few members, and the union of
// many of them. It knows nothing of members and imports nothing of ours.
package sets

import (
	"slices"

	"github.com/RoaringBitmap/roaring/v2"
)

// fewMembers is how many ordinals a set keeps in a plain slice. A roaring bitmap
// with one member in it weighs about 200 bytes; a floor of a block has a handful.
const fewMembers = 24

// Set is a set of ordinals: a sorted slice while small, a bitmap from then on.
// The zero value is empty.
type Set struct {
	few  []uint32
	bits *roaring.Bitmap
}

// Add puts the ordinal into the set.
func (s *Set) Add(ord uint32) {
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

// Remove takes the ordinal out; one that is not there is left alone.
func (s *Set) Remove(ord uint32) {
	if s.bits != nil {
		s.bits.Remove(ord)
		return
	}
	if at, found := slices.BinarySearch(s.few, ord); found {
		s.few = slices.Delete(s.few, at, at+1)
	}
}

// Contains reports whether the ordinal is in the set.
func (s *Set) Contains(ord uint32) bool {
	if s.bits != nil {
		return s.bits.Contains(ord)
	}
	_, found := slices.BinarySearch(s.few, ord)
	return found
}

// Empty reports a set without members.
func (s *Set) Empty() bool {
	return len(s.few) == 0 && (s.bits == nil || s.bits.IsEmpty())
}

// Bits is the bitmap of a large set, which must not be modified; nil for a small one.
func (s *Set) Bits() *roaring.Bitmap { return s.bits }

// Clone is an independent copy.
func (s *Set) Clone() Set {
	if s.bits != nil {
		return Set{bits: s.bits.Clone()}
	}
	return Set{few: slices.Clone(s.few)}
}

// Shared is the set as a bitmap that must not be modified.
func (s *Set) Shared() *roaring.Bitmap {
	if s.bits != nil {
		return s.bits
	}
	return roaring.BitmapOf(s.few...)
}

// CountIn is the number of members that are also in bm.
func (s *Set) CountIn(bm *roaring.Bitmap) uint64 {
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

// Union gathers sets and ordinals and joins them at once, which is several times
// cheaper than one after the other.
type Union struct {
	many  []*roaring.Bitmap
	few   []uint32
	dense []uint64 // when made, takes the ordinals that it has room for as plain bits
}

// MaxDense bounds plain bits to 2 MiB. Ordinals are dense: only a district that
// has had 16 million members has higher ones.
const MaxDense = 1 << 24

// NewUnion makes a union for many ordinals up to the highest of all.
func NewUnion(all *roaring.Bitmap) *Union {
	u := &Union{}
	if !all.IsEmpty() {
		u.dense = make([]uint64, min(all.Maximum(), MaxDense)/64+1)
	}
	return u
}

// Add adds all of a set, which must not change before Bitmap.
func (u *Union) Add(s *Set) {
	if s.bits != nil {
		u.many = append(u.many, s.bits)
		return
	}
	for _, ord := range s.few {
		u.Take(ord)
	}
}

// Take adds one ordinal.
func (u *Union) Take(ord uint32) {
	if at := int(ord / 64); at < len(u.dense) {
		u.dense[at] |= 1 << (ord % 64)
	} else {
		u.few = append(u.few, ord)
	}
}

// Bitmap is the union as a bitmap of its own. The union is spent.
func (u *Union) Bitmap() *roaring.Bitmap {
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
