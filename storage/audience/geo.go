package audience

import (
	"cmp"
	"errors"
	"fmt"
	"strings"
)

// unitsPerDegree: positions are whole numbers of 1e-7 degree, about 1 cm.
const unitsPerDegree = 10_000_000

// This file is exact: no floating point, no rounding. Coordinates fit 32 bits, so
// a difference of latitudes is below 2^31 and one of longitudes below 2^32, a
// product below 2^63; products are compared, never subtracted, so that nothing
// overflows.

// vertex is a point with room for corners of cells beyond the poles; x is the
// longitude, y the latitude.
type vertex struct{ x, y int64 }

func (p Point) vertex() vertex { return vertex{int64(p.Lon), int64(p.Lat)} }

// turn tells on which side of the line a→b c lies: 1 left, -1 right, 0 on it.
func turn(a, b, c vertex) int {
	return cmp.Compare((b.x-a.x)*(c.y-a.y), (b.y-a.y)*(c.x-a.x))
}

// box is a closed rectangle.
type box struct{ min, max vertex }

func (b box) overlaps(o box) bool {
	return b.min.x <= o.max.x && o.min.x <= b.max.x && b.min.y <= o.max.y && o.min.y <= b.max.y
}

// edge is a side of a polygon, from its lower to its upper end.
type edge struct{ a, b vertex }

func newEdge(p, q Point) edge {
	if p.Lat > q.Lat {
		p, q = q, p
	}
	return edge{p.vertex(), q.vertex()}
}

func (e edge) box() box {
	return box{vertex{min(e.a.x, e.b.x), e.a.y}, vertex{max(e.a.x, e.b.x), e.b.y}}
}

// touches reports whether the edge and the closed box have a point in common.
func (e edge) touches(b box) bool {
	if !e.box().overlaps(b) {
		return false
	}
	side := turn(e.a, e.b, b.min)
	return side != turn(e.a, e.b, b.max) || side == 0 ||
		side != turn(e.a, e.b, vertex{b.min.x, b.max.y}) ||
		side != turn(e.a, e.b, vertex{b.max.x, b.min.y})
}

// meets reports whether two closed edges have a point in common.
func (e edge) meets(o edge) bool {
	if !e.box().overlaps(o.box()) {
		return false
	}
	return turn(e.a, e.b, o.a)*turn(e.a, e.b, o.b) <= 0 && turn(o.a, o.b, e.a)*turn(o.a, o.b, e.b) <= 0
}

// ring is a polygon prepared for questions.
type ring struct {
	edges []edge
	box   box
}

func newRing(p Polygon) ring {
	r := ring{edges: make([]edge, len(p)), box: box{p[0].vertex(), p[0].vertex()}}
	for i, point := range p {
		v := point.vertex()
		r.edges[i] = newEdge(p[(i+len(p)-1)%len(p)], point)
		r.box.min = vertex{min(r.box.min.x, v.x), min(r.box.min.y, v.y)}
		r.box.max = vertex{max(r.box.max.x, v.x), max(r.box.max.y, v.y)}
	}
	return r
}

// newRings prepares the polygons; those of less than a point are left out.
func newRings(polygons []Polygon) []ring {
	rings := make([]ring, 0, len(polygons))
	for _, p := range polygons {
		if len(p) > 0 {
			rings = append(rings, newRing(p))
		}
	}
	return rings
}

// inside reports whether v lies in the closed polygon by the even-odd rule; the
// boundary is inside. edges may leave out those that do not reach v's latitude.
func inside(edges []edge, v vertex) bool {
	odd := false
	for _, e := range edges {
		if v.y < e.a.y || v.y > e.b.y {
			continue
		}
		if e.a.y == e.b.y {
			if v.x >= min(e.a.x, e.b.x) && v.x <= max(e.a.x, e.b.x) {
				return true
			}
			continue
		}
		side := turn(e.a, e.b, v)
		if side == 0 {
			return true
		}
		if side > 0 && v.y < e.b.y {
			odd = !odd
		}
	}
	return odd
}

func (r *ring) contains(v vertex) bool {
	if !r.box.overlaps(box{v, v}) {
		return false
	}
	return inside(r.edges, v)
}

// overlaps reports whether two closed polygons have a point in common. When no
// edges meet, each boundary lies in one face of the other, and one vertex of each
// decides.
func (r *ring) overlaps(o *ring) bool {
	if !r.box.overlaps(o.box) {
		return false
	}
	mine, theirs := touching(r.edges, o.box, nil), touching(o.edges, r.box, nil)
	for _, e := range mine {
		for _, f := range theirs {
			if e.meets(f) {
				return true
			}
		}
	}
	return o.contains(r.edges[0].a) || r.contains(o.edges[0].a)
}

// touching appends the edges that touch the box to dst.
func touching(edges []edge, b box, dst []edge) []edge {
	for _, e := range edges {
		if e.touches(b) {
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
	r := newRing(p)
	return r.contains(at.vertex())
}

// Overlaps reports whether the closed polygons have a point in common.
func (p Polygon) Overlaps(o Polygon) bool {
	if len(p) == 0 || len(o) == 0 {
		return false
	}
	r, s := newRing(p), newRing(o)
	return r.overlaps(&s)
}

// check says why the polygon encloses nothing, or cannot be judged.
func (p Polygon) check() error {
	if len(p) < 3 {
		return fmt.Errorf("a polygon has at least 3 distinct points, not %d", len(p))
	}
	open := map[edge]bool{}
	for i, at := range p {
		if err := at.check(); err != nil {
			return err
		}
		last := p[(i+len(p)-1)%len(p)]
		if at == last {
			return fmt.Errorf("point %d repeats the one before it", i+1)
		}
		if apart := int64(at.Lon) - int64(last.Lon); apart > maxLon || apart < -maxLon {
			return errors.New("the polygon crosses the 180th meridian; one polygon on each side is expected")
		}
		toggle(open, newEdge(last, at))
	}
	if len(open) == 0 || p.collinear() {
		return errors.New("the polygon encloses no area")
	}
	return nil
}

// toggle keeps the edges that occur an odd number of times: where a ring runs back
// on itself, or twice round, nothing lies inside by the even-odd rule.
func toggle(open map[edge]bool, e edge) {
	if e.a.y == e.b.y && e.a.x > e.b.x {
		e.a, e.b = e.b, e.a
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
		if turn(p[0].vertex(), p[1].vertex(), at.vertex()) != 0 {
			return false
		}
	}
	return true
}

// parseDegrees reads a decimal number of degrees into units of 1e-7 degree,
// rounding half away from zero; limit is the largest magnitude allowed.
func parseDegrees(s string, limit int64) (int32, error) {
	digits := strings.TrimLeft(s, "+-")
	whole, fraction, _ := strings.Cut(digits, ".")
	if len(s)-len(digits) > 1 || whole == "" && fraction == "" || len(whole) > 6 || len(fraction) > 20 {
		return 0, fmt.Errorf("%q is not a number of degrees such as 22.3193", clip(s))
	}
	var value int64
	for i := range len(whole) + 8 {
		digit := byte('0')
		if i < len(whole) {
			digit = whole[i]
		} else if at := i - len(whole); at < len(fraction) {
			digit = fraction[at]
		}
		value = value*10 + int64(digit-'0')
	}
	if strings.Trim(whole+fraction, "0123456789") != "" {
		return 0, fmt.Errorf("%q is not a number of degrees such as 22.3193", clip(s))
	}
	value = (value + 5) / 10
	if value > limit {
		return 0, fmt.Errorf("%s is out of range: -%d to %d is expected", s, limit/unitsPerDegree, limit/unitsPerDegree)
	}
	if s[0] == '-' {
		value = -value
	}
	return int32(value), nil
}

// formatDegrees writes units of 1e-7 degree as a decimal number.
func formatDegrees(units int32) string {
	v, sign := int64(units), ""
	if v < 0 {
		v, sign = -v, "-"
	}
	text := fmt.Sprintf("%s%d.%07d", sign, v/unitsPerDegree, v%unitsPerDegree)
	return strings.TrimSuffix(strings.TrimRight(text, "0"), ".")
}
