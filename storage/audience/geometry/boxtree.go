package geometry

import (
	"math"
	"math/bits"
	"slices"
)

// leafEdges is how many edges a leaf has.
const leafEdges = 8

// fewPairs of edges are compared each with each; a tree would cost more.
const fewPairs = 1024

// boxTree has edges in their order, with boxes around halves, quarters, … of them: of two borders those parts alone are
// compared edge by edge that are near each other. Two combs of ten thousand edges, the teeth of one between those of the
// other, took seconds each with each.
type boxTree struct {
	edges  []Edge
	leaves int   // a power of two
	boxes  []Box // 1 is around all; below n are 2n and 2n+1; those of the leaves are the last
}

// nothing overlaps no box.
var nothing = Box{Vertex{math.MaxInt64, math.MaxInt64}, Vertex{math.MinInt64, math.MinInt64}}

func around(a, b Box) Box {
	return Box{
		Vertex{min(a.Min.X, b.Min.X), min(a.Min.Y, b.Min.Y)}, Vertex{max(a.Max.X, b.Max.X), max(a.Max.Y, b.Max.Y)},
	}
}

func newBoxTree(edges []Edge) *boxTree {
	t := &boxTree{edges: edges, leaves: 1}
	for t.leaves*leafEdges < len(edges) {
		t.leaves *= 2
	}
	t.boxes = make([]Box, 2*t.leaves)
	for n := range t.leaves {
		box := nothing
		for _, e := range t.leaf(n + t.leaves) {
			box = around(box, e.box())
		}
		t.boxes[t.leaves+n] = box
	}
	for n := t.leaves - 1; n > 0; n-- {
		t.boxes[n] = around(t.boxes[2*n], t.boxes[2*n+1])
	}
	return t
}

// leaf are the edges of a leaf, by its box.
func (t *boxTree) leaf(n int) []Edge {
	from := min((n-t.leaves)*leafEdges, len(t.edges))
	return t.edges[from:min(from+leafEdges, len(t.edges))]
}

// near calls fn with the leaves of a below i and those of b below j that are near each other, until it returns false;
// then it returns false.
func near(a *boxTree, i int, b *boxTree, j int, fn func(some, others []Edge) bool) bool {
	switch {
	case !a.boxes[i].Overlaps(b.boxes[j]),
		i >= a.leaves && !touches(a.leaf(i), b.boxes[j]), // a slanted edge passes by most of what its box is around
		j >= b.leaves && !touches(b.leaf(j), a.boxes[i]):
		return true
	case i >= a.leaves && j >= b.leaves:
		return fn(a.leaf(i), b.leaf(j))
	case j >= b.leaves || i < a.leaves && bits.Len(uint(i)) <= bits.Len(uint(j)):
		return near(a, 2*i, b, j, fn) && near(a, 2*i+1, b, j, fn)
	}
	return near(a, i, b, 2*j, fn) && near(a, i, b, 2*j+1, fn)
}

func touches(edges []Edge, b Box) bool {
	return slices.ContainsFunc(edges, func(e Edge) bool { return e.Touches(b) })
}

// meet reports whether an edge of some has a point in common with one of the others.
func meet(some, others []Edge) bool {
	if len(some)*len(others) <= fewPairs {
		return anyMeet(some, others)
	}
	return !near(newBoxTree(some), 1, newBoxTree(others), 1, func(a, b []Edge) bool { return !anyMeet(a, b) })
}

func anyMeet(some, others []Edge) bool {
	for _, e := range some {
		for _, f := range others {
			if e.Meets(f) {
				return true
			}
		}
	}
	return false
}

// mostBeside is with how many other edges each may share its surroundings, on average. Coasts and borders have a
// handful.
const mostBeside = 64

// Tangled reports whether shapes have hundreds of edges or more that lie beside each other, as those of a comb with slanted
// teeth do: to hold them against shapes that are drawn alike would take each edge of these with each of those.
func Tangled(shapes []Polygon) bool {
	var edges []Edge
	for _, r := range NewRings(shapes) {
		edges = append(edges, r.Edges...)
	}
	if len(edges) <= 2*mostBeside {
		return false
	}
	t, left := newBoxTree(edges), len(edges)*mostBeside*2 // each two are seen twice
	return !near(t, 1, t, 1, func(some, others []Edge) bool {
		for _, e := range some {
			for _, f := range others {
				if e.box().Overlaps(f.box()) {
					left--
				}
			}
		}
		return left > 0
	})
}
