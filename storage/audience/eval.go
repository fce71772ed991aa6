package audience

import (
	"errors"
	"strings"

	"github.com/RoaringBitmap/roaring/v2"
)

// errNoSelection refuses the zero Selection: it is no way to say everybody.
var errNoSelection = errors.New("no selection is given")

// Select returns the members that the selection means. The zero Selection is
// refused.
func (x *Index) Select(s Selection) (*roaring.Bitmap, error) {
	if s.IsZero() {
		return nil, errNoSelection
	}
	x.mu.RLock()
	defer x.mu.RUnlock()
	bm, own := x.eval(s.root)
	if !own {
		bm = bm.Clone()
	}
	return bm, nil
}

// eval returns the members of a node, and whether the bitmap is the caller's to
// modify: terms hand out the index's own.
func (x *Index) eval(n node) (bm *roaring.Bitmap, own bool) {
	switch n.op {
	case opAnd:
		return x.evalAnd(n.kids), true
	case opOr:
		parts := make([]*roaring.Bitmap, len(n.kids))
		for i, kid := range n.kids {
			parts[i], _ = x.eval(kid)
		}
		return roaring.FastOr(parts...), true
	case opNot:
		bm, _ := x.eval(n.kids[0])
		return roaring.AndNot(x.all, bm), true
	case opAll:
		return x.all, false
	}
	return x.evalTerm(n)
}

// evalAnd takes away for "not" instead of building the opposite.
func (x *Index) evalAnd(kids []node) *roaring.Bitmap {
	var result *roaring.Bitmap
	for _, kid := range kids {
		if kid.op == opNot {
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
		if kid.op == opNot {
			bm, _ := x.eval(kid.kids[0])
			result.AndNot(bm)
		}
	}
	return result
}

// evalTerm joins the sets of the term's values.
func (x *Index) evalTerm(n node) (bm *roaring.Bitmap, own bool) {
	sets := x.termSets(n)
	if len(sets) == 1 && sets[0].bits != nil {
		return sets[0].bits, false
	}
	var joined union
	for _, s := range sets {
		joined.add(s)
	}
	return joined.bitmap(), true
}

// termSets lists the sets whose union the term means.
func (x *Index) termSets(n node) []*set {
	if n.op == opHas {
		return []*set{x.profiles.dim(dimHas, n.tag, "")}
	}
	var sets []*set
	if n.op == opLanguage {
		sets = append(sets, x.profiles.dim(dimAnyLanguage, "", ""))
	}
	for _, value := range n.values {
		sets = append(sets, x.valueSet(n, value))
	}
	return sets
}

func (x *Index) valueSet(n node, value string) *set {
	switch n.op {
	case opPlaceUnder:
		return x.tree.lookup(Path(value)).everyone()
	case opPlace:
		return &x.tree.lookup(Path(value)).in
	case opKind:
		return x.profiles.dim(dimKind, value, "")
	case opLanguage:
		return x.profiles.dim(dimLanguage, strings.ToLower(value), "")
	case opTag:
		return x.profiles.dim(dimTag, n.tag, value)
	}
	var found set
	if ord, ok := x.ids.find(value); ok {
		found.add(ord)
	}
	return &found
}

// has evaluates the node for one member, without building bitmaps.
func (x *Index) has(n node, ord uint32) bool {
	switch n.op {
	case opAnd:
		for _, kid := range n.kids {
			if !x.has(kid, ord) {
				return false
			}
		}
		return true
	case opOr:
		for _, kid := range n.kids {
			if x.has(kid, ord) {
				return true
			}
		}
		return false
	case opNot:
		return !x.has(n.kids[0], ord)
	case opAll:
		return true
	}
	for _, s := range x.termSets(n) {
		if s.contains(ord) {
			return true
		}
	}
	return false
}
