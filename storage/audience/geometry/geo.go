package geometry

import (
	"cmp"

	"almenara/storage/coded"
)

// UnitsPerDegree: positions are whole numbers of 1e-7 degree, about 1 cm.
const UnitsPerDegree = 10_000_000

// Degrees in units of 1e-7 degree.
const (
	MaxLat = 90 * UnitsPerDegree
	MaxLon = 180 * UnitsPerDegree
)

// Point is a WGS 84 position in units of 1e-7 degree.
type Point struct{ Lat, Lon int32 }

// Polygon is a closed ring of at least three distinct points; the last point is
// not repeated.
type Polygon []Point

// This file is exact: no floating point, no rounding. Coordinates fit 32 bits, so
// a difference of latitudes is below 2^31 and one of longitudes below 2^32, a
// product below 2^63; products are compared, never subtracted, so that nothing
// overflows.

// Vertex is a point with room for corners of cells beyond the poles; x is the
// longitude, y the latitude.
type Vertex struct{ X, Y int64 }

// Vertex is the point as a vertex.
func (p Point) Vertex() Vertex { return Vertex{int64(p.Lon), int64(p.Lat)} }

// turn tells on which side of the line a→b c lies: 1 left, -1 right, 0 on it.
func turn(a, b, c Vertex) int {
	return cmp.Compare((b.X-a.X)*(c.Y-a.Y), (b.Y-a.Y)*(c.X-a.X))
}

// Box is a closed rectangle.
type Box struct{ Min, Max Vertex }

// Overlaps reports whether the closed boxes have a point in common.
func (b Box) Overlaps(o Box) bool {
	return b.Min.X <= o.Max.X && o.Min.X <= b.Max.X && b.Min.Y <= o.Max.Y && o.Min.Y <= b.Max.Y
}

// Edge is a side of a polygon, from its lower to its upper end.
type Edge struct{ A, B Vertex }

func newEdge(p, q Point) Edge {
	if p.Lat > q.Lat {
		p, q = q, p
	}
	return Edge{p.Vertex(), q.Vertex()}
}

func (e Edge) box() Box {
	return Box{Vertex{min(e.A.X, e.B.X), e.A.Y}, Vertex{max(e.A.X, e.B.X), e.B.Y}}
}

// Touches reports whether the edge and the closed box have a point in common.
func (e Edge) Touches(b Box) bool {
	if !e.box().Overlaps(b) {
		return false
	}
	side := turn(e.A, e.B, b.Min)
	return side != turn(e.A, e.B, b.Max) || side == 0 ||
		side != turn(e.A, e.B, Vertex{b.Min.X, b.Max.Y}) ||
		side != turn(e.A, e.B, Vertex{b.Max.X, b.Min.Y})
}

// Meets reports whether two closed edges have a point in common.
func (e Edge) Meets(o Edge) bool {
	if !e.box().Overlaps(o.box()) {
		return false
	}
	return turn(e.A, e.B, o.A)*turn(e.A, e.B, o.B) <= 0 && turn(o.A, o.B, e.A)*turn(o.A, o.B, e.B) <= 0
}

// Ring is a polygon prepared for questions.
type Ring struct {
	Edges []Edge
	Box   Box
}

// NewRing prepares a polygon of at least one point.
func NewRing(p Polygon) Ring {
	r := Ring{Edges: make([]Edge, len(p)), Box: Box{p[0].Vertex(), p[0].Vertex()}}
	for i, point := range p {
		v := point.Vertex()
		r.Edges[i] = newEdge(p[(i+len(p)-1)%len(p)], point)
		r.Box.Min = Vertex{min(r.Box.Min.X, v.X), min(r.Box.Min.Y, v.Y)}
		r.Box.Max = Vertex{max(r.Box.Max.X, v.X), max(r.Box.Max.Y, v.Y)}
	}
	return r
}

// NewRings prepares the polygons; those of less than a point are left out.
func NewRings(polygons []Polygon) []Ring {
	rings := make([]Ring, 0, len(polygons))
	for _, p := range polygons {
		if len(p) > 0 {
			rings = append(rings, NewRing(p))
		}
	}
	return rings
}

// Inside reports whether v lies in the closed polygon by the even-odd rule; the
// boundary is inside. edges may leave out those that do not reach v's latitude.
func Inside(edges []Edge, v Vertex) bool {
	odd := false
	for _, e := range edges {
		if v.Y < e.A.Y || v.Y > e.B.Y {
			continue
		}
		if e.A.Y == e.B.Y {
			if v.X >= min(e.A.X, e.B.X) && v.X <= max(e.A.X, e.B.X) {
				return true
			}
			continue
		}
		side := turn(e.A, e.B, v)
		if side == 0 {
			return true
		}
		if side > 0 && v.Y < e.B.Y {
			odd = !odd
		}
	}
	return odd
}

// Contains reports whether v lies in the closed ring by the even-odd rule.
func (r *Ring) Contains(v Vertex) bool {
	if !r.Box.Overlaps(Box{v, v}) {
		return false
	}
	return Inside(r.Edges, v)
}

// Overlaps reports whether two closed polygons have a point in common. When no
// edges meet, each boundary lies in one face of the other, and one vertex of each
// decides.
func (r *Ring) Overlaps(o *Ring) bool {
	if !r.Box.Overlaps(o.Box) {
		return false
	}
	mine, theirs := Touching(r.Edges, o.Box, nil), Touching(o.Edges, r.Box, nil)
	if meet(mine, theirs) {
		return true
	}
	return o.Contains(r.Edges[0].A) || r.Contains(o.Edges[0].A)
}

// Touching appends the edges that touch the box to dst.
func Touching(edges []Edge, b Box, dst []Edge) []Edge {
	for _, e := range edges {
		if e.Touches(b) {
			dst = append(dst, e)
		}
	}
	return dst
}

// Contains reports whether the point lies in the polygon by the even-odd rule.
// The boundary counts as inside. The arithmetic is exact.
func (p Polygon) Contains(at Point) bool {
	if len(p) == 0 {
		return false
	}
	r := NewRing(p)
	return r.Contains(at.Vertex())
}

// Overlaps reports whether the closed polygons have a point in common.
func (p Polygon) Overlaps(o Polygon) bool {
	if len(p) == 0 || len(o) == 0 {
		return false
	}
	r, s := NewRing(p), NewRing(o)
	return r.Overlaps(&s)
}

// errNothing is a polygon or circle that holds no place.
var ErrNothing = coded.New("polygon-nothing", "the polygon encloses no area")

// Check says why the point is not on Earth.
func (p Point) Check() error {
	if p.Lat < -MaxLat || p.Lat > MaxLat {
		return coded.Errorf("latitude-range", "latitude %s is out of range: -90 to 90 is expected", formatDegrees(p.Lat))
	}
	if p.Lon < -MaxLon || p.Lon > MaxLon {
		return coded.Errorf("longitude-range", "longitude %s is out of range: -180 to 180 is expected", formatDegrees(p.Lon))
	}
	return nil
}

// Check says why the polygon encloses nothing, or cannot be judged.
func (p Polygon) Check() error {
	if len(p) < 3 {
		return coded.Errorf("polygon-points", "%w: it has %d distinct points", ErrNothing, len(p))
	}
	open := map[Edge]bool{}
	for i, at := range p {
		if err := at.Check(); err != nil {
			return err
		}
		last := p[(i+len(p)-1)%len(p)]
		if at == last {
			return coded.Errorf("point-repeats", "point %d repeats the one before it", i+1)
		}
		if apart := int64(at.Lon) - int64(last.Lon); apart > MaxLon || apart < -MaxLon {
			return coded.New("polygon-meridian", "the polygon crosses the 180th meridian; one polygon on each side is expected")
		}
		toggle(open, newEdge(last, at))
	}
	if len(open) == 0 || p.collinear() {
		return ErrNothing
	}
	return nil
}

// toggle keeps the edges that occur an odd number of times: where a ring runs back
// on itself, or twice round, nothing lies inside by the even-odd rule.
func toggle(open map[Edge]bool, e Edge) {
	if e.A.Y == e.B.Y && e.A.X > e.B.X {
		e.A, e.B = e.B, e.A
	}
	if open[e] {
		delete(open, e)
	} else {
		open[e] = true
	}
}

// collinear reports whether all points lie on one line.
func (p Polygon) collinear() bool {
	for _, at := range p[2:] {
		if turn(p[0].Vertex(), p[1].Vertex(), at.Vertex()) != 0 {
			return false
		}
	}
	return true
}
