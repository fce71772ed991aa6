// Package audiencetest makes members, places, selections and targets for the tests of who is to
// be reached.
package audiencetest

import (
	"fmt"
	"math/rand/v2"

	"almenara/storage/alert"
	"almenara/storage/audience"
	"almenara/storage/audience/geometry"
	"almenara/storage/audience/geometry/geometrytest"
)

// HighRisk are ways to write risk=high that nobody can tell from it.
var HighRisk = []string{
	"risk=high", "risk=high\u200b", "\u200brisk=high", "risk=\u00a0 high", "risk=high\ufeff", "risk=ｈｉｇｈ", "ｒｉｓｋ＝high",
	"risk=hi\u00adgh", "risk=high\u200e", "risk=h\u2060igh", "Risk=high", "risk=high\ufe0f",
}

// World makes random members, places, selections and targets, of few values so
// that they meet.
type World struct{ *rand.Rand }

// New is the world of a seed: the same one for the same seed.
func New(seed uint64) World { return World{rand.New(rand.NewPCG(seed, 1))} }

// Pick is one of the values.
func Pick[T any](w World, from ...T) T { return from[w.IntN(len(from))] }

// Path is a place up to three levels deep.
func (w World) Path() audience.Path {
	path := Pick(w, "a", "b", "沙田")
	for range w.IntN(3) {
		path += "/" + Pick(w, "x", "y", "座")
	}
	return audience.Path(path)
}

// Member is valid, and has the id m-ord.
func (w World) Member(ord uint32) *audience.Member {
	m := &audience.Member{
		ID: fmt.Sprintf("m-%d", ord), Kind: Pick(w, audience.KindScreen, audience.KindPhone, audience.KindPerson, "kiosk"), Place: w.Path(),
		Endpoints: []audience.Endpoint{{Channel: "mqtt", Address: fmt.Sprintf("m-%d", ord)}, {Channel: "sms", Address: fmt.Sprintf("+%d", w.IntN(30))}},
	}
	for range w.IntN(4) {
		m.Tags = append(m.Tags, audience.Tag{Name: Pick(w, "risk", "role"), Value: Pick(w, "high", "low", "")})
	}
	m.Normalize()
	m.Languages = Pick(w, nil, []string{"en"}, []string{"zh-HK", "en"}, []string{"zh-Hant-HK"})
	if w.IntN(2) == 0 {
		at := geometrytest.AnyPoint(w.Rand)
		m.Location = &at
	}
	return m
}

// Place has details or none.
func (w World) Place() audience.Place {
	p := audience.Place{Path: w.Path()}
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

func (w World) geocode() alert.Named {
	return alert.Named{Name: Pick(w, "HK-DC", "other"), Value: Pick(w, "L", "R", "l")}
}

// Selection is an expression that is nested up to depth times.
func (w World) Selection(depth int) string {
	if depth > 0 && w.IntN(3) > 0 {
		return Pick(w,
			"("+w.Selection(depth-1)+") and ("+w.Selection(depth-1)+")",
			"("+w.Selection(depth-1)+") or "+w.Selection(depth-1),
			"not ("+w.Selection(depth-1)+")")
	}
	return Pick(w, "all", "has risk", "has nothing", "risk = high", "risk != low", `role in ("", high)`,
		"kind = screen", "kind in (phone, person)", "language = en", "language = ZH", "language = zh-hant", "not language = zh-HK",
		fmt.Sprintf("place under %s", w.Path()), fmt.Sprintf("place = %s", w.Path()),
		fmt.Sprintf("id in (m-%d, m-%d)", w.IntN(200), w.IntN(200)))
}

// Target says whom it means.
func (w World) Target() audience.Target {
	t := audience.Target{Area: w.IntN(4) > 0}
	if t.Area {
		for range w.IntN(3) {
			t.Shapes = append(t.Shapes, geometrytest.AnyPolygon(w.Rand))
		}
		for range w.IntN(3) {
			t.Geocodes = append(t.Geocodes, w.geocode())
		}
	}
	if w.IntN(2) == 0 || !t.Area {
		t.Select = MustParse(w.Selection(2)).String()
	}
	if t.Area && len(t.Shapes)+len(t.Geocodes) == 0 {
		t.Shapes = []geometry.Polygon{geometrytest.AnyPolygon(w.Rand)}
	}
	t.Private = w.IntN(3) == 0
	for w.IntN(3) == 0 {
		t.Addresses = append(t.Addresses, Pick(w, fmt.Sprintf("+%d", w.IntN(30)), fmt.Sprintf("m-%d", w.IntN(200))))
	}
	return t
}

// MustParse reads a selection that is known to be one.
func MustParse(expr string) audience.Selection {
	s, err := audience.Parse(expr)
	if err != nil {
		panic(err)
	}
	return s
}
