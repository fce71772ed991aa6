// Package drawing is the district's own places as a map, and what people draw on it: corners and circles as
// they are typed, as CAP writes them, and as SVG. It asks nothing and decides nothing, and never imports a
// page.
package drawing

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"almenara/node/wire"
	"almenara/node/wire/why"
)

// point is a place on the earth, in degrees.
type point struct{ lat, lon float64 }

func pointOf(text string) (point, error) {
	lat, lon, ok := strings.Cut(text, ",")
	a, errA := strconv.ParseFloat(lat, 64)
	o, errO := strconv.ParseFloat(lon, 64)
	if !ok || errA != nil || errO != nil || !(math.Abs(a) <= 90) || !(math.Abs(o) <= 180) {
		return point{}, wire.Problemf(wire.KindRefused, "%.40q is no corner: write degrees north and east, such as 22.3951,113.9754", text).Because(why.CornerWrong, text)
	}
	return point{a, o}, nil
}

func (p point) String() string {
	return strconv.FormatFloat(p.lat, 'f', -1, 64) + "," + strconv.FormatFloat(p.lon, 'f', -1, 64)
}

// Polygons reads polygons, one a line, and closes them: as CAP writes them (1.2 §3.2.4). A text that is
// none is refused with a *wire.Problem.
func Polygons(text string) (out []string, err error) {
	for line := range strings.Lines(text) {
		corners := strings.Fields(line)
		if len(corners) == 0 {
			continue
		}
		var ring []string
		for _, c := range corners {
			p, err := pointOf(c)
			if err != nil {
				return nil, err
			}
			ring = append(ring, p.String())
		}
		if ring[0] != ring[len(ring)-1] {
			ring = append(ring, ring[0])
		}
		if len(ring) < 4 {
			return nil, wire.Problemf(wire.KindRefused, "an area that is drawn has at least three corners, and this one has %d", len(ring)-1).Because(why.CornersFew, len(ring)-1)
		}
		out = append(out, strings.Join(ring, " "))
	}
	return out, nil
}

// mostRadius is the largest circle, in metres: more than a district.
const mostRadius = 100_000

// Circles reads circles, one a line, the middle and the radius in metres, as CAP writes them: with the
// radius in kilometres. A text that is none is refused with a *wire.Problem.
func Circles(text string) (out []string, err error) {
	for line := range strings.Lines(text) {
		parts := strings.Fields(line)
		if len(parts) == 0 {
			continue
		}
		if len(parts) != 2 {
			return nil, wire.Problemf(wire.KindRefused, "%.60q is no circle: write its middle and its radius in metres, such as 22.3951,113.9754 150", strings.TrimSpace(line)).Because(why.CircleWrong, strings.TrimSpace(line))
		}
		p, err := pointOf(parts[0])
		if err != nil {
			return nil, err
		}
		radius, err := strconv.ParseFloat(parts[1], 64)
		if err != nil || !(radius >= 1 && radius <= mostRadius) {
			return nil, wire.Problemf(wire.KindRefused, "%.40q is no radius: write 1 to %d metres", parts[1], mostRadius).Because(why.RadiusWrong, parts[1], mostRadius)
		}
		out = append(out, fmt.Sprintf("%s %s", p, strconv.FormatFloat(radius/1000, 'f', -1, 64)))
	}
	return out, nil
}

// Within are the places, by their paths, whose middle lies in one of the shapes, as CAP writes them. A place
// that lies in another one that is within is not named again.
func Within(all []wire.Place, polygons, circles []string) (out []string) {
	for _, p := range all {
		corners := cornersOf(p)
		if len(corners) == 0 {
			continue
		}
		at := middleOf(corners)
		in := slices.ContainsFunc(polygons, func(text string) bool { return holds(pointsOf(text), at) }) ||
			slices.ContainsFunc(circles, func(text string) bool { return near(text, at) })
		if in {
			out = append(out, p.Path)
		}
	}
	found := slices.Clone(out)
	return slices.DeleteFunc(out, func(path string) bool {
		return slices.ContainsFunc(found, func(other string) bool { return strings.HasPrefix(path, other+"/") })
	})
}

// holds reports whether a polygon holds a point, by the crossings of a line to the east.
func holds(ring []point, p point) (in bool) {
	for i := range ring {
		a, b := ring[i], ring[(i+1)%len(ring)]
		if (a.lat > p.lat) != (b.lat > p.lat) && p.lon < (b.lon-a.lon)*(p.lat-a.lat)/(b.lat-a.lat)+a.lon {
			in = !in
		}
	}
	return in
}

// near reports whether a point lies in a circle of CAP.
func near(circle string, p point) bool {
	at, radius, _ := strings.Cut(circle, " ")
	middle, err := pointOf(at)
	km, errRadius := strconv.ParseFloat(radius, 64)
	if err != nil || errRadius != nil {
		return false
	}
	north := (p.lat - middle.lat) * metresOfDegree
	east := (p.lon - middle.lon) * metresOfDegree * math.Cos(middle.lat*math.Pi/180)
	return math.Hypot(north, east) <= km*1000
}

// middleOf is the mean of the corners. An outline names its first one again as its last, which counts once.
func middleOf(corners []point) (middle point) {
	if last := len(corners) - 1; last > 0 && corners[0] == corners[last] {
		corners = corners[:last]
	}
	for _, c := range corners {
		middle.lat, middle.lon = middle.lat+c.lat/float64(len(corners)), middle.lon+c.lon/float64(len(corners))
	}
	return middle
}

// ReadPosition reads a position as people type it: degrees north and east. A text that is none is refused with
// a *wire.Problem.
func ReadPosition(text string) (lat, lon float64, err error) {
	p, err := pointOf(strings.ReplaceAll(text, " ", ""))
	return p.lat, p.lon, err
}

// Position is a position as ReadPosition reads it.
func Position(lat, lon float64) string { return point{lat, lon}.String() }
