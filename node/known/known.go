// Package known refuses what a district cannot mean: a kind that no member has and none usually
// has, and a place that is not in the district. Whatever is in it may still come, so a place below
// one that is known passes, and so does a kind that somebody has. It reads the audience alone and
// never imports another part of node but wire.
package known

import (
	"strings"

	"almenara/node/wire"
	"almenara/node/wire/why"
	"almenara/storage/alert"
	"almenara/storage/alert/visited"
	"almenara/storage/audience"
	"almenara/storage/audience/imports"
)

// Audience is what is known; *lookup.Index is one.
type Audience interface {
	HasKind(audience.Kind) bool
	MayHold(audience.Path) bool
}

// Places refuses, with a *wire.Problem, places that cannot be in the district. Whoever was limited to
// one, or licensed for it, could warn nobody, and would find out in the night.
func Places(in Audience, places ...string) error {
	for _, p := range places {
		if path := audience.Path(p); !in.MayHold(path) {
			return wire.Problemf(wire.KindRefused, "the place %s is not in the district: no place of it begins with %s; put that place first if it is new; nothing was changed", p, path.Cut(1)).Because(why.PlaceUnknown, p, path.Cut(1))
		}
	}
	return nil
}

// Visited rejects an alert that recalls who was at a place which the district does not have: nobody can have checked
// in there.
func Visited(in Tree, a *alert.Alert) (found alert.Findings) {
	for _, v := range visited.In(a.Infos) {
		if a.MsgType != alert.MsgTypeCancel && !Has(in, audience.Path(v.Place)) {
			found.Add(alert.Reject, "visited-unknown", "it recalls visitors of %s, which is no place of the district", v.Place)
		}
	}
	return found
}

// Kinds refuses kinds that nobody has and that are none of the usual ones.
func Kinds(in Audience, kinds ...string) error {
	for _, k := range kinds {
		if kind := audience.Kind(k); !imports.Usual(kind) && !in.HasKind(kind) {
			return wire.Problemf(wire.KindRefused, "the kind %s is none that the district has; usual are %s; nothing was changed", k, imports.UsualKinds()).Because(why.KindUnknown, k, strings.ReplaceAll(imports.UsualKinds(), ", ", " · "))
		}
	}
	return nil
}

// Selection refuses a selection that names such a place or kind.
func Selection(in Audience, s audience.Selection) error { return below(in, s.Root()) }

func below(in Audience, n audience.Node) error {
	switch n.Op {
	case audience.OpKind:
		return Kinds(in, n.Values...)
	case audience.OpPlace, audience.OpPlaceUnder:
		return Places(in, n.Values...)
	}
	for _, kid := range n.Kids {
		if err := below(in, kid); err != nil {
			return err
		}
	}
	return nil
}

// SelectsNobody refuses to send to a selection that selects nobody. It says which place of it the district does not
// have: a path is often cut short, and nobody sees that of a selection.
func SelectsNobody(in Tree, s audience.Selection) error {
	for _, term := range termsIn(s.Root()) {
		if isPlace(term) && !Has(in, audience.Path(term.Values[0])) {
			place := term.Values[0]
			return wire.Problemf(wire.KindRefused, "nothing was sent: the selection %s selects nobody; %s", s, noPlace(place)).Because(why.SelectsNoPlace, s.String(), place)
		}
	}
	return wire.Problemf(wire.KindRefused, "nothing was sent: the selection %s selects nobody", s).Because(why.SelectsNobody, s.String())
}
