package drawing

import (
	"fmt"
	"math"
	"strings"

	"almenara/node/web/console/words"
	"almenara/node/wire"
)

// Map is the district's own places as a drawing, with what the person has drawn. North is up.
type Map struct {
	Width, Height string
	// A position is (lon − West) × PerLon from the left, and (North − lat) × PerLat from the top.
	West, North, PerLon, PerLat string
	PerMetre                    string
	Label                       string // what the drawing is, for who does not see it
	Places                      []Place
	Polygons                    []string // drawn, as the points of SVG
	Circles                     []Circle

	box            bounds
	perLon, perLat float64
}

// At is where a position is on the drawing, in its units; false where it is not on it.
func (m *Map) At(lat, lon float64) (x, y string, on bool) {
	if !(lat >= m.box.south && lat <= m.box.north && lon >= m.box.west && lon <= m.box.east) {
		return "", "", false
	}
	return number((lon - m.box.west) * m.perLon), number((m.box.north - lat) * m.perLat), true
}

// Place is one of the places on the map.
type Place struct {
	Path, Name string
	Points     string // its outline; "" where only its position is known
	X, Y       string
	Chosen     bool
}

// Circle is a circle in pixels.
type Circle struct{ X, Y, R string }

const (
	mapWidth       = 640.0
	metresOfDegree = 111_320.0 // of latitude
)

// Shown is what stands out on a map.
type Shown struct {
	Places   []string // by their paths, with all that lies in them
	Polygons string   // as people draw them: corners, one polygon a line
	Circles  string   // middle and radius in metres, one a line
}

// bounds are the corners of what is on the map.
type bounds struct{ south, west, north, east float64 }

func (b *bounds) take(p point) {
	b.south, b.north = math.Min(b.south, p.lat), math.Max(b.north, p.lat)
	b.west, b.east = math.Min(b.west, p.lon), math.Max(b.east, p.lon)
}

// Of draws the places that have a position; nil where none has.
func Of(all []wire.Place, s Shown, l *words.Language) *Map {
	b := bounds{90, 180, -90, -180}
	for _, p := range all {
		for _, at := range cornersOf(p) {
			b.take(at)
		}
	}
	if b.south > b.north {
		return nil
	}
	margin := math.Max(math.Max(b.north-b.south, b.east-b.west)*0.15, 0.001)
	b = bounds{b.south - margin, b.west - margin, b.north + margin, b.east + margin}
	shrink := math.Cos((b.south + b.north) / 2 * math.Pi / 180)
	perLat := mapWidth / ((b.east - b.west) * shrink)
	height := (b.north - b.south) * perLat
	if height > mapWidth { // higher than wide: it must fit on a telephone
		perLat *= mapWidth / height
		height = mapWidth
	}
	perLon := perLat * shrink
	m := &Map{
		Width: number((b.east - b.west) * perLon), Height: number(height), West: fmt.Sprintf("%.7f", b.west), North: fmt.Sprintf("%.7f", b.north),
		PerLon: fmt.Sprintf("%.3f", perLon), PerLat: fmt.Sprintf("%.3f", perLat), PerMetre: fmt.Sprintf("%.6f", perLat/metresOfDegree),
		box: b, perLon: perLon, perLat: perLat,
	}
	xy := func(p point) (string, string) {
		return number((p.lon - b.west) * perLon), number((b.north - p.lat) * perLat)
	}
	line := func(corners []point) string {
		var out []string
		for _, c := range corners {
			x, y := xy(c)
			out = append(out, x+","+y)
		}
		return strings.Join(out, " ")
	}
	m.places(all, s, l.Tag, xy, line)
	m.Label = l.T("compose.map.label", len(m.Places))
	m.drawn(s, xy, line, perLat/metresOfDegree)
	return m
}

// mostOnMap bounds what is drawn: more cannot be told apart.
const mostOnMap = 400

func (m *Map) places(all []wire.Place, s Shown, language string, xy func(point) (string, string), line func([]point) string) {
	for _, p := range all {
		if len(m.Places) == mostOnMap {
			return
		}
		on := Place{Path: p.Path, Name: NameIn([]wire.Place{p}, p.Path, language), Chosen: len(s.Places) > 0 && Inside(p.Path, s.Places)}
		if on.Name == "" {
			on.Name = p.Path
		}
		corners := cornersOf(p)
		switch {
		case len(corners) == 0:
			continue
		case len(corners) > 1:
			on.Points = line(corners)
		}
		on.X, on.Y = xy(middleOf(corners))
		m.Places = append(m.Places, on)
	}
}

// drawn adds what the person has drawn; what cannot be read is left out, and refused when it is checked.
func (m *Map) drawn(s Shown, xy func(point) (string, string), line func([]point) string, perMetre float64) {
	for text := range strings.Lines(s.Polygons) {
		if corners := pointsOf(text); len(corners) > 0 {
			m.Polygons = append(m.Polygons, line(corners))
		}
	}
	circles, _ := Circles(s.Circles)
	for _, c := range circles {
		at, radius, _ := strings.Cut(c, " ")
		p, err := pointOf(at)
		var km float64
		if _, scan := fmt.Sscan(radius, &km); err == nil && scan == nil {
			x, y := xy(p)
			m.Circles = append(m.Circles, Circle{x, y, number(km * 1000 * perMetre)})
		}
	}
}

func pointsOf(text string) (out []point) {
	for _, c := range strings.Fields(text) {
		if p, err := pointOf(c); err == nil {
			out = append(out, p)
		}
	}
	return out
}

// cornersOf is the outline of a place, else its position.
func cornersOf(p wire.Place) []point {
	if len(p.Shape) > 0 {
		if corners := pointsOf(p.Shape[0]); len(corners) > 2 {
			return corners
		}
	}
	if p.Lat != nil && p.Lon != nil {
		return []point{{*p.Lat, *p.Lon}}
	}
	return nil
}

func number(f float64) string { return fmt.Sprintf("%.1f", f) }
