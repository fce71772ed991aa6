// Package lookup answers who is meant: the index of all members in memory, which resolves
// selections and targets and counts whom they reach. It may never import what reads messages or
// files: areas and imports.
//
// Everything the state machine calls is integer arithmetic over what it is
// given: no clock, no randomness, no floating point, so that replicas agree.
package lookup

import (
	"cmp"
	"maps"
	"slices"
	"sync"

	"github.com/RoaringBitmap/roaring/v2"

	"almenara/storage/audience"
	"almenara/storage/audience/lookup/grid"
	"almenara/storage/audience/lookup/sets"
)

// Index answers selections and targets with sets of members. It lives in memory,
// is built anew when a node starts, and holds nothing that the members' records do
// not: equal members and places give equal answers, in whatever order they came.
//
// Any number of goroutines may use it at once. Bitmaps it returns are the
// caller's own.
type Index struct {
	densesMu sync.Mutex   // guards treeNode.dense among readers
	mu       sync.RWMutex // guards everything else
	changes  uint64       // see Generation
	all      *roaring.Bitmap
	records  records
	profiles profiles
	tree     tree
	grid     grid.Grid
	nowhere  sets.Set        // unlocated members
	shaped   map[uint32]bool // the places, in tree, that members are judged by the Shape of
	ids      table
	held     addresses
}

// New returns an empty index.
func New() *Index {
	x := &Index{
		all:      roaring.New(),
		profiles: newProfiles(),
		tree:     newTree(),
		grid:     grid.New(),
		shaped:   map[uint32]bool{},
	}
	x.ids = newTable(func(ord uint32, text string) bool { return x.records.find(ord).id() == text })
	x.held = newAddresses(func(ord uint32, text string) bool { return x.records.find(ord).hasAddress(text) })
	return x
}

// Put inserts the member under the ordinal, or replaces it. A member whose id had
// another ordinal loses that one. m is not kept; it should have been validated.
func (x *Index) Put(ord uint32, m *audience.Member) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.changes++
	x.remove(ord)
	if old, ok := x.ids.find(m.ID); ok {
		x.remove(old)
	}
	place := x.tree.ensure(m.Place)
	r := x.records.set(ord, record{text: packTexts(m), how: unlocated}, place)
	x.all.Add(ord)
	x.ids.insert(r.id(), ord)
	r.addresses(func(address string) { x.held.add(address, ord) })
	r.profile = x.profiles.join(ord, m)
	x.tree.join(ord, place)
	if m.Location != nil {
		r.how, r.at = itsOwn, *m.Location
	} else {
		r.how, r.at, r.anchor = x.tree.locate(place)
	}
	x.settle(ord, r)
}

// Remove takes the member out; an unknown ordinal is left alone.
func (x *Index) Remove(ord uint32) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.changes++
	x.remove(ord)
}

func (x *Index) remove(ord uint32) {
	r := x.records.find(ord)
	if r == nil {
		return
	}
	x.unsettle(ord, r)
	x.tree.leave(ord, x.records.place(ord))
	x.profiles.leave(ord, r.profile)
	r.addresses(func(address string) { x.held.drop(address, ord) })
	x.ids.remove(r.id(), ord)
	x.all.Remove(ord)
	x.records.set(ord, record{}, 0)
}

// settle puts the member where it is judged to be; unsettle undoes it.
func (x *Index) settle(ord uint32, r *record) {
	switch r.how {
	case itsOwn, atPlace:
		r.slot = x.grid.Add(ord, r.at)
	case inShape:
		x.tree.nodes[r.anchor].shaped.Add(ord)
		x.shaped[r.anchor] = true
	default:
		x.nowhere.Add(ord)
	}
}

func (x *Index) unsettle(ord uint32, r *record) {
	switch r.how {
	case itsOwn, atPlace:
		if moved := x.grid.Remove(ord, r.at, r.slot); moved != ord {
			x.records.find(moved).slot = r.slot
		}
	case inShape:
		shaped := &x.tree.nodes[r.anchor].shaped
		if shaped.Remove(ord); shaped.Empty() {
			delete(x.shaped, r.anchor)
		}
	default:
		x.nowhere.Remove(ord)
	}
}

// PutPlace sets the details of a place. Members without a Location of their own
// are judged by it from now on.
func (x *Index) PutPlace(p audience.Place) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.changes++
	x.describe(x.tree.ensure(p.Path), clonePlace(&p))
}

// RemovePlace forgets the details of a place; its members stay where they are.
func (x *Index) RemovePlace(path audience.Path) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.changes++
	if at, ok := x.tree.byPath[path]; ok {
		x.describe(at, nil)
		x.tree.prune(at)
	}
}

// describe changes a place and judges again where its members are.
func (x *Index) describe(at uint32, info *audience.Place) {
	moves := hasGeometry(x.tree.nodes[at].info) || hasGeometry(info)
	x.tree.describe(at, info)
	if !moves || x.tree.nodes[at].parent == 0 {
		return
	}
	for _, ord := range x.tree.nodes[at].everyone().Shared().ToArray() {
		r := x.records.find(ord)
		if r.how == itsOwn {
			continue
		}
		x.unsettle(ord, r)
		r.how, r.at, r.anchor = x.tree.locate(x.records.place(ord))
		x.settle(ord, r)
	}
}

func hasGeometry(p *audience.Place) bool {
	return p != nil && (p.Location != nil || len(p.Shape) > 0)
}

// Generation changes whenever any answer may have changed.
func (x *Index) Generation() uint64 {
	x.mu.RLock()
	defer x.mu.RUnlock()
	return x.changes
}

// Groups divides the members by place at the given depth, 1 being the district: disjoint
// sets, by path. Whoever is in a place above that depth is in a set of that place.
func (x *Index) Groups(depth int) []*roaring.Bitmap {
	x.mu.RLock()
	defer x.mu.RUnlock()
	byPath := map[audience.Path]*roaring.Bitmap{}
	for path, at := range x.tree.byPath {
		n := &x.tree.nodes[at]
		switch d := path.Depth(); {
		case d == depth && !n.everyone().Empty():
			byPath[path] = n.everyone().Shared().Clone()
		case d < depth && !n.in.Empty():
			byPath[path] = n.in.Shared().Clone()
		}
	}
	groups := make([]*roaring.Bitmap, 0, len(byPath))
	for _, path := range slices.Sorted(maps.Keys(byPath)) {
		groups = append(groups, byPath[path])
	}
	return groups
}

// Place returns the details of a place. They must not be modified.
func (x *Index) Place(path audience.Path) (audience.Place, bool) {
	x.mu.RLock()
	defer x.mu.RUnlock()
	info := x.tree.lookup(path).info
	if info == nil {
		return audience.Place{}, false
	}
	return *info, true
}

// Places returns all places that have details, by path. They must not be modified.
func (x *Index) Places() []audience.Place {
	x.mu.RLock()
	defer x.mu.RUnlock()
	var places []audience.Place
	for i := range x.tree.nodes {
		if info := x.tree.nodes[i].info; info != nil {
			places = append(places, *info)
		}
	}
	slices.SortFunc(places, func(a, b audience.Place) int { return cmp.Compare(a.Path, b.Path) })
	return places
}

// Under is who is at a place and below it, as the path is written.
func (x *Index) Under(path audience.Path) *roaring.Bitmap {
	x.mu.RLock()
	defer x.mu.RUnlock()
	return x.tree.lookup(path).everyone().Shared().Clone()
}

// HasKind reports whether any member is of the kind.
func (x *Index) HasKind(k audience.Kind) bool {
	x.mu.RLock()
	defer x.mu.RUnlock()
	return !x.profiles.dim(dimKind, string(k), "").Empty()
}

// MayHold reports whether the district may have the place: its first level is known, with
// details, members or places below it. Where no place is known at all, every one is new.
func (x *Index) MayHold(path audience.Path) bool {
	x.mu.RLock()
	defer x.mu.RUnlock()
	return len(x.tree.byPath) == 0 || x.tree.byPath[path.Cut(1)] != 0
}

// KnowsScheme reports whether any place has a geocode of that valueName.
func (x *Index) KnowsScheme(name string) bool {
	x.mu.RLock()
	defer x.mu.RUnlock()
	return x.tree.schemes[name] > 0
}

// Ordinal returns the ordinal of a member id.
func (x *Index) Ordinal(id string) (uint32, bool) {
	x.mu.RLock()
	defer x.mu.RUnlock()
	return x.ids.find(id)
}

// ID returns the member id of an ordinal.
func (x *Index) ID(ord uint32) (string, bool) {
	x.mu.RLock()
	defer x.mu.RUnlock()
	r := x.records.find(ord)
	if r == nil {
		return "", false
	}
	return r.id(), true
}

// Len is the number of members.
func (x *Index) Len() int {
	x.mu.RLock()
	defer x.mu.RUnlock()
	return int(x.all.GetCardinality())
}

// Ordinals returns all members.
func (x *Index) Ordinals() *roaring.Bitmap {
	x.mu.RLock()
	defer x.mu.RUnlock()
	return x.all.Clone()
}
