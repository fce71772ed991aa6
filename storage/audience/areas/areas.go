package areas

import (
	"errors"
	"slices"
	"strings"

	"almenara/storage/alert"
	"almenara/storage/audience"
	"almenara/storage/audience/geometry"
	"almenara/storage/coded"
)

// areaReader reads the areas of the info blocks of one message. Blocks of different
// languages name the same shapes: each is read, and later simplified, once.
type areaReader struct {
	notes alert.Findings
	read  map[string]geometry.Polygon // what a text of an area became
	tests int                         // what may still be spent on holes
	there map[*geometry.Point]bool    // the shapes that the target in hand has, by their first point
}

// mostNotes bounds what a hostile message makes us say.
const mostNotes = 20

// note adds a note, of which code names the sentence.
func (r *areaReader) note(code, format string, args ...any) {
	if len(r.notes) < mostNotes {
		values := slices.DeleteFunc(slices.Clone(args), func(v any) bool { _, ok := v.(error); return ok })
		r.notes.Add(alert.Warn, Rule, format, args...).As(code, values...)
	}
}

// target makes the target of info block n.
func (r *areaReader) target(a *alert.Alert, n int, restrict audience.Selection, knowsScheme func(string) bool) (audience.Target, error) {
	t := audience.Target{Select: restrict.String()}
	if err := readScope(&t, a.Scope, a.Addresses); err != nil {
		return audience.Target{}, err
	}
	r.there = map[*geometry.Point]bool{}
	var nothing error // the last shape that holds no place
	for i, area := range a.Infos[n].Areas {
		holds, err := r.area(&t, area)
		if err != nil {
			return audience.Target{}, coded.Errorf("area-at", "area %d (%s): %w: %w", i+1, audience.Clip(area.Description), ErrUnreadableArea, err)
		}
		if holds != nil {
			nothing = holds
		}
	}
	switch {
	case geometry.Tangled(t.Shapes):
		return audience.Target{}, coded.Errorf("area-tangled", "%w: its shapes have hundreds of edges that lie across each other, which no area has; draw its border alone", ErrUnreadableArea)
	case t.Area:
		return t, checkGeocodes(&t, knowsScheme)
	case restrict.IsZero() && nothing != nil:
		return audience.Target{}, coded.Errorf("area-nothing", "%w; all there is holds no place: %w", audience.ErrNoArea, nothing)
	case restrict.IsZero():
		return audience.Target{}, audience.ErrNoArea
	case nothing != nil:
		r.note("areas-empty", "%sits areas hold no place, so the selection alone says who gets it (%v)", alert.Place{Info: n + 1}, nothing)
	}
	return t, nil
}

// area adds one area to the target. nothing says which of its shapes hold no place.
func (r *areaReader) area(t *audience.Target, area alert.Area) (nothing, err error) {
	var shapes []geometry.Polygon
	first := false          // a shape is read for the first time
	var key strings.Builder // of the holes: the same polygon without them is another
	holes := r.holes(area, &key)
	add := func(kind, text string, parse func(string) (geometry.Polygon, error)) error {
		p, known := r.read[kind+text+key.String()]
		if !known {
			if p, err = parse(text); err != nil {
				err = coded.Errorf("area-shape", "%s: %w", kind, err)
				if errors.Is(err, geometry.ErrNothing) {
					nothing, err = err, nil
				}
				return err
			}
			first = true
			p = r.cut(p, holes)
			r.read[kind+text+key.String()] = p
		}
		shapes = append(shapes, p)
		return nil
	}
	for _, text := range area.Polygons {
		if err := add("polygon", text, func(s string) (geometry.Polygon, error) { return geometry.ParsePolygon(s, alert.MaxPoints) }); err != nil {
			return nothing, err
		}
	}
	for _, text := range area.Circles {
		if err := add("circle", text, geometry.ParseCircle); err != nil {
			return nothing, err
		}
	}
	for _, h := range holes {
		if !h.used && first {
			r.note("hole-outside", "a hole of area %s does not lie inside one of its polygons, or touches its border; it is warned, too", audience.Clip(area.Description))
		}
	}
	for _, p := range shapes {
		if !r.there[&p[0]] {
			r.there[&p[0]] = true
			t.Shapes = append(t.Shapes, p)
		}
	}
	for _, g := range area.Geocodes {
		if g.Name == alert.ExcludePolygon {
			continue
		}
		for _, code := range g.Codes() {
			t.Geocodes = append(t.Geocodes, alert.Named{Name: g.Name, Value: code})
		}
	}
	t.Area = len(t.Shapes) > 0 || len(t.Geocodes) > 0
	if len(t.Geocodes) > MaxGeocodes {
		return nothing, coded.Errorf("geocodes-many", "%d geocodes, at most %d are allowed", len(t.Geocodes), MaxGeocodes)
	}
	return nothing, nil
}

// hole is one EXCLUDE_POLYGON of an area.
type hole struct {
	ring geometry.Polygon
	used bool
}

// mostHoles bounds the holes of one area; a warning of Deutscher Wetterdienst has a few.
const mostHoles = 200

// holes reads the holes of an area. One that cannot be read stays a part of the area: to
// warn more people than were meant is better than to warn nobody.
func (r *areaReader) holes(area alert.Area, key *strings.Builder) []*hole {
	var holes []*hole
	for _, g := range area.Geocodes {
		if g.Name != alert.ExcludePolygon {
			continue
		}
		ring, err := geometry.ParsePolygon(g.Value, audience.MaxShapePoints)
		switch {
		case err != nil:
			r.note("hole-unreadable", "a hole of area %s cannot be read, and is warned, too: %v", audience.Clip(area.Description), err)
		case len(holes) == mostHoles:
			r.note("holes-many", "area %s has more than %d holes; the others are warned, too", audience.Clip(area.Description), mostHoles)
			return holes
		default:
			holes = append(holes, &hole{ring: ring})
			key.WriteString("\x00" + g.Value)
		}
	}
	return holes
}

// cut takes the holes out of the polygon.
func (r *areaReader) cut(p geometry.Polygon, holes []*hole) geometry.Polygon {
	for _, h := range holes {
		if out, ok := p.Without(h.ring, &r.tests); ok {
			p, h.used = out, true
		}
	}
	return p
}

// simplify makes the shapes of the targets small enough to travel and to be resolved,
// with the least excess that is enough.
func (r *areaReader) simplify(targets []audience.Target) error {
	different := map[*geometry.Point]geometry.Polygon{}
	total := 0
	for _, t := range targets {
		for _, p := range t.Shapes {
			if _, seen := different[&p[0]]; !seen {
				different[&p[0]] = p
				total += len(p)
			}
		}
	}
	if total <= MaxPoints {
		return nil
	}
	for excess := int64(geometry.FirstExcess); excess <= geometry.MaxExcess; excess *= 2 {
		simpler, now := map[*geometry.Point][]geometry.Polygon{}, 0
		for at, p := range different {
			simpler[at] = []geometry.Polygon{p}
			if less := geometry.Outward(p, excess); geometry.CountPoints(less) < len(p) {
				simpler[at] = less
			}
			now += geometry.CountPoints(simpler[at])
		}
		if now > MaxPoints {
			continue
		}
		for n := range targets {
			var shapes []geometry.Polygon
			for _, p := range targets[n].Shapes {
				shapes = append(shapes, simpler[&p[0]]...)
			}
			targets[n].Shapes = shapes
		}
		r.note("outlines-widened", "the outlines have %d points together; they are widened by up to %d m to pass with %d", total, (excess+2)*111_320/geometry.UnitsPerDegree+1, now)
		return nil
	}
	return coded.Errorf("outlines-large", "%w: the outlines have %d points together, which cannot be made %d by widening them by less than 1 km",
		ErrUnreadableArea, total, MaxPoints)
}
