package lookup

import (
	"slices"
	"strings"

	"almenara/storage/alert"
	"almenara/storage/audience"
	"almenara/storage/audience/geometry"
	"almenara/storage/audience/lookup/sets"
)

// tree is the place tree: every place that has members, details or places below.
// A place without any of them is forgotten.
type tree struct {
	nodes    []treeNode // [0] is no place
	free     []uint32
	byPath   map[audience.Path]uint32
	geocodes map[alert.Named][]uint32 // the places that a geocode names
	schemes  map[string]int           // geocodes of each valueName
}

// treeNode is one place. While it has no places below it, those under it are
// those in it, and under is nil.
type treeNode struct {
	path   audience.Path
	parent uint32    // 0 for the first level
	below  int       // places directly below
	in     sets.Set  // members exactly here
	under  *sets.Set // members here and below
	shaped sets.Set  // members without a Location that are judged by its Shape
	info   *audience.Place
	rings  []geometry.Ring // of info.Shape
	dense  []uint64        // everyone as plain bits, for counting; nil when not made since a change
}

func newTree() tree {
	return tree{
		nodes:    make([]treeNode, 1),
		byPath:   map[audience.Path]uint32{},
		geocodes: map[alert.Named][]uint32{},
		schemes:  map[string]int{},
	}
}

// ensure returns the node of a path, making it and those above it when needed.
func (t *tree) ensure(path audience.Path) uint32 {
	if at, ok := t.byPath[path]; ok {
		return at
	}
	parent := uint32(0)
	if up := path.Parent(); up != "" {
		parent = t.ensure(up)
	}
	path = audience.Path(strings.Clone(string(path)))
	at := t.allocate(treeNode{path: path, parent: parent})
	t.byPath[path] = at
	if up := &t.nodes[parent]; parent != 0 {
		if up.below++; up.under == nil {
			under := up.in.Clone()
			up.under = &under
		}
	}
	return at
}

func (t *tree) allocate(n treeNode) uint32 {
	if last := len(t.free) - 1; last >= 0 {
		at := t.free[last]
		t.free = t.free[:last]
		t.nodes[at] = n
		return at
	}
	t.nodes = append(t.nodes, n)
	return uint32(len(t.nodes) - 1)
}

// prune forgets the node, and those above it, as far as nothing is there.
func (t *tree) prune(at uint32) {
	for at != 0 {
		n := &t.nodes[at]
		if n.below > 0 || n.info != nil || !n.in.Empty() {
			return
		}
		parent := n.parent
		delete(t.byPath, n.path)
		*n = treeNode{}
		t.free = append(t.free, at)
		if up := &t.nodes[parent]; parent != 0 {
			if up.below--; up.below == 0 {
				up.under = nil
			}
		}
		at = parent
	}
}

// join puts a member in a place and under those above it.
func (t *tree) join(ord, at uint32) {
	t.nodes[at].in.Add(ord)
	for ; at != 0; at = t.nodes[at].parent {
		t.nodes[at].dense = nil
		if under := t.nodes[at].under; under != nil {
			under.Add(ord)
		}
	}
}

// leave undoes join.
func (t *tree) leave(ord, at uint32) {
	t.nodes[at].in.Remove(ord)
	for up := at; up != 0; up = t.nodes[up].parent {
		t.nodes[up].dense = nil
		if under := t.nodes[up].under; under != nil {
			under.Remove(ord)
		}
	}
	t.prune(at)
}

// everyone returns the members here and below, to read.
func (n *treeNode) everyone() *sets.Set {
	if n.under != nil {
		return n.under
	}
	return &n.in
}

// lookup returns the node of a path to read, an empty one when there is none.
func (t *tree) lookup(path audience.Path) *treeNode {
	if at, ok := t.byPath[path]; ok {
		return &t.nodes[at]
	}
	return &treeNode{}
}

// locate says where a member of the place without a Location is judged to be: at
// the nearest place upwards that has a Shape or a Location. The first level, the
// district, is never taken: that would widen. A Shape goes before a Location.
func (t *tree) locate(at uint32) (how position, point geometry.Point, anchor uint32) {
	for ; at != 0 && t.nodes[at].parent != 0; at = t.nodes[at].parent {
		switch info := t.nodes[at].info; {
		case info == nil:
		case len(info.Shape) > 0:
			return inShape, geometry.Point{}, at
		case info.Location != nil:
			return atPlace, *info.Location, 0
		}
	}
	return unlocated, geometry.Point{}, 0
}

// describe sets the details of a place, nil for none, and keeps the geocodes.
func (t *tree) describe(at uint32, info *audience.Place) {
	n := &t.nodes[at]
	if n.info != nil {
		for _, code := range n.info.Geocodes {
			t.dropGeocode(code, at)
		}
	}
	n.info, n.rings = info, nil
	if info == nil {
		return
	}
	n.rings = geometry.NewRings(info.Shape)
	for _, code := range info.Geocodes {
		if !slices.Contains(t.geocodes[code], at) {
			t.geocodes[code] = append(t.geocodes[code], at)
			t.schemes[code.Name]++
		}
	}
}

func (t *tree) dropGeocode(code alert.Named, at uint32) {
	i := slices.Index(t.geocodes[code], at)
	if i < 0 {
		return
	}
	t.geocodes[code] = slices.Delete(t.geocodes[code], i, i+1)
	if len(t.geocodes[code]) == 0 {
		delete(t.geocodes, code)
	}
	if t.schemes[code.Name]--; t.schemes[code.Name] == 0 {
		delete(t.schemes, code.Name)
	}
}

// clonePlace copies all that a caller could still change.
func clonePlace(p *audience.Place) *audience.Place {
	c := *p
	c.Names, c.Geocodes, c.Shape = slices.Clone(p.Names), slices.Clone(p.Geocodes), slices.Clone(p.Shape)
	for i := range c.Shape {
		c.Shape[i] = slices.Clone(c.Shape[i])
	}
	if p.Location != nil {
		at := *p.Location
		c.Location = &at
	}
	return &c
}
