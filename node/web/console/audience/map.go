package audience

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"almenara/node/web/console/view"
	"almenara/node/wire"
)

// placeMap is a drawing of places: outlines, larger ones below, and points. It has no tiles, and is
// correct to what a screen shows for a district, some ten kilometres across.
type placeMap struct {
	ViewBox  string
	Outlines []outline
	Points   []point
}

type outline struct {
	Path, Name, Shape string // Path is of the page that selects it, Shape the d of an SVG path
	Depth             int
}

type point struct {
	Path, Name string
	X, Y       string
}

// Where the drawing's width is, in its own units, and how much is left free around it.
const (
	mapWidth  = 1000
	mapMargin = 20
	mostDrawn = 3000 // points of outlines of one place, and points on the map
)

type position struct{ lat, lon float64 }

// draw draws the places that say where they are; nil where none does.
func draw(places []wire.Place, names view.PlaceNames) *placeMap {
	shapes := map[string][][]position{}
	box := newBounds()
	for _, p := range places {
		for _, text := range p.Shape {
			if shape := positions(text); len(shape) >= 3 {
				shapes[p.Path] = append(shapes[p.Path], shape)
				box.add(shape...)
			}
		}
		if p.Lat != nil && p.Lon != nil {
			box.add(position{*p.Lat, *p.Lon})
		}
	}
	if box.empty() {
		return nil
	}
	project, height := box.projection()
	out := &placeMap{ViewBox: fmt.Sprintf("0 0 %d %s", mapWidth, short(height))}
	for _, p := range places { // by path: what is below comes later, and is drawn above
		to, name := selectPath(under(p.Path), ""), names.Of(p.Path)
		switch {
		case len(shapes[p.Path]) > 0:
			var d strings.Builder
			for _, shape := range shapes[p.Path] {
				trace(&d, shape, project)
			}
			out.Outlines = append(out.Outlines, outline{to, name, d.String(), min(strings.Count(p.Path, "/"), 4)})
		case p.Lat != nil && p.Lon != nil && len(out.Points) < mostDrawn:
			x, y := project(position{*p.Lat, *p.Lon})
			out.Points = append(out.Points, point{to, name, short(x), short(y)})
		}
	}
	return out
}

// trace writes an outline; of one with too many points some are left out.
func trace(d *strings.Builder, shape []position, project func(position) (x, y float64)) {
	step := len(shape)/mostDrawn + 1
	for i := 0; i < len(shape); i += step {
		x, y := project(shape[i])
		d.WriteString(map[bool]string{true: "M", false: "L"}[i == 0])
		d.WriteString(short(x) + " " + short(y))
	}
	d.WriteByte('Z')
}

// positions reads a CAP polygon; nil where it is none.
func positions(text string) (out []position) {
	for _, pair := range strings.Fields(text) {
		lat, lon, _ := strings.Cut(pair, ",")
		p := position{}
		var errs [2]error
		p.lat, errs[0] = strconv.ParseFloat(lat, 64)
		p.lon, errs[1] = strconv.ParseFloat(lon, 64)
		if errs[0] != nil || errs[1] != nil || !p.plausible() {
			return nil
		}
		out = append(out, p)
	}
	return out
}

// plausible is false for what is nowhere, NaN too.
func (p position) plausible() bool { return math.Abs(p.lat) <= 90 && math.Abs(p.lon) <= 180 }

// bounds is the smallest box that holds positions.
type bounds struct{ south, west, north, east float64 }

func newBounds() *bounds {
	return &bounds{math.Inf(1), math.Inf(1), math.Inf(-1), math.Inf(-1)}
}

func (b *bounds) add(all ...position) {
	for _, p := range all {
		if p.plausible() {
			b.south, b.north = min(b.south, p.lat), max(b.north, p.lat)
			b.west, b.east = min(b.west, p.lon), max(b.east, p.lon)
		}
	}
}

func (b *bounds) empty() bool { return b.south > b.north }

// projection makes positions into places on the drawing, which is as high as it says: north is up, and
// a metre is as long in both directions at the middle.
func (b *bounds) projection() (project func(position) (x, y float64), height float64) {
	const least = 1e-4 // degrees, some ten metres: one point alone is a map, too
	narrow := math.Cos((b.south + b.north) / 2 * math.Pi / 180)
	wide, high := max((b.east-b.west)*narrow, least), max(b.north-b.south, least)
	scale := min((mapWidth-2*mapMargin)/wide, (mapWidth-2*mapMargin)/high) // never higher than wide
	left := (mapWidth - (b.east-b.west)*narrow*scale) / 2
	return func(p position) (float64, float64) {
		return left + (p.lon-b.west)*narrow*scale, mapMargin + (b.north-p.lat)*scale
	}, (b.north-b.south)*scale + 2*mapMargin
}

// short writes a coordinate of the drawing.
func short(v float64) string { return strconv.FormatFloat(v, 'f', 1, 64) }
