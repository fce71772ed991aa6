package geometry

// MostHoleTests bounds the pairs of sides that are compared for the holes of one info.
const MostHoleTests = 20_000_000

// Without cuts the hole out of the polygon: ring and hole become one ring, joined by a
// bridge that is walked both ways and so encloses nothing by the even-odd rule. The
// hole's border stays inside. ok is false when the hole does not lie wholly inside the
// ring or touches its border, other holes included: then nothing is cut out. tests is
// what may still be spent on comparing.
func (p Polygon) Without(hole Polygon, tests *int) (out Polygon, ok bool) {
	r, h := NewRing(p), NewRing(hole)
	if !r.Box.Overlaps(h.Box) {
		return p, false
	}
	near := Touching(r.Edges, h.Box, nil)
	if *tests -= len(near)*len(h.Edges) + len(p) + len(hole); *tests < 0 {
		return p, false
	}
	for _, e := range near {
		for _, f := range h.Edges {
			if e.Meets(f) {
				return p, false
			}
		}
	}
	if !r.Contains(hole[0].Vertex()) || h.Contains(p[0].Vertex()) {
		return p, false
	}
	from := nearest(p, hole[0])
	to := nearest(hole, p[from])
	out = make(Polygon, 0, len(p)+len(hole)+2)
	out = append(append(out, p[from:]...), p[:from+1]...)
	return append(append(out, hole[to:]...), hole[:to+1]...), true
}

// nearest is the index of the corner that is nearest to the point, going along latitudes
// and longitudes.
func nearest(p Polygon, to Point) int {
	best, least := 0, int64(-1)
	for i, at := range p {
		dx, dy := int64(at.Lon)-int64(to.Lon), int64(at.Lat)-int64(to.Lat)
		if d := max(dx, -dx) + max(dy, -dy); least < 0 || d < least {
			best, least = i, d
		}
	}
	return best
}
