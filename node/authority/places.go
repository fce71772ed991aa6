package authority

import (
	"fmt"
	"strings"

	"github.com/RoaringBitmap/roaring/v2"

	"almenara/node/wire"
	"almenara/node/wire/why"
	"almenara/storage/audience"
	"almenara/storage/audience/lookup"
)

// Under selects everybody below any of the places; none gives the zero selection.
func Under(places ...string) (audience.Selection, error) {
	var terms []string
	for _, p := range places {
		quoted := strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(p)
		terms = append(terms, `place under "`+quoted+`"`)
	}
	if len(terms) == 0 {
		return audience.Selection{}, nil
	}
	s, err := audience.Parse(strings.Join(terms, " or "))
	if err != nil {
		return s, wire.Problemf(wire.KindRefused, "%s is not a place: %v", strings.Join(places, ", "), err).Because(why.NoPlace, strings.Join(places, " · "), err)
	}
	return s, nil
}

// outside counts the members that are not below any of the places.
func (r *Rules) outside(members *roaring.Bitmap, places ...string) (uint64, error) {
	under, err := Under(places...)
	if err != nil {
		return 0, err
	}
	inside, err := r.Audience().Select(under)
	if err != nil {
		return 0, fmt.Errorf("selecting a place: %w", err)
	}
	return roaring.AndNot(members, inside).GetCardinality(), nil
}

// reach is whom a message addresses now.
type reach struct {
	perInfo []*roaring.Bitmap // by info block
	members *roaring.Bitmap   // their union
}

// reach resolves the targets of a message, and of others whose audience it speaks to
// because they are of one incident.
func (r *Rules) reach(m Message, also ...Message) (reach, error) {
	out := reach{members: roaring.New()}
	for n, one := range append([]Message{m}, also...) {
		targets, err := one.Targets()
		if err != nil {
			return reach{}, fmt.Errorf("reading whom a message addresses: %w", err)
		}
		for i, t := range targets {
			switch {
			case n > 0:
				i = min(i, len(out.perInfo)-1)
			case len(one.Infos) > 0: // of groups that are called one after the other
				i %= len(one.Infos)
			}
			if err := out.add(r.Audience(), t, i); err != nil {
				return reach{}, err
			}
		}
	}
	return out, nil
}

// add adds whom a target addresses to those of an info block; a negative one is none.
func (out *reach) add(index *lookup.Index, t audience.Target, info int) error {
	found, err := index.Resolve(t)
	if err != nil {
		return fmt.Errorf("resolving targets: %w", err)
	}
	out.members.Or(found.Members)
	switch {
	case info < 0:
	case info == len(out.perInfo):
		out.perInfo = append(out.perInfo, found.Members)
	default:
		out.perInfo[info].Or(found.Members)
	}
	return nil
}

// inside keeps a caller of some places to those.
func (r *Rules) inside(by Caller, members *roaring.Bitmap, done, does string) error {
	if len(by.Places) == 0 {
		return nil
	}
	outside, err := r.outside(members, by.Places...)
	if err != nil {
		return err
	}
	if outside > 0 {
		return wire.Problemf(wire.KindForbidden, "nothing was %s: it addresses %d members outside %s, where %s may %s",
			done, outside, strings.Join(by.Places, " and "), by.Name, does).Because(why.OutsidePlaces, outside, strings.Join(by.Places, " · "))
	}
	return nil
}
