// Package areas reads the areas of a message, once, where it enters the district: they become
// targets. It knows no member and may never import lookup.
package areas

import (
	"cmp"
	"slices"
	"strings"

	"almenara/storage/alert"
	"almenara/storage/audience"
	"almenara/storage/audience/geometry"
	"almenara/storage/coded"
)

// Limits of the areas of a message. A hostile area may cost a few milliseconds to
// resolve, not seconds.
const (
	// MaxPoints bounds the points of the different polygons and circles of all info
	// blocks together. What has more is simplified outward; see MaxExcess.
	MaxPoints   = 20_000
	MaxGeocodes = 10_000 // of one info block
)

// Rule is that of the findings about areas that are read as something else than was written.
const Rule = "area-changed"

// ErrUnreadableArea refuses areas that cannot be read, wholly or in part: reading
// around them would reach others than the sender meant.
var ErrUnreadableArea = coded.New("area-unreadable", "the alert's area cannot be read")

// ErrNotAddressed refuses a Private alert without addresses and a Restricted one
// without a selection: nothing says who may get it.
var ErrNotAddressed = coded.New("not-addressed", "the alert does not say who may get it")

// TargetsOf makes the targets of a message, one for each info block: the union of the
// polygons, circles and geocodes of its areas, without the holes that EXCLUDE_POLYGON
// names, limited to whom restrict selects; the zero Selection is no limit. knowsScheme
// tells whether any place of the district has geocodes of a valueName.
//
// A geocode that no place has reaches nobody, as do a circle of radius 0 and a polygon
// that encloses nothing. Where there is nothing else, areas are only descriptions:
// restrict alone decides then. Polygons of more than MaxPoints together are
// simplified outward. notes are findings for the sender on all of this.
//
// It returns ErrNoArea, ErrUnreadableArea or ErrNotAddressed, wrapped in a
// sentence, and never widens further than MaxExcess. Circles are turned into polygons
// here, once, with floating point: whoever resolves the targets computes with whole numbers.
func TargetsOf(a *alert.Alert, restrict audience.Selection, knowsScheme func(name string) bool) (targets []audience.Target, notes alert.Findings, err error) {
	r := areaReader{read: map[string]geometry.Polygon{}, tests: geometry.MostHoleTests}
	targets = make([]audience.Target, len(a.Infos))
	for n := range a.Infos {
		if targets[n], err = r.target(a, n, restrict, knowsScheme); err != nil {
			if len(a.Infos) > 1 {
				err = coded.Errorf("info-at", "info %d: %w", n+1, err)
			}
			return nil, nil, err
		}
	}
	if err := r.simplify(targets); err != nil {
		return nil, nil, err
	}
	return targets, r.notes, nil
}

// TargetOf is TargetsOf for one info block of a message with the scope and addresses.
func TargetOf(info alert.Info, scope alert.Scope, addresses []string, restrict audience.Selection, knowsScheme func(name string) bool) (audience.Target, error) {
	targets, _, err := TargetsOf(&alert.Alert{Scope: scope, Addresses: addresses, Infos: []alert.Info{info}}, restrict, knowsScheme)
	if err != nil {
		return audience.Target{}, err
	}
	return targets[0], nil
}

// readScope sets who may get the alert at all (CAP 1.2 §3.2.1 scope).
func readScope(t *audience.Target, scope alert.Scope, addresses []string) error {
	switch scope {
	case alert.ScopePublic:
	case alert.ScopeRestricted:
		t.Private = true
		if t.Select == "" {
			return coded.Errorf("restricted-selection", "%w: scope Restricted needs a selection", ErrNotAddressed)
		}
	case alert.ScopePrivate:
		t.Private = true
		for _, address := range addresses {
			if address != "" {
				t.Addresses = append(t.Addresses, address)
			}
		}
		if len(t.Addresses) == 0 {
			return coded.Errorf("private-addresses", "%w: scope Private needs addresses", ErrNotAddressed)
		}
	default:
		return coded.Errorf("scope-unknown", "%w: scope %q is not Public, Restricted or Private", ErrNotAddressed, audience.Clip(string(scope)))
	}
	return nil
}

// checkGeocodes sorts the geocodes, and refuses when they are all there is and no
// place of the district can be named by any of them.
func checkGeocodes(t *audience.Target, knowsScheme func(string) bool) error {
	slices.SortFunc(t.Geocodes, func(a, b alert.Named) int {
		return cmp.Or(strings.Compare(a.Name, b.Name), strings.Compare(a.Value, b.Value))
	})
	t.Geocodes = slices.Compact(t.Geocodes)
	if len(t.Shapes) > 0 || slices.ContainsFunc(t.Geocodes, func(g alert.Named) bool { return knowsScheme(g.Name) }) {
		return nil
	}
	scheme := audience.Clip(t.Geocodes[0].Name)
	*t = audience.Target{}
	return coded.Errorf("geocode-kind", "%w: no place of the district has geocodes of the kind %q", ErrUnreadableArea, scheme)
}
