package audience

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"almenara/storage/alert"
	"almenara/storage/audience/geometry"
	"almenara/storage/audience/geometry/geometrytest"
)

// model is the index done naively: a map of members and a map of places, asked
// one member at a time.
type model struct {
	members map[uint32]*Member
	places  map[Path]Place
}

func newModel() *model {
	return &model{members: map[uint32]*Member{}, places: map[Path]Place{}}
}

func (o *model) put(ord uint32, m *Member) {
	for other, old := range o.members {
		if old.ID == m.ID {
			delete(o.members, other)
		}
	}
	o.members[ord] = m
}

// selects evaluates a node for one member, straight from the definition.
func (o *model) selects(n node, m *Member) bool {
	switch n.op {
	case opAnd:
		return !slices.ContainsFunc(n.kids, func(k node) bool { return !o.selects(k, m) })
	case opOr:
		return slices.ContainsFunc(n.kids, func(k node) bool { return o.selects(k, m) })
	case opNot:
		return !o.selects(n.kids[0], m)
	case opAll:
		return true
	case opHas:
		return slices.ContainsFunc(m.Tags, func(t Tag) bool { return t.Name == n.tag })
	}
	return slices.ContainsFunc(n.values, func(v string) bool {
		switch n.op {
		case opPlaceUnder:
			return string(m.Place) == v || strings.HasPrefix(string(m.Place), v+"/")
		case opPlace:
			return string(m.Place) == v
		case opKind:
			return string(m.Kind) == v
		case opID:
			return m.ID == v
		case opLanguage:
			return len(m.Languages) == 0 || slices.ContainsFunc(m.Languages, func(l string) bool {
				return strings.HasPrefix(strings.ToLower(l)+"-", strings.ToLower(v)+"-")
			})
		default:
			return slices.Contains(m.Tags, Tag{n.tag, v})
		}
	})
}

func (o *model) selected(s Selection) []uint32 {
	var found []uint32
	for ord, m := range o.members {
		if o.selects(s.root, m) {
			found = append(found, ord)
		}
	}
	slices.Sort(found)
	return found
}

// position is where the member is judged to be: a point, or outlines, or neither.
func (o *model) position(m *Member) (*geometry.Point, []geometry.Polygon) {
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

func (o *model) named(t Target, m *Member) bool {
	for path := m.Place; path != ""; path = path.Parent() {
		for _, code := range o.places[path].Geocodes {
			if slices.Contains(t.Geocodes, code) {
				return true
			}
		}
	}
	return false
}

func (o *model) inside(t Target, m *Member) bool {
	at, outlines := o.position(m)
	return slices.ContainsFunc(t.Shapes, func(p geometry.Polygon) bool {
		if at != nil {
			return geometrytest.NaiveContains(p, *at)
		}
		return slices.ContainsFunc(outlines, func(q geometry.Polygon) bool { return p.Overlaps(q) })
	})
}

// resolve returns whom the target reaches and how many have no position.
func (o *model) resolve(t Target) (found []uint32, nowhere uint64) {
	for ord, m := range o.members {
		if t.Select != "" && !o.selects(mustParse(t.Select).root, m) || t.Private && m.Kind.Public() {
			continue
		}
		if len(t.Addresses) > 0 && !slices.ContainsFunc(t.Addresses, func(a string) bool {
			return a == m.ID || slices.ContainsFunc(m.Endpoints, func(e Endpoint) bool { return e.Address == a })
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

// world makes random members, places, selections and targets, of few values so
// that they meet.
type world struct{ *rand.Rand }

func newWorld(seed uint64) world { return world{rand.New(rand.NewPCG(seed, 1))} }

func pick[T any](w world, from ...T) T { return from[w.IntN(len(from))] }

func (w world) path() Path {
	path := pick(w, "a", "b", "沙田")
	for range w.IntN(3) {
		path += "/" + pick(w, "x", "y", "座")
	}
	return Path(path)
}

func (w world) member(ord uint32) *Member {
	m := &Member{
		ID: fmt.Sprintf("m-%d", ord), Kind: pick(w, KindScreen, KindPhone, KindPerson, "kiosk"), Place: w.path(),
		Endpoints: []Endpoint{{"mqtt", fmt.Sprintf("m-%d", ord)}, {"sms", fmt.Sprintf("+%d", w.IntN(30))}},
	}
	for range w.IntN(4) {
		m.Tags = append(m.Tags, Tag{pick(w, "risk", "role"), pick(w, "high", "low", "")})
	}
	m.Normalize()
	m.Languages = pick(w, nil, []string{"en"}, []string{"zh-HK", "en"}, []string{"zh-Hant-HK"})
	if w.IntN(2) == 0 {
		at := geometrytest.AnyPoint(w.Rand)
		m.Location = &at
	}
	return m
}

func (w world) place() Place {
	p := Place{Path: w.path()}
	if w.IntN(2) == 0 {
		at := geometrytest.AnyPoint(w.Rand)
		p.Location = &at
	}
	if w.IntN(3) == 0 {
		p.Shape = []geometry.Polygon{geometrytest.AnyPolygon(w.Rand)}
	}
	for range w.IntN(3) {
		p.Geocodes = append(p.Geocodes, w.geocode())
	}
	return p
}

func (w world) geocode() alert.Named {
	return alert.Named{Name: pick(w, "HK-DC", "other"), Value: pick(w, "L", "R", "l")}
}

func (w world) selection(depth int) string {
	if depth > 0 && w.IntN(3) > 0 {
		return pick(w,
			"("+w.selection(depth-1)+") and ("+w.selection(depth-1)+")",
			"("+w.selection(depth-1)+") or "+w.selection(depth-1),
			"not ("+w.selection(depth-1)+")")
	}
	return pick(w, "all", "has risk", "has nothing", "risk = high", "risk != low", `role in ("", high)`,
		"kind = screen", "kind in (phone, person)", "language = en", "language = ZH", "language = zh-hant", "not language = zh-HK",
		fmt.Sprintf("place under %s", w.path()), fmt.Sprintf("place = %s", w.path()),
		fmt.Sprintf("id in (m-%d, m-%d)", w.IntN(200), w.IntN(200)))
}

func (w world) target() Target {
	t := Target{Area: w.IntN(4) > 0}
	if t.Area {
		for range w.IntN(3) {
			t.Shapes = append(t.Shapes, geometrytest.AnyPolygon(w.Rand))
		}
		for range w.IntN(3) {
			t.Geocodes = append(t.Geocodes, w.geocode())
		}
	}
	if w.IntN(2) == 0 || !t.Area {
		t.Select = mustParse(w.selection(2)).String()
	}
	if t.Area && len(t.Shapes)+len(t.Geocodes) == 0 {
		t.Shapes = []geometry.Polygon{geometrytest.AnyPolygon(w.Rand)}
	}
	t.Private = w.IntN(3) == 0
	for w.IntN(3) == 0 {
		t.Addresses = append(t.Addresses, pick(w, fmt.Sprintf("+%d", w.IntN(30)), fmt.Sprintf("m-%d", w.IntN(200))))
	}
	return t
}
