package authority

import (
	"slices"
	"strings"

	"almenara/node/wire"
	"almenara/node/wire/why"
	"almenara/storage/alert"
	"almenara/storage/audience"
)

// MayList refuses the list of whom an alert addressed where it is personal: it would tell the
// tags, languages or addresses of members, unless the caller may read persons or send.
func MayList(by Caller, personal bool) error {
	if !personal || May(by, ReadPersons) || May(by, Send) {
		return nil
	}
	return wire.Problemf(wire.KindForbidden,
		"whom the alert reached is listed only for the roles %s and %s, because it was addressed by tags, languages or addresses; the alert itself shows the counts", RoleAudienceManager, RoleComposer).Because(why.RoleMissing, role(RoleAudienceManager, RoleComposer))
}

// MayReadOriginal refuses the original of a message that has addresses, which may be telephone
// numbers, unless the caller may read persons.
func MayReadOriginal(by Caller, addresses []string) error {
	if len(addresses) == 0 || May(by, ReadPersons) {
		return nil
	}
	return wire.Problemf(wire.KindForbidden, "the message names single addresses, and its original is given only to the role %s", RoleAudienceManager).Because(why.RoleMissing, role(RoleAudienceManager))
}

// MayAsk refuses, from who is limited to places and may not read persons, what would be
// answered by something of members elsewhere: whether they have a tag or a language, where
// exactly they are, or at which address they are reached. Such a message asks for a place of
// theirs besides, which keeps everybody else out of every answer, a refusal included. restrict is
// the message's selection.
func MayAsk(by Caller, restrict audience.Selection, a *alert.Alert) error {
	if len(by.Places) == 0 || May(by, ReadPersons) || restrict.Below(by.Places...) {
		return nil
	}
	shaped := slices.ContainsFunc(a.Infos, func(i alert.Info) bool {
		return slices.ContainsFunc(i.Areas, func(area alert.Area) bool { return len(area.Polygons)+len(area.Circles) > 0 })
	})
	if !restrict.Personal() && len(a.Addresses) == 0 && (restrict.IsZero() || !shaped) {
		return nil
	}
	return wire.Problemf(wire.KindForbidden,
		"nothing was sent: %s, who is limited to %s, selects by tags, languages, addresses, or within shapes, only together with a place of theirs; add to the selection: and place under %s",
		by.Name, strings.Join(by.Places, " and "), by.Places[0]).Because(why.SelectInPlaces, by.Places[0])
}
