package audience

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"almenara/storage/alert"
)

// Limits of the areas of one info block. A hostile area may cost a few
// milliseconds to resolve, not seconds.
const (
	MaxPolygonPoints  = 1_000
	MaxTargetPoints   = 20_000 // of all polygons and circles together
	MaxTargetGeocodes = 10_000
)

// ErrUnreadableArea refuses areas that cannot be read, wholly or in part: reading
// around them would reach others than the sender meant.
var ErrUnreadableArea = errors.New("the alert's area cannot be read")

// ErrNotAddressed refuses a Private alert without addresses and a Restricted one
// without a selection: nothing says who may get it.
var ErrNotAddressed = errors.New("the alert does not say who may get it")

// TargetOf makes the target of an info block: the union of the polygons, circles
// and geocodes of its areas, limited to whom restrict selects; the zero Selection
// is no limit. scope and addresses are the message's. knowsScheme tells whether
// any place of the district has geocodes of a valueName.
//
// A geocode that no place has reaches nobody. Areas without polygon, circle and
// geocode are only descriptions: restrict alone decides then.
//
// It returns ErrNoArea, ErrUnreadableArea or ErrNotAddressed, wrapped in a
// sentence, and never widens. Circles are turned into polygons here, once, with
// floating point: whoever resolves the target computes with whole numbers.
func TargetOf(info alert.Info, scope alert.Scope, addresses []string, restrict Selection, knowsScheme func(name string) bool) (Target, error) {
	t := Target{Select: restrict.String()}
	if err := t.readScope(scope, addresses); err != nil {
		return Target{}, err
	}
	for i, area := range info.Areas {
		if err := t.readArea(area); err != nil {
			return Target{}, fmt.Errorf("area %d (%s): %w: %w", i+1, clip(area.Description), ErrUnreadableArea, err)
		}
	}
	if !t.Area {
		if restrict.IsZero() {
			return Target{}, ErrNoArea
		}
		return t, nil
	}
	return t, t.checkGeocodes(knowsScheme)
}

// readScope sets who may get the alert at all (CAP 1.2 §3.2.1 scope).
func (t *Target) readScope(scope alert.Scope, addresses []string) error {
	switch scope {
	case alert.ScopePublic:
	case alert.ScopeRestricted:
		t.Private = true
		if t.Select == "" {
			return fmt.Errorf("%w: scope Restricted needs a selection", ErrNotAddressed)
		}
	case alert.ScopePrivate:
		t.Private = true
		for _, address := range addresses {
			if address != "" {
				t.Addresses = append(t.Addresses, address)
			}
		}
		if len(t.Addresses) == 0 {
			return fmt.Errorf("%w: scope Private needs addresses", ErrNotAddressed)
		}
	default:
		return fmt.Errorf("%w: scope %q is not Public, Restricted or Private", ErrNotAddressed, clip(string(scope)))
	}
	return nil
}

// readArea adds one area.
func (t *Target) readArea(area alert.Area) error {
	for _, text := range area.Polygons {
		polygon, err := parsePolygon(text, MaxPolygonPoints)
		if err != nil {
			return fmt.Errorf("polygon: %w", err)
		}
		t.Shapes = append(t.Shapes, polygon)
	}
	for _, text := range area.Circles {
		polygon, err := parseCircle(text)
		if err != nil {
			return fmt.Errorf("circle: %w", err)
		}
		t.Shapes = append(t.Shapes, polygon)
	}
	t.Geocodes = append(t.Geocodes, area.Geocodes...)
	t.Area = len(t.Shapes) > 0 || len(t.Geocodes) > 0
	return t.checkSize()
}

func (t *Target) checkSize() error {
	points := 0
	for _, shape := range t.Shapes {
		points += len(shape)
	}
	if points > MaxTargetPoints {
		return fmt.Errorf("the polygons have more than %d points", MaxTargetPoints)
	}
	if len(t.Geocodes) > MaxTargetGeocodes {
		return fmt.Errorf("%d geocodes, at most %d are allowed", len(t.Geocodes), MaxTargetGeocodes)
	}
	return nil
}

// checkGeocodes sorts the geocodes, and refuses when they are all there is and no
// place of the district can be named by any of them.
func (t *Target) checkGeocodes(knowsScheme func(string) bool) error {
	slices.SortFunc(t.Geocodes, func(a, b alert.Named) int {
		return cmp.Or(strings.Compare(a.Name, b.Name), strings.Compare(a.Value, b.Value))
	})
	t.Geocodes = slices.Compact(t.Geocodes)
	if len(t.Shapes) > 0 || slices.ContainsFunc(t.Geocodes, func(g alert.Named) bool { return knowsScheme(g.Name) }) {
		return nil
	}
	scheme := clip(t.Geocodes[0].Name)
	*t = Target{}
	return fmt.Errorf("%w: no place of the district has geocodes of the kind %q", ErrUnreadableArea, scheme)
}

// parsePolygon reads "lat,lon lat,lon …" (CAP 1.2 §3.2.4): at least four pairs,
// the last one equal to the first, and at most so many distinct ones. A pair may be repeated; a ring may cross itself.
func parsePolygon(text string, most int) (Polygon, error) {
	pairs := strings.Fields(text)
	if len(pairs) < 4 {
		return nil, fmt.Errorf("at least 4 coordinate pairs are expected, found %d", len(pairs))
	}
	if len(pairs) > most+1 {
		return nil, fmt.Errorf("it has %d points, at most %d are allowed", len(pairs)-1, most)
	}
	var p Polygon
	for _, pair := range pairs {
		at, err := parsePair(pair)
		if err != nil {
			return nil, err
		}
		if len(p) == 0 || p[len(p)-1] != at {
			p = append(p, at)
		}
	}
	if last := len(p) - 1; last == 0 || p[0] != p[last] {
		return nil, fmt.Errorf("it is not closed: it begins at %s and ends at %s", clip(pairs[0]), clip(pairs[len(pairs)-1]))
	}
	p = p[:len(p)-1]
	return p, p.check()
}

// parsePair reads "lat,lon".
func parsePair(text string) (Point, error) {
	lat, lon, ok := strings.Cut(text, ",")
	if !ok {
		return Point{}, fmt.Errorf("%q: a pair such as 22.3193,114.1694 is expected", clip(text))
	}
	y, err := parseDegrees(lat, maxLat)
	if err != nil {
		return Point{}, fmt.Errorf("latitude %w", err)
	}
	x, err := parseDegrees(lon, maxLon)
	if err != nil {
		return Point{}, fmt.Errorf("longitude %w", err)
	}
	return Point{Lat: y, Lon: x}, nil
}
