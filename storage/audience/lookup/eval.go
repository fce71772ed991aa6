package lookup

import (
	"strings"

	"github.com/RoaringBitmap/roaring/v2"

	"almenara/storage/audience"
	"almenara/storage/audience/lookup/sets"
	"almenara/storage/coded"
)

// errNoSelection refuses the zero Selection: it is no way to say everybody.
var errNoSelection = coded.New("selection-none", "no selection is given")

// Select returns the members that the selection means. The zero Selection is
// refused.
func (x *Index) Select(s audience.Selection) (*roaring.Bitmap, error) {
	if s.IsZero() {
		return nil, errNoSelection
	}
	x.mu.RLock()
	defer x.mu.RUnlock()
	bm, own := x.eval(s.Root())
	if !own {
		bm = bm.Clone()
	}
	return bm, nil
}

// eval returns the members of a node, and whether the bitmap is the caller's to
// modify: terms hand out the index's own.
func (x *Index) eval(n audience.Node) (bm *roaring.Bitmap, own bool) {
	switch n.Op {
	case audience.OpAnd:
		return x.evalAnd(n.Kids), true
	case audience.OpOr:
		parts := make([]*roaring.Bitmap, len(n.Kids))
		for i, kid := range n.Kids {
			parts[i], _ = x.eval(kid)
		}
		return roaring.FastOr(parts...), true
	case audience.OpNot:
		bm, _ := x.eval(n.Kids[0])
		return roaring.AndNot(x.all, bm), true
	case audience.OpAll:
		return x.all, false
	}
	return x.evalTerm(n)
}

// evalAnd takes away for "not" instead of building the opposite.
func (x *Index) evalAnd(kids []audience.Node) *roaring.Bitmap {
	var result *roaring.Bitmap
	for _, kid := range kids {
		if kid.Op == audience.OpNot {
			continue
		}
		bm, own := x.eval(kid)
		switch {
		case result != nil:
			result.And(bm)
		case own:
			result = bm
		default:
			result = bm.Clone()
		}
	}
	if result == nil {
		result = x.all.Clone()
	}
	for _, kid := range kids {
		if kid.Op == audience.OpNot {
			bm, _ := x.eval(kid.Kids[0])
			result.AndNot(bm)
		}
	}
	return result
}

// evalTerm joins the sets of the term's values.
func (x *Index) evalTerm(n audience.Node) (bm *roaring.Bitmap, own bool) {
	parts := x.termSets(n)
	if len(parts) == 1 && parts[0].Bits() != nil {
		return parts[0].Bits(), false
	}
	var joined sets.Union
	for _, s := range parts {
		joined.Add(s)
	}
	return joined.Bitmap(), true
}

// termSets lists the sets whose union the term means.
func (x *Index) termSets(n audience.Node) []*sets.Set {
	if n.Op == audience.OpHas {
		return []*sets.Set{x.profiles.dim(dimHas, n.Tag, "")}
	}
	var parts []*sets.Set
	if n.Op == audience.OpLanguage {
		parts = append(parts, x.profiles.dim(dimAnyLanguage, "", ""))
	}
	for _, value := range n.Values {
		parts = append(parts, x.valueSet(n, value))
	}
	return parts
}

func (x *Index) valueSet(n audience.Node, value string) *sets.Set {
	switch n.Op {
	case audience.OpPlaceUnder:
		return x.tree.lookup(audience.Path(value)).everyone()
	case audience.OpPlace:
		return &x.tree.lookup(audience.Path(value)).in
	case audience.OpKind:
		return x.profiles.dim(dimKind, value, "")
	case audience.OpLanguage:
		return x.profiles.dim(dimLanguage, strings.ToLower(value), "")
	case audience.OpTag:
		return x.profiles.dim(dimTag, n.Tag, value)
	}
	var found sets.Set
	if ord, ok := x.ids.find(value); ok {
		found.Add(ord)
	}
	return &found
}

// has evaluates the node for one member, without building bitmaps.
func (x *Index) has(n audience.Node, ord uint32) bool {
	switch n.Op {
	case audience.OpAnd:
		for _, kid := range n.Kids {
			if !x.has(kid, ord) {
				return false
			}
		}
		return true
	case audience.OpOr:
		for _, kid := range n.Kids {
			if x.has(kid, ord) {
				return true
			}
		}
		return false
	case audience.OpNot:
		return !x.has(n.Kids[0], ord)
	case audience.OpAll:
		return true
	}
	for _, s := range x.termSets(n) {
		if s.Contains(ord) {
			return true
		}
	}
	return false
}
