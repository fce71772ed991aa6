package lookup

import (
	"slices"
	"strings"

	"almenara/storage/audience"
	"almenara/storage/audience/audiencetest"
	"almenara/storage/audience/geometry"
	"almenara/storage/audience/geometry/geometrytest"
)

// model is the index done naively: a map of members and a map of places, asked
// one member at a time.
type model struct {
	members map[uint32]*audience.Member
	places  map[audience.Path]audience.Place
}

func newModel() *model {
	return &model{members: map[uint32]*audience.Member{}, places: map[audience.Path]audience.Place{}}
}

func (o *model) put(ord uint32, m *audience.Member) {
	for other, old := range o.members {
		if old.ID == m.ID {
			delete(o.members, other)
		}
	}
	o.members[ord] = m
}

// selects evaluates a Node for one member, straight from the definition.
func (o *model) selects(n audience.Node, m *audience.Member) bool {
	switch n.Op {
	case audience.OpAnd:
		return !slices.ContainsFunc(n.Kids, func(k audience.Node) bool { return !o.selects(k, m) })
	case audience.OpOr:
		return slices.ContainsFunc(n.Kids, func(k audience.Node) bool { return o.selects(k, m) })
	case audience.OpNot:
		return !o.selects(n.Kids[0], m)
	case audience.OpAll:
		return true
	case audience.OpHas:
		return slices.ContainsFunc(m.Tags, func(t audience.Tag) bool { return t.Name == n.Tag })
	}
	return slices.ContainsFunc(n.Values, func(v string) bool {
		switch n.Op {
		case audience.OpPlaceUnder:
			return string(m.Place) == v || strings.HasPrefix(string(m.Place), v+"/")
		case audience.OpPlace:
			return string(m.Place) == v
		case audience.OpKind:
			return string(m.Kind) == v
		case audience.OpID:
			return m.ID == v
		case audience.OpLanguage:
			return len(m.Languages) == 0 || slices.ContainsFunc(m.Languages, func(l string) bool {
				return strings.HasPrefix(strings.ToLower(l)+"-", strings.ToLower(v)+"-")
			})
		default:
			return slices.Contains(m.Tags, audience.Tag{Name: n.Tag, Value: v})
		}
	})
}

func (o *model) selected(s audience.Selection) []uint32 {
	var found []uint32
	for ord, m := range o.members {
		if o.selects(s.Root(), m) {
			found = append(found, ord)
		}
	}
	slices.Sort(found)
	return found
}

// position is where the member is judged to be: a point, or outlines, or neither.
func (o *model) position(m *audience.Member) (*geometry.Point, []geometry.Polygon) {
	if m.Location != nil {
		return m.Location, nil
	}
	for path := m.Place; path.Parent() != ""; path = path.Parent() {
		if p := o.places[path]; len(p.Shape) > 0 {
			return nil, p.Shape
		} else if p.Location != nil {
			return p.Location, nil
		}
	}
	return nil, nil
}

func (o *model) named(t audience.Target, m *audience.Member) bool {
	for path := m.Place; path != ""; path = path.Parent() {
		for _, code := range o.places[path].Geocodes {
			if slices.Contains(t.Geocodes, code) {
				return true
			}
		}
	}
	return false
}

func (o *model) inside(t audience.Target, m *audience.Member) bool {
	at, outlines := o.position(m)
	return slices.ContainsFunc(t.Shapes, func(p geometry.Polygon) bool {
		if at != nil {
			return geometrytest.NaiveContains(p, *at)
		}
		return slices.ContainsFunc(outlines, func(q geometry.Polygon) bool { return p.Overlaps(q) })
	})
}

// resolve returns whom the target reaches and how many have no position.
func (o *model) resolve(t audience.Target) (found []uint32, nowhere uint64) {
	for ord, m := range o.members {
		if t.Select != "" && !o.selects(audiencetest.MustParse(t.Select).Root(), m) || t.Private && m.Kind.Public() {
			continue
		}
		if len(t.Addresses) > 0 && !slices.ContainsFunc(t.Addresses, func(a string) bool {
			return a == m.ID || slices.ContainsFunc(m.Endpoints, func(e audience.Endpoint) bool { return e.Address == a })
		}) {
			continue
		}
		at, outlines := o.position(m)
		switch {
		case !t.Area || o.named(t, m) || o.inside(t, m):
			found = append(found, ord)
		case at == nil && outlines == nil && len(t.Shapes) > 0:
			nowhere++
		}
	}
	slices.Sort(found)
	return found, nowhere
}
