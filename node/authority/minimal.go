package authority

import (
	"fmt"

	"almenara/node/wire"
	"almenara/node/wire/why"
	"almenara/storage/audience"
)

// FewestMembers is the smallest number of members that a count of tags or languages may be
// about, where the caller may not read them. No rule gives the number: it is small enough that
// a block of flats can still be counted, and no family is told by a count.
const FewestMembers = 5

// Minimal takes out of the answer to a selection what the caller may not know: names and
// what else is known of persons, and, where the selection asks for tags or languages,
// who was selected and every count that says something of fewer than FewestMembers. It refuses
// what would tell of single members however it is rounded: what is not Plain, because a total
// says nothing of few only where every part of the selection is about many. Whom an alert
// addresses is still counted exactly for its operators; see MinimalAlert.
func Minimal(by Caller, s audience.Selection, out *wire.Selected) error {
	if May(by, ReadPersons) {
		return nil
	}
	for i, m := range out.Members {
		out.Members[i] = wire.Member{ID: m.ID, Kind: m.Kind, Place: m.Place}
	}
	if !s.Personal() {
		return nil
	}
	if s.NamesMembers() {
		return wire.Problemf(wire.KindForbidden, "this would tell the tags or languages of members who are named by their ids, which needs the role %s", RoleAudienceManager).Because(why.TellsOfFew, role(RoleAudienceManager))
	}
	if !s.Plain() {
		return wire.Problemf(wire.KindForbidden,
			"tags and languages are counted here only over kinds and whole blocks, joined by and: or, not, single places and smaller ones would tell them of single members, which needs the role %s", RoleAudienceManager).Because(why.TellsOfFew, role(RoleAudienceManager))
	}
	if out.Counts.Total < FewestMembers {
		return wire.Problemf(wire.KindForbidden,
			"fewer than %d members are selected, or none, and what is known of so few needs the role %s; an alert may be sent to them all the same",
			FewestMembers, RoleAudienceManager).Because(why.FewSelected, FewestMembers, role(RoleAudienceManager))
	}
	out.Members, out.Next, out.RoundedTo = nil, "", FewestMembers
	minimalCounts(&out.Counts)
	return nil
}

// MinimalSelected is Minimal for the selection that the answer itself names, which is in its canonical
// form; an answer that names none is about everybody.
func MinimalSelected(by Caller, out *wire.Selected) error {
	var asked audience.Selection
	if out.Expression != "" {
		var err error
		if asked, err = audience.Parse(out.Expression); err != nil {
			return fmt.Errorf("reading what was selected: %w", err)
		}
	}
	return Minimal(by, asked, out)
}

// rounded leaves out the lines of too few.
func rounded(lines []wire.Count) (out []wire.Count) {
	for _, line := range lines {
		if line.Count = inFives(line.Count); line.Count > 0 {
			out = append(out, line)
		}
	}
	return out
}

// inFives rounds down, so that one member more or less is seldom seen.
func inFives[N int | uint32 | uint64](n N) N { return n / FewestMembers * FewestMembers }
