package geometry

import "errors"

// MaxExcess bounds how far a simplified outline reaches beyond the one that was sent, in
// units of 1e-7 degree of latitude and of longitude each: 0.01°, about 1.1 km. What would
// have to be widened further is refused.
const MaxExcess = 100_000

// FirstExcess is where the search for the smallest excess begins: about 20 cm.
const FirstExcess = 16

// Outward returns few shapes that together contain the polygon, and at most a strip of
// excess around its border besides. All arithmetic is exact, with whole numbers, so that
// the result contains the original for certain and is the same on every machine.
//
// The border is cut into chains that each lie in a strip of that height along their
// chord. By the even-odd rule a polygon is the symmetric difference of the ring of the
// chords and of the loops that each chain makes with its chord. So the ring, and for
// each chain a quadrangle around it, contain the polygon, however it crosses itself.
func Outward(p Polygon, excess int64) []Polygon {
	var chords Polygon
	var covers []Polygon
	for start := 0; start < len(p); {
		end := chainEnd(p, start, excess)
		if len(chords) == 0 || chords[len(chords)-1] != p[start] {
			chords = append(chords, p[start])
		}
		if end > start+1 {
			if cover := strip(p, start, end); cover != nil {
				covers = append(covers, cover)
			}
		}
		start = end
	}
	if last := len(chords) - 1; last > 0 && chords[last] == chords[0] {
		chords = chords[:last]
	}
	if errors.Is(chords.Check(), ErrNothing) {
		return covers
	}
	return append([]Polygon{chords}, covers...)
}

// chainEnd is the last point of the longest chain from start that was found to lie in a
// strip of the height; points are counted round the ring, len(p) is p[0] again.
func chainEnd(p Polygon, start int, height int64) int {
	fits := func(end int) bool {
		if !small(p, start, end) {
			return false
		}
		low, high, _, _ := extent(p, start, end)
		return high-low <= height*scale(p, start, end)
	}
	good, step := start+1, 2
	for good < len(p) && start+step <= len(p) && fits(start+step) {
		good, step = start+step, 2*step
	}
	low, high := good, min(start+step, len(p)+1) // low fits, high does not or is beyond
	for high-low > 1 {
		if middle := (low + high) / 2; fits(middle) {
			low = middle
		} else {
			high = middle
		}
	}
	return low
}

// at is the point, counted round the ring.
func (p Polygon) at(i int) Vertex { return p[i%len(p)].Vertex() }

// axes gives the chord from start to end with its longer side as x, so that a strip
// along it is never steep.
func axes(p Polygon, start, end int) (dx, dy int64, swapped bool) {
	a, b := p.at(start), p.at(end)
	dx, dy = b.X-a.X, b.Y-a.Y
	if max(dx, -dx) < max(dy, -dy) {
		return dy, dx, true
	}
	return dx, dy, false
}

// scale is the length of the chord's longer side, 1 for a chord of no length.
func scale(p Polygon, start, end int) int64 {
	dx, _, _ := axes(p, start, end)
	return max(dx, -dx, 1)
}

// small reports whether the chain spans less than 2^30 units, 107°, either way, so that
// differences of products stay below 2^62.
func small(p Polygon, start, end int) bool {
	a := p.at(start)
	for i := start + 1; i <= end; i++ {
		v := p.at(i)
		if max(v.X-a.X, a.X-v.X, v.Y-a.Y, a.Y-v.Y) >= 1<<29 {
			return false
		}
	}
	return true
}

// extent measures the chain across its chord, times scale, from the chord's start, and
// along the longer side.
func extent(p Polygon, start, end int) (low, high, from, to int64) {
	dx, dy, swapped := axes(p, start, end)
	if dx < 0 {
		dx, dy = -dx, -dy
	}
	if dx == 0 {
		dx = 1
	}
	a := p.at(start)
	for i := start; i <= end; i++ {
		v := p.at(i)
		x, y := v.X-a.X, v.Y-a.Y
		if swapped {
			x, y = y, x
		}
		across := y*dx - x*dy
		low, high = min(low, across), max(high, across)
		from, to = min(from, x), max(to, x)
	}
	return low, high, from, to
}

// strip is a quadrangle around the chain, with sides along its chord, rounded outward;
// nil when the chain does not leave its chord.
func strip(p Polygon, start, end int) Polygon {
	low, high, from, to := extent(p, start, end)
	if low == high {
		return nil
	}
	dx, dy, swapped := axes(p, start, end)
	if dx < 0 {
		dx, dy = -dx, -dy
	}
	if dx == 0 {
		dx = 1
	}
	a := p.at(start)
	corner := func(x, across int64, up bool) Point {
		y := across + x*dy // times dx
		q := y / dx
		switch {
		case up && y%dx > 0:
			q++
		case !up && y%dx < 0:
			q--
		}
		if swapped {
			return clampPoint(a.X+q, a.Y+x)
		}
		return clampPoint(a.X+x, a.Y+q)
	}
	quad := Polygon{corner(from, low, false), corner(to, low, false), corner(to, high, true), corner(from, high, true)}
	if quad.Check() != nil { // it has no width along the chord: take its box
		return quad.aroundBox()
	}
	return quad
}

// clampPoint keeps a corner on the globe, where all points of the polygon are.
func clampPoint(x, y int64) Point {
	return Point{Lat: int32(min(max(y, -MaxLat), MaxLat)), Lon: int32(min(max(x, -MaxLon), MaxLon))}
}

// aroundBox is the box of the points, a unit wide at least.
func (p Polygon) aroundBox() Polygon {
	b := NewRing(p).Box
	if b.Min.X == b.Max.X {
		b.Min.X, b.Max.X = b.Min.X-1, b.Max.X+1
	}
	if b.Min.Y == b.Max.Y {
		b.Min.Y, b.Max.Y = b.Min.Y-1, b.Max.Y+1
	}
	return Polygon{clampPoint(b.Min.X, b.Min.Y), clampPoint(b.Max.X, b.Min.Y), clampPoint(b.Max.X, b.Max.Y), clampPoint(b.Min.X, b.Max.Y)}
}

// points counts those of all shapes.
func CountPoints(shapes []Polygon) int {
	n := 0
	for _, p := range shapes {
		n += len(p)
	}
	return n
}
