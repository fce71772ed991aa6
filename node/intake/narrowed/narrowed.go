// Package narrowed is the selection of a message on its way in: read as it was typed, within that of its scenario, kept to
// the places of its author and of a licence. What no node could read back is refused. It never imports another part of
// the node but node/authority and node/wire.
package narrowed

import (
	"almenara/node/authority"
	"almenara/node/wire"
	"almenara/node/wire/why"
	"almenara/storage/audience"
)

// Spellings knows how the district writes what selections name; *lookup.Index is one.
type Spellings interface {
	WithSpellings(audience.Selection) audience.Selection
}

// Read reads the selection that narrows the areas; the zero one is no limit.
func Read(text string, index Spellings) (audience.Selection, error) {
	if text == "" {
		return audience.Selection{}, nil
	}
	limit, err := audience.Parse(text)
	if err != nil {
		return limit, wire.Problemf(wire.KindMalformed, "the selection cannot be read: %v", err).Because(why.SelectionWrong, err)
	}
	return index.WithSpellings(limit), nil
}

// Both is what a request selects within what its scenario selects.
func Both(scenario, selected string, index Spellings) (audience.Selection, error) {
	limit, err := Read(selected, index)
	if err != nil || scenario == "" {
		return limit, err
	}
	own, err := Read(scenario, index)
	if err != nil {
		return own, err
	}
	both := own.And(limit)
	if _, err := both.Written(); err != nil {
		return both, wire.Problemf(wire.KindMalformed, "nothing was sent: the selection cannot be kept to that of the scenario: %v", err).Because(why.SelectionWrong, err)
	}
	return both, nil
}

// Kept is a selection kept to the places of its author, and to that of a licence where that is not empty. The error is a
// *audience.SyntaxError, also beside the text: no node could read it.
func Kept(limit audience.Selection, own []string, licensed string) (string, error) {
	var licence []string
	if licensed != "" {
		licence = []string{licensed}
	}
	for _, places := range [][]string{own, licence} {
		if under, err := authority.Under(places...); err == nil { // no user and no licence has another
			limit = limit.Within(under)
		}
	}
	return limit.Written()
}
