package compose

import (
	"cmp"
	"slices"
	"strings"

	"almenara/node/web/console/drawing"
	"almenara/node/web/console/view"
	"almenara/node/web/console/words"
	"almenara/node/wire"
)

// The three ways of saying where.
const (
	byPlaces = "places"
	byDraw   = "draw"
	bySelect = "select"
)

// deepest is how many levels of places the list has: district, estate, block.
const deepest = 3

// mostShown is how many places the list shows; the others are reached by a selection.
const mostShown = 2000

// whereabouts is where an alert applies, as it will be sent.
type whereabouts struct {
	Select   string
	Polygons []string // as CAP writes them
	Circles  []string
	Places   []string // those that were chosen, none of which lies in another
}

// where reads where the alert applies. Only the way that was chosen counts; missing is the key of the text
// that says what is lacking, "" where nothing is.
func (f form) where() (w whereabouts, missing string, err error) {
	switch f.By {
	case byPlaces:
		w.Places = topmost(f.Place)
		if len(w.Places) == 0 {
			return w, "compose.need.place", nil
		}
		var parts []string
		for _, p := range w.Places {
			parts = append(parts, view.Under(p))
		}
		w.Select = strings.Join(parts, " or ")
	case byDraw:
		if w.Polygons, err = drawing.Polygons(f.Polygon); err != nil {
			return w, "", err
		}
		if w.Circles, err = drawing.Circles(f.Circle); err != nil {
			return w, "", err
		}
		if len(w.Polygons)+len(w.Circles) == 0 {
			return w, "compose.need.drawing", nil
		}
	case bySelect:
		if w.Select = f.Select; w.Select == "" {
			return w, "compose.need.select", nil
		}
	default:
		return w, "compose.need.way", nil
	}
	return w, "", nil
}

// topmost leaves out places that lie in another one that was chosen.
func topmost(chosen []string) (out []string) {
	for _, p := range chosen {
		inside := slices.ContainsFunc(chosen, func(other string) bool { return strings.HasPrefix(p, other+"/") })
		if !inside {
			out = append(out, p)
		}
	}
	slices.Sort(out)
	return out
}

// drawn is the map with where the alert applies; nil where no place has a position.
func (f form) drawn(all []wire.Place, l *words.Language) *drawing.Map {
	var s drawing.Shown
	switch f.By {
	case byPlaces:
		s.Places = topmost(f.Place)
	case byDraw:
		s.Polygons, s.Circles = f.Polygon, f.Circle
	}
	return drawing.Of(all, s, l)
}

// areas are CAP's areas in words of the language.
func (w whereabouts) areas(f form, language string, all []wire.Place) []wire.CAPArea {
	if len(w.Places) == 0 {
		return []wire.CAPArea{{AreaDesc: cmp.Or(f.AreaName, w.name(f, language, all)), Polygon: w.Polygons, Circle: w.Circles}}
	}
	var out []wire.CAPArea
	for _, p := range w.Places {
		out = append(out, wire.CAPArea{AreaDesc: drawing.Called(all, p, language)})
	}
	return out
}

// mostNamed is how many places in a drawing are named.
const mostNamed = 5

// name is what an area is called that the person has not named: by the places in it.
func (w whereabouts) name(f form, language string, all []wire.Place) string {
	say := words.Pick(language)
	if f.By == bySelect {
		return say.T("compose.area.selected")
	}
	var named []string
	for _, path := range drawing.Within(all, w.Polygons, w.Circles) {
		if len(named) == mostNamed {
			named = append(named, "…")
			break
		}
		named = append(named, drawing.Called(all, path, language))
	}
	if len(named) == 0 {
		return say.T("compose.area.drawn")
	}
	if say.Tag == "zh-Hant" {
		return strings.Join(named, "、")
	}
	return strings.Join(named, "; ")
}

// placeLine is a line of the list of places.
type placeLine struct {
	Path, Name string
	Depth      int
	Chosen     bool
}

// placeLines are the places to choose from, each below the one that it lies in: those of the district,
// where that is one of the places, and within those that a person is limited to.
func placeLines(all []wire.Place, chosen []string, language string, within []string, district string) (out []placeLine) {
	var own []string
	if district != "" {
		own = []string{district}
	}
	sorted := slices.Clone(all)
	slices.SortFunc(sorted, func(a, b wire.Place) int { return strings.Compare(a.Path, b.Path) })
	for _, p := range sorted {
		depth := strings.Count(p.Path, "/") + 1
		if depth > deepest && !slices.Contains(chosen, p.Path) || !drawing.Inside(p.Path, within) || !drawing.Inside(p.Path, own) || len(out) == mostShown {
			continue
		}
		out = append(out, placeLine{p.Path, cmp.Or(drawing.NameIn([]wire.Place{p}, p.Path, language), p.Path), depth, slices.Contains(chosen, p.Path)})
	}
	return out
}
