package lookup

import (
	"slices"

	"github.com/RoaringBitmap/roaring/v2"

	"almenara/storage/audience"
	"almenara/storage/audience/geometry"
	"almenara/storage/audience/lookup/sets"
)

// Resolution is whom a target reaches.
type Resolution struct {
	Members   *roaring.Bitmap // the caller's own
	Unlocated uint64          // members within every other limit that no shape can reach: neither they nor their place have a position
}

// Resolve returns whom the target reaches now. It returns ErrNoArea when the
// target has neither an area nor a selection, and a *SyntaxError when its selection
// is not one; it never takes a target for wider than it says.
func (x *Index) Resolve(t audience.Target) (Resolution, error) {
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
	missed := x.nowhere.Shared().Clone()
	missed.And(within)
	missed.AndNot(named)
	within.And(roaring.Or(named, x.inShapes(t.Shapes)))
	return Resolution{Members: within, Unlocated: missed.GetCardinality()}, nil
}

// limitOf checks that the target says whom it means, and reads its selection.
func limitOf(t audience.Target) (audience.Selection, error) {
	if t.Area && len(t.Shapes) == 0 && len(t.Geocodes) == 0 || !t.Area && t.Select == "" {
		return audience.Selection{}, audience.ErrNoArea
	}
	if t.Select == "" {
		return audience.Selection{}, nil
	}
	return audience.ParseCanonical(t.Select)
}

// within returns the members inside every limit but the area.
func (x *Index) within(t audience.Target, limit audience.Selection) *roaring.Bitmap {
	bm, own := x.all, false
	if !limit.IsZero() {
		bm, own = x.eval(limit.Root())
	}
	if !own {
		bm = bm.Clone()
	}
	if t.Private {
		bm.And(x.profiles.private().Bitmap())
	}
	if len(t.Addresses) > 0 {
		var named sets.Union
		for _, address := range t.Addresses {
			if ord, ok := x.ids.find(address); ok {
				named.Take(ord)
			}
			x.held.holders(address, &named)
		}
		bm.And(named.Bitmap())
	}
	return bm
}

// private gathers the members whose kind is not public.
func (p *profiles) private() *sets.Union {
	var u sets.Union
	for _, kind := range []audience.Kind{audience.KindPhone, audience.KindPerson} {
		u.Add(p.dim(dimKind, string(kind), ""))
	}
	return &u
}

// named returns the members below the places that the geocodes name.
func (x *Index) named(t audience.Target) *roaring.Bitmap {
	var u sets.Union
	for _, code := range t.Geocodes {
		for _, at := range x.tree.geocodes[code] {
			u.Add(x.tree.nodes[at].everyone())
		}
	}
	return u.Bitmap()
}

// inShapes returns the members whose point lies in a shape, and those of places
// whose outline a shape overlaps.
func (x *Index) inShapes(shapes []geometry.Polygon) *roaring.Bitmap {
	u := sets.NewUnion(x.all)
	rings := geometry.NewRings(shapes)
	for i := range rings {
		x.grid.Within(&rings[i], u)
	}
	for place := range x.shaped {
		if overlap(rings, x.tree.nodes[place].rings) {
			u.Add(&x.tree.nodes[place].shaped)
		}
	}
	return u.Bitmap()
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
func (x *Index) Matches(t audience.Target, ord uint32) bool {
	limit, err := limitOf(t)
	if err != nil {
		return false
	}
	x.mu.RLock()
	defer x.mu.RUnlock()
	r := x.records.find(ord)
	if r == nil || !limit.IsZero() && !x.has(limit.Root(), ord) {
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
func (x *Index) isNamed(t audience.Target, place uint32) bool {
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
