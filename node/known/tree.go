package known

import (
	"maps"
	"slices"

	"github.com/RoaringBitmap/roaring/v2"

	"almenara/storage/audience"
	"almenara/storage/audience/lookup"
)

// Tree is the places of the district; *lookup.Index is one.
type Tree interface {
	Place(audience.Path) (audience.Place, bool)
	Under(audience.Path) *roaring.Bitmap
}

// Has reports whether a place is known: it has details, or members are at it or below it.
func Has(in Tree, path audience.Path) bool {
	_, described := in.Place(path)
	return path != "" && (described || !in.Under(path).IsEmpty())
}

// Paths are the places that Has reports, in no order; those of members alone down to the depth.
func Paths(in *lookup.Index, depth int) []audience.Path {
	all := map[audience.Path]bool{}
	for _, p := range in.Places() {
		all[p.Path] = true
	}
	for _, c := range in.Count(in.Ordinals(), depth).ByPlace {
		for p := audience.Path(c.Name); p != "" && !all[p]; p = p.Parent() {
			all[p] = true
		}
	}
	return slices.Collect(maps.Keys(all))
}
