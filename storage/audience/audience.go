// Package audience holds the words for who is to be reached: members, places, the selection
// grammar, and targets; what each of them may hold, and how members are recorded. Who they are in
// a district is known to lookup, what messages address to areas, and files of members are read by
// imports; it imports none of them.
package audience

import (
	"almenara/storage/alert"
	"almenara/storage/audience/geometry"
	"almenara/storage/coded"
)

// Member is who is to be reached: a place's equipment or a person's.
type Member struct {
	ID        string // [A-Za-z0-9._-]{1,64}, unique in the district
	Name      string // for people and reports; may be empty
	Kind      Kind
	Place     Path
	Tags      []Tag           // sorted by name, then value; at most 32
	Languages []string        // preferred first, RFC 5646; empty means all
	Location  *geometry.Point // nil: the place's
	Endpoints []Endpoint
}

// Kind says what a member is: screen, speaker, siren, kiosk, phone, person, or
// another lower-case word. It decides whether the public can see or hear it.
type Kind string

// The kinds that the district treats specially. Every other kind counts as public.
const (
	KindScreen  Kind = "screen"
	KindSpeaker Kind = "speaker"
	KindPhone   Kind = "phone"
	KindPerson  Kind = "person"
)

// Public reports whether anybody who stands near can see or hear what the member
// gets. Private and Restricted alerts never go there. Unknown kinds are public.
func (k Kind) Public() bool { return k != KindPhone && k != KindPerson }

// Path is a place: district/estate/block/floor-or-lift, lower-case segments of
// letters of any script, digits, '-' and '_', at most 8 deep.
type Path string

// Tag is one fact about a member, for example risk=high.
type Tag struct{ Name, Value string }

// Endpoint is one way to reach a member, for example {mqtt, lift-0042}.
type Endpoint struct{ Channel, Address string }

// Address is how one member is reached on one channel.
type Address struct {
	Member    uint32 // ordinal
	Address   string
	Languages []string // of the member, preferred first; empty means all
}

// Place is one node of the place tree that has more than its path: names, codes,
// a position or an outline.
type Place struct {
	Path     Path
	Names    []Text
	Geocodes []alert.Named // as CAP areas cite them, for example {HK-DC, L}
	Location *geometry.Point
	Shape    []geometry.Polygon
}

// Text is a text in one language.
type Text struct{ Language, Text string }

// Target is whom one info block addresses, made once where the alert entered the
// district and carried with it. Area (shapes, geocodes) and Select are both
// limits: a member must pass every one that is present.
type Target struct {
	Select    string             // the selection in canonical form; "" is no limit
	Shapes    []geometry.Polygon // any of them contains the member (circles become polygons)
	Geocodes  []alert.Named      // or any of them names its place
	Area      bool               // the info block had areas: Shapes or Geocodes must match
	Private   bool               // only members whose kind is not public
	Addresses []string           // not empty: only these member ids or endpoint addresses
}

// ErrNoArea refuses a target that says neither where nor who: no area, or areas
// that only have a description, and no selection.
var ErrNoArea = coded.New("no-area", "the alert names no area: a polygon, a circle, a geocode or a selection is expected")
