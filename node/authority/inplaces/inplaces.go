// Package inplaces keeps who is limited to places to the devices, members and places that are there, for each action of which the table
// of authority says so. Whom alerts address is held to places by authority itself. Of ours it imports only authority,
// wire, and what a path is.
package inplaces

import (
	"slices"
	"strings"

	"almenara/node/authority"
	"almenara/node/wire"
	"almenara/node/wire/why"
	"almenara/storage/audience"
)

// Holds reports whether the action holds the caller to places at all.
func Holds(by authority.Caller, action authority.Action) bool {
	return len(by.Places) > 0 && authority.LineOf(action).There
}

// Hold refuses (*wire.Problem) something at a place that is none of the caller's, and below none of them, where the
// action holds the caller to places. what names it, such as the id of a device; a place of "" is nowhere.
func Hold(by authority.Caller, action authority.Action, what, place string) error {
	if !Holds(by, action) || slices.ContainsFunc(by.Places, func(p string) bool { return audience.Path(audience.NormalKey(place)).Under(audience.Path(p)) }) {
		return nil
	}
	return wire.Problemf(wire.KindForbidden, "nothing was done: %.100s is not at %s, where %s may %s", what, strings.Join(by.Places, " or "), by.Name, action).
		Because(why.NotAtPlaces, what, strings.Join(by.Places, " · "))
}

// Lists are the places whose members are listed to the caller, of those whom an alert addressed; none is all of
// them. Who is limited to places learns of nobody elsewhere by such a list that they have a tag, a language or an
// address: by authority.MayAsk they could not have addressed them either.
func Lists(by authority.Caller, personal bool) []string {
	if !personal || authority.May(by, authority.ReadPersons) {
		return nil
	}
	return by.Places
}

// Whole refuses who is held to places what is asked of all places.
func Whole(by authority.Caller, action authority.Action) error {
	if !Holds(by, action) {
		return nil
	}
	return wire.Problemf(wire.KindForbidden, "nothing was done: %s may %s at %s alone; name the place", by.Name, action, strings.Join(by.Places, " and ")).
		Because(why.NameYourPlace, strings.Join(by.Places, " · "))
}
