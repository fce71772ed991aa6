package places

import (
	"cmp"
	"errors"
	"maps"
	"net/url"
	"slices"
	"strings"

	"almenara/node/authority"
	"almenara/node/web/console/drawing"
	"almenara/node/web/console/frame"
	"almenara/node/web/console/view"
	"almenara/node/web/console/words"
	"almenara/node/wire"
	"almenara/node/wire/places"
	"almenara/node/wire/why"
)

type placePage struct {
	frame.Page
	Place   string // its path; "" of a new one
	Version string
	Fields  fields
	Names   []nameField
	Above   []choice // places in which it may lie
	Map     *drawing.Map
	In      *within // nil of a new one
	Done    string
	Wrong   frame.Said
	Details []string
	Meant   string // the path that something else has, or that is refused
	Now     *now   // after somebody else's change: how the place is now
}

// Described reports whether something is known of the place beside who is in it: else nothing can be removed.
func (p placePage) Described() bool { return p.Version != places.VersionNone }

// fields are what the form holds beside the names.
type fields struct {
	Parent, Segment, Outline, At string
	Codes                        string // one a line
	Shared                       bool   // a code may be one of another place, too
}

// nameField is the name in one language.
type nameField struct{ Field, Label, Tag, Value string }

// choice is something to choose in a form.
type choice struct {
	Value, Label string
	Chosen       bool
}

// within is who and what is concerned.
type within struct {
	Members, Devices, Below string
	Select                  string // path of the page that lists the members
	NamedBy                 []naming
}

// naming is something that names the place; To is its page, "" where the person may not see that, and Code by what
// an area cites it, "" where it is named by its path.
type naming struct{ Label, Name, To, Code string }

// now is what a place is by somebody else's change.
type now struct {
	Names []nameField
	At    string
	Codes string
}

// of is the path of the page about a place.
func of(path, done string) string {
	to := url.URL{Path: frame.Below + "place/" + path}
	if done != "" {
		to.RawQuery = "done=" + done
	}
	return to.String()
}

// place shows one place with the form that changes it.
func (p pages) place(q *frame.Request) error {
	is, err := p.tree.ShowPlace(q.R.Context(), q.R.PathValue("place"))
	if err != nil {
		return err
	}
	out, err := p.filled(q, is)
	if err != nil {
		return err
	}
	if q.R.URL.Query().Get("done") != "" {
		out.Done = q.Lang.T("place.done")
	}
	return q.Show("place", out)
}

// filled is the page of a place, with the form as the place is.
func (p pages) filled(q *frame.Request, is places.ShownPlace) (placePage, error) {
	out := placePage{Page: q.Page("place"), Place: is.Place.Path, Version: is.Version, Fields: fieldsOf(is.Place), Names: namesOf(q, is.Place.Names)}
	out.Page.Path = q.Inside(of(is.Place.Path, ""))
	all, err := p.all.ListPlaces(q.R.Context())
	if err != nil {
		return out, err
	}
	out.Title = drawing.Called(all, is.Place.Path, q.Lang.Tag)
	out.In = p.within(q, is)
	return out, p.around(q, &out, all)
}

// around adds what the form chooses from: the places above, and the map.
func (p pages) around(q *frame.Request, out *placePage, all []wire.Place) error {
	out.Above = aboveOf(all, out.Place, out.Fields.Parent, q.Lang.Tag)
	chosen := []string{}
	if out.Place != "" {
		chosen = append(chosen, out.Place)
	}
	out.Map = drawing.Of(all, drawing.Shown{Places: chosen, Polygons: out.Fields.Outline}, q.Lang)
	return nil
}

func fieldsOf(is wire.Place) fields {
	f := fields{Segment: is.Path, Outline: openOutline(is.Shape), Codes: openCodes(is.Geocodes)}
	if at := strings.LastIndexByte(is.Path, '/'); at >= 0 {
		f.Parent, f.Segment = is.Path[:at], is.Path[at+1:]
	}
	if is.Lat != nil && is.Lon != nil {
		f.At = drawing.Position(*is.Lat, *is.Lon)
	}
	return f
}

// openOutline is an outline as people go on drawing it: without the last corner, which is the first one again.
func openOutline(shape []string) string {
	var out []string
	for _, polygon := range shape {
		corners := strings.Fields(polygon)
		if last := len(corners) - 1; last > 0 && corners[0] == corners[last] {
			corners = corners[:last]
		}
		out = append(out, strings.Join(corners, " "))
	}
	return strings.Join(out, "\n")
}

// namesOf are the fields of names: those that there are, and those of the console's own languages.
func namesOf(q *frame.Request, names map[string]string) (out []nameField) {
	tags := slices.Collect(maps.Keys(names))
	for _, l := range words.All() {
		tags = append(tags, l.Tag)
	}
	slices.Sort(tags)
	for _, tag := range slices.Compact(tags) {
		out = append(out, nameField{"n." + tag, q.Lang.Or("language.", tag), tag, names[tag]})
	}
	return out
}

// mostAbove is how many places are offered: a list that is longer is of no help.
const mostAbove = 2000

// aboveOf are the places in which one may lie: not itself, and none that is in it.
func aboveOf(all []wire.Place, place, parent, language string) (out []choice) {
	paths := map[string]bool{}
	for _, p := range all {
		if place == "" || !drawing.Inside(p.Path, []string{place}) {
			paths[p.Path] = true
		}
	}
	paths[parent] = true
	delete(paths, "")
	for _, path := range slices.Sorted(maps.Keys(paths)) {
		if len(out) < mostAbove || path == parent {
			out = append(out, choice{path, drawing.Called(all, path, language), path == parent})
		}
	}
	return out
}

func (p pages) within(q *frame.Request, is places.ShownPlace) *within {
	out := &within{
		Members: view.Show(is.Members), Devices: view.Show(is.Devices), Below: view.Show(uint64(max(is.Below, 0))),
		Select: frame.Below + "audience?" + url.Values{"expr": {view.Under(is.Place.Path)}}.Encode(),
	}
	for _, n := range is.NamedBy {
		out.NamedBy = append(out.NamedBy, namingOf(q, n))
	}
	return out
}

// namingOf is a line about what names a place, with the page on which that is changed.
func namingOf(q *frame.Request, n places.Naming) naming {
	pages := map[string]struct {
		path   string
		action authority.Action
	}{
		places.ByScenario: {"scenarios", authority.ReadAlerts},
		places.ByUser:     {"people/" + url.PathEscape(n.ID), authority.ReadUsers},
		places.ByLicence:  {"licences", authority.ReadAlerts},
		places.ByNotice:   {"notices/" + url.PathEscape(n.ID), authority.ReadAlerts},
		places.ByAlert:    {"alerts/" + url.PathEscape(n.ID), authority.ReadAlerts},
	}
	out := naming{Label: q.Lang.Or("place.by.", n.Kind), Name: cmp.Or(n.Title, n.ID), Code: n.Code}
	if page, known := pages[n.Kind]; known && q.May(page.action) {
		out.To = frame.Below + page.path
	}
	return out
}

// fresh is the form of a new place.
func (p pages) fresh(q *frame.Request) error {
	out := placePage{Page: q.Page("place"), Version: places.VersionNone, Fields: fields{Parent: q.R.URL.Query().Get("under")}, Names: namesOf(q, nil)}
	out.Title, out.Page.Path = q.Lang.T("add-place.title"), q.Inside(frame.Below+"add-place")
	all, err := p.all.ListPlaces(q.R.Context())
	if err != nil {
		return err
	}
	if s, err := p.own.Status(q.R.Context(), false); err == nil && out.Fields.Parent == "" {
		is := func(one wire.Place) bool { return one.Path == s.District }
		if slices.ContainsFunc(all, is) {
			out.Fields.Parent = s.District // hardly anybody adds a second one
		}
	}
	if err := p.around(q, &out, all); err != nil {
		return err
	}
	return q.Show("place", out)
}

// refused shows the form again with what was typed, and with why nothing was changed; after somebody else's
// change also with how the place is now: sent again it is of that.
func (p pages) refused(q *frame.Request, in places.ChangePlace, err error) error {
	var problem *wire.Problem
	if !errors.As(err, &problem) {
		return err
	}
	out := placePage{Page: q.Page("place"), Version: in.Version, Wrong: q.Said(problem), Details: problem.Details}
	out.Title, out.Page.Path = q.Lang.T("add-place.title"), q.Inside(frame.Below+"add-place")
	if in.Version != places.VersionNone {
		is, err := p.tree.ShowPlace(q.R.Context(), in.Path)
		if err != nil {
			return problem // the place is gone, and so is the form
		}
		if out, err = p.filled(q, is); err != nil {
			return err
		}
		out.Wrong, out.Details = q.Said(problem), problem.Details
		if problem.Why.Reason == why.PlaceNamed || problem.Why.Reason == why.PlaceCited {
			out.Details = nil // they are links below
		}
		if problem.Why.Reason == why.PlaceChanged {
			out.Now = &now{Names: out.Names, At: out.Fields.At, Codes: out.Fields.Codes}
		}
	}
	if problem.Why.Reason == why.PlaceThere {
		out.Meant = problem.Why.With[0].(string)
	}
	if !in.Remove {
		out.Fields, out.Names = typed(q)
	}
	all, err := p.all.ListPlaces(q.R.Context())
	if err != nil {
		return err
	}
	if err := p.around(q, &out, all); err != nil {
		return err
	}
	return q.ShowAs(wire.HTTPStatus(problem.Kind), "place", out)
}
