// Package geometrytest makes points and outlines for tests, and judges them in another way
// than package geometry does.
package geometrytest

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"

	"almenara/storage/audience/geometry"
)

// NaiveContains is the even-odd rule with a crossing count over fractions, in
// another formulation than the one under test.
func NaiveContains(p geometry.Polygon, at geometry.Point) bool {
	crossings := 0
	for i, a := range p {
		b := p[(i+1)%len(p)]
		ax, ay, bx, by := int64(a.Lon)-int64(at.Lon), int64(a.Lat)-int64(at.Lat), int64(b.Lon)-int64(at.Lon), int64(b.Lat)-int64(at.Lat)
		cross := ax*by - ay*bx // small coordinates in tests: no overflow
		if cross == 0 && ax*bx <= 0 && ay*by <= 0 {
			return true
		}
		if (ay > 0) != (by > 0) && (cross > 0) == (by > ay) {
			crossings++
		}
	}
	return crossings%2 == 1
}

// AnyPoint is near Hong Kong, with a chance to stand on a round position where cells
// and polygons have their corners.
func AnyPoint(w *rand.Rand) geometry.Point {
	if w.IntN(4) == 0 {
		return geometry.Point{Lat: 223_000_000 + 50_000*int32(w.IntN(10)), Lon: 1_140_000_000 + 50_000*int32(w.IntN(10))}
	}
	return geometry.Point{Lat: 223_000_000 + int32(w.IntN(1_000_000)), Lon: 1_140_000_000 + int32(w.IntN(1_000_000))}
}

// AnyPolygon has three to seven such corners and encloses something.
func AnyPolygon(w *rand.Rand) geometry.Polygon {
	for {
		var p geometry.Polygon
		for range 3 + w.IntN(5) {
			p = append(p, AnyPoint(w))
		}
		if p.Check() == nil {
			return p
		}
	}
}

// Outline is a ring that wanders: coast, spikes, runs back on itself, and crossings.
func Outline(random *rand.Rand, n int, size int32) geometry.Polygon {
	for {
		var p geometry.Polygon
		rough := random.Float64()
		for i := range n {
			angle, r := 2*math.Pi*float64(i)/float64(n), float64(size)*(1-rough*random.Float64()*random.Float64())
			at := geometry.Point{Lat: 223_000_000 + int32(r*math.Sin(angle)), Lon: 1_141_000_000 + int32(r*math.Cos(angle))}
			if random.IntN(40) == 0 {
				at.Lat, at.Lon = at.Lat+random.Int32N(size), at.Lon-random.Int32N(size)
			}
			if i > 3 && random.IntN(15) == 0 {
				at = p[random.IntN(len(p))] // it runs back to where it was, as a bridge to a hole does
			}
			if len(p) == 0 || p[len(p)-1] != at {
				p = append(p, at)
			}
		}
		if p[0] == p[len(p)-1] {
			p = p[:len(p)-1]
		}
		if len(p) >= 3 && p.Check() == nil {
			return p
		}
	}
}

// Near reports whether the border of p is within d of the point, up, down or sideways.
func Near(p *geometry.Ring, v geometry.Vertex, d int64) bool {
	upright := geometry.Edge{A: geometry.Vertex{X: v.X, Y: v.Y - d}, B: geometry.Vertex{X: v.X, Y: v.Y + d}}
	level := geometry.Edge{A: geometry.Vertex{X: v.X - d, Y: v.Y}, B: geometry.Vertex{X: v.X + d, Y: v.Y}}
	for _, e := range p.Edges {
		if e.Meets(upright) || e.Meets(level) {
			return true
		}
	}
	return false
}

// Coast is the text of a closed outline of n points around Hong Kong, with bays of 200 m.
func Coast(n int) string {
	random := rand.New(rand.NewPCG(uint64(n), 4))
	var b strings.Builder
	first := ""
	r := 0.2
	for i := range n {
		angle := 2 * math.Pi * float64(i) / float64(n)
		r += (random.Float64() - 0.5) * 0.0004
		at := fmt.Sprintf("%.6f,%.6f ", 22.3+r*math.Sin(angle), 114.1+r*math.Cos(angle))
		if i == 0 {
			first = at
		}
		b.WriteString(at)
	}
	return b.String() + first
}

// Square has its lower left corner at lat, lon.
func Square(lat, lon, side int32) geometry.Polygon {
	return geometry.Polygon{{Lat: lat, Lon: lon}, {Lat: lat, Lon: lon + side}, {Lat: lat + side, Lon: lon + side}, {Lat: lat + side, Lon: lon}}
}
