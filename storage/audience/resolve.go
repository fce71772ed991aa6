package audience

import (
	"errors"
	"slices"

	"github.com/RoaringBitmap/roaring/v2"

	"almenara/storage/audience/geometry"
)

// Resolution is whom a target reaches.
type Resolution struct {
	Members   *roaring.Bitmap // the caller's own
	Unlocated uint64          // members within every other limit that no shape can reach: neither they nor their place have a position
}

// Resolve returns whom the target reaches now. It returns ErrNoArea when the
// target has neither an area nor a selection, and a *SyntaxError when its selection
// is not one; it never takes a target for wider than it says.
func (x *Index) Resolve(t Target) (Resolution, error) {
	limit, err := limitOf(t)
	if err != nil {
		return Resolution{}, err
	}
	x.mu.RLock()
	defer x.mu.RUnlock()
	within := x.within(t, limit)
	if !t.Area {
		return Resolution{Members: within}, nil
	}
	named := x.named(t)
	if len(t.Shapes) == 0 {
		named.And(within)
		return Resolution{Members: named}, nil
	}
	missed := x.nowhere.shared().Clone()
	missed.And(within)
	missed.AndNot(named)
	within.And(roaring.Or(named, x.inShapes(t.Shapes)))
	return Resolution{Members: within, Unlocated: missed.GetCardinality()}, nil
}

// limitOf checks that the target says whom it means, and reads its selection.
func limitOf(t Target) (Selection, error) {
	if t.Area && len(t.Shapes) == 0 && len(t.Geocodes) == 0 || !t.Area && t.Select == "" {
		return Selection{}, ErrNoArea
	}
	if t.Select == "" {
		return Selection{}, nil
	}
	return parseCanonical(t.Select)
}

// within returns the members inside every limit but the area.
func (x *Index) within(t Target, limit Selection) *roaring.Bitmap {
	bm, own := x.all, false
	if !limit.IsZero() {
		bm, own = x.eval(limit.root)
	}
	if !own {
		bm = bm.Clone()
	}
	if t.Private {
		bm.And(x.private().bitmap())
	}
	if len(t.Addresses) > 0 {
		var named union
		for _, address := range t.Addresses {
			x.holders(address, &named)
		}
		bm.And(named.bitmap())
	}
	return bm
}

// private gathers the members whose kind is not public.
func (x *Index) private() *union {
	var u union
	for _, kind := range []Kind{KindPhone, KindPerson} {
		u.add(x.profiles.dim(dimKind, string(kind), ""))
	}
	return &u
}

// named returns the members below the places that the geocodes name.
func (x *Index) named(t Target) *roaring.Bitmap {
	var u union
	for _, code := range t.Geocodes {
		for _, at := range x.tree.geocodes[code] {
			u.add(x.tree.nodes[at].everyone())
		}
	}
	return u.bitmap()
}

// inShapes returns the members whose point lies in a shape, and those of places
// whose outline a shape overlaps.
func (x *Index) inShapes(shapes []geometry.Polygon) *roaring.Bitmap {
	u := newUnion(x.all)
	rings := geometry.NewRings(shapes)
	for i := range rings {
		x.grid.within(&rings[i], u)
	}
	for place := range x.shaped {
		if overlap(rings, x.tree.nodes[place].rings) {
			u.add(&x.tree.nodes[place].shaped)
		}
	}
	return u.bitmap()
}

func overlap(a, b []geometry.Ring) bool {
	for i := range a {
		for j := range b {
			if a[i].Overlaps(&b[j]) {
				return true
			}
		}
	}
	return false
}

// Matches reports whether the target reaches the member: the same answer as
// Resolve, for one who joins while the alert is in force. A target that Resolve
// refuses reaches nobody.
func (x *Index) Matches(t Target, ord uint32) bool {
	limit, err := limitOf(t)
	if err != nil {
		return false
	}
	x.mu.RLock()
	defer x.mu.RUnlock()
	r := x.records.find(ord)
	if r == nil || !limit.IsZero() && !x.has(limit.root, ord) {
		return false
	}
	if t.Private && x.profiles.items[r.profile].kind.Public() {
		return false
	}
	addressed := func(address string) bool { return r.id() == address || r.hasAddress(address) }
	if len(t.Addresses) > 0 && !slices.ContainsFunc(t.Addresses, addressed) {
		return false
	}
	return !t.Area || x.isNamed(t, x.records.place(ord)) || x.isInShapes(t.Shapes, r)
}

// isNamed reports whether a geocode names the place or one above it.
func (x *Index) isNamed(t Target, place uint32) bool {
	for _, code := range t.Geocodes {
		for at := place; at != 0; at = x.tree.nodes[at].parent {
			if slices.Contains(x.tree.geocodes[code], at) {
				return true
			}
		}
	}
	return false
}

func (x *Index) isInShapes(shapes []geometry.Polygon, r *record) bool {
	switch r.how {
	case itsOwn, atPlace:
		return slices.ContainsFunc(shapes, func(p geometry.Polygon) bool { return p.Contains(r.at) })
	case inShape:
		return overlap(geometry.NewRings(shapes), x.tree.nodes[r.anchor].rings)
	}
	return false
}

// ErrNoArea refuses a target that says neither where nor who: no area, or areas
// that only have a description, and no selection.
var ErrNoArea = errors.New("the alert names no area: a polygon, a circle, a geocode or a selection is expected")
