package view

import (
	"almenara/node/web/console/frame"
	"almenara/node/wire"
)

// Audience is whom a message would address, in words.
type Audience struct {
	Total, Dark    uint64
	DarkKnown      bool   // Dark is how many of them have no device that is connected
	Unanswered     int    // nodes that did not answer, where further devices may be connected
	Unlocated      uint64 // members that no shape can reach
	ByKind, Places []Counted
}

// Counted is one line of counts.
type Counted struct{ Name, Count string }

// AudienceOf is counts in the person's language.
func AudienceOf(q *frame.Request, c wire.Counts, names PlaceNames) *Audience {
	a := &Audience{Total: c.Total}
	for _, n := range c.ByKind {
		a.ByKind = append(a.ByKind, Counted{q.Lang.Or("kind.", n.Name), Show(n.Count)})
	}
	for _, n := range c.ByPlace {
		a.Places = append(a.Places, Counted{names.Of(n.Name), Show(n.Count)})
	}
	return a
}

// NoiseOf asks a person who is about to send whether it is needed, where people of some block were made to
// listen often within the hour; "" where they were not.
func NoiseOf(q *frame.Request, out wire.Outcome, names PlaceNames) string {
	if out.Noise == nil {
		return ""
	}
	return q.Lang.T("view.noise", out.Noise.Count, names.Of(out.Noise.Place))
}
