package places

import (
	"maps"
	"slices"
	"strings"
	"unicode"

	"almenara/node/web/console/drawing"
	"almenara/node/web/console/frame"
	"almenara/node/web/console/view"
	"almenara/node/wire"
	"almenara/node/wire/places"
	"almenara/node/wire/why"
)

type checkPage struct {
	frame.Page
	Hidden  []hidden // the form as it was sent
	Changes []changeLine
	Moves   bool // all that is in the place goes with it
	Removes bool
	In      within
	Back    string
}

type hidden struct{ Field, Value string }

// changeLine is one thing that becomes another one.
type changeLine struct{ What, Before, After string }

// check shows what a change would do. Nothing is changed.
func (p pages) check(q *frame.Request) error {
	in, err := p.read(q)
	if err != nil {
		return p.refused(q, in, err)
	}
	in.DryRun = true
	out, err := p.tree.ChangePlace(q.R.Context(), q.By(), in)
	if err != nil {
		return p.refused(q, in, err)
	}
	page := checkPage{Page: q.Page("place-check"), Removes: in.Remove, Back: of(in.Path, ""), In: within{
		Members: view.Show(out.Members), Devices: view.Show(out.Devices), Below: view.Show(uint64(max(out.Below, 0))),
	}}
	if page.Page.Path = q.Inside(frame.Below + "places"); len(out.Changes) > 0 { // the form can be checked again
		page.Page.Path = q.Inside(frame.Below + "place/check")
	}
	if in.Version == places.VersionNone {
		page.Back = frame.Below + "add-place"
	}
	for _, d := range out.Changes {
		page.Changes = append(page.Changes, lineOf(q, d))
		page.Moves = page.Moves || d.What == places.ChangesPath && d.Before != "" && d.After != ""
	}
	for _, name := range slices.Sorted(maps.Keys(q.R.PostForm)) {
		if name != "password" {
			page.Hidden = append(page.Hidden, hidden{name, q.R.PostFormValue(name)})
		}
	}
	return q.Show("place-check", page)
}

// lineOf is one difference as people read it.
func lineOf(q *frame.Request, d places.Difference) changeLine {
	line := changeLine{q.Lang.Or("place.what.", d.What), d.Before, d.After}
	switch {
	case d.Language != "":
		line.What = q.Lang.T("place.name", q.Lang.Or("language.", d.Language))
	case d.What == places.ChangesOutline:
		for _, side := range []*string{&line.Before, &line.After} {
			if *side != "" {
				*side = q.Lang.T("place.corners", *side)
			}
		}
	}
	for _, side := range []*string{&line.Before, &line.After} {
		if *side == "" {
			*side = q.Lang.T("place.no")
		}
	}
	return line
}

// change does what was checked.
func (p pages) change(q *frame.Request) error {
	in, err := p.read(q)
	if err != nil {
		return p.refused(q, in, err)
	}
	out, err := p.tree.ChangePlace(q.R.Context(), q.By(), in)
	if err != nil {
		return p.refused(q, in, err)
	}
	if in.Remove {
		return q.To(frame.Below + "places?removed=1")
	}
	return q.To(of(out.Path, "1"))
}

// read makes a change of what the form holds. What the form does not hold of a place stays as it is.
func (p pages) read(q *frame.Request) (places.ChangePlace, error) {
	in := places.ChangePlace{Path: q.Form("place"), Version: q.Form("version"), Remove: q.Form("do") == "remove"}
	if in.Version == "" { // never whatever it is: a page that is open for long would undo what others did
		return in, wire.Problemf(wire.KindMalformed, "the form does not say of which version of the place it is").Because(why.FormWrong)
	}
	if in.Remove {
		return in, nil
	}
	f, names := typed(q)
	in.SharedCodes = f.Shared
	to := wire.Place{Path: f.path(names), Names: map[string]string{}}
	for _, n := range names {
		if n.Value != "" {
			to.Names[n.Tag] = n.Value
		}
	}
	in.Place = &to
	if in.Version == places.VersionNone {
		in.Path = to.Path
	} else {
		is, err := p.tree.ShowPlace(q.R.Context(), in.Path)
		if err != nil {
			return in, err
		}
		to.Geocodes = is.Place.Geocodes
	}
	var err error
	if q.R.PostForm.Has("codes") {
		if to.Geocodes, err = codes(f.Codes); err != nil {
			return in, err
		}
	}
	if to.Shape, err = outline(f.Outline); err != nil {
		return in, err
	}
	if f.At != "" {
		lat, lon, err := drawing.ReadPosition(f.At)
		if err != nil {
			return in, err
		}
		to.Lat, to.Lon = &lat, &lon
	}
	return in, nil
}

// typed is what the form holds.
func typed(q *frame.Request) (fields, []nameField) {
	names := map[string]string{}
	for field, values := range q.R.PostForm {
		if tag, ok := strings.CutPrefix(field, "n."); ok && len(values) > 0 {
			names[tag] = strings.TrimSpace(values[0])
		}
	}
	return fields{Parent: q.Form("parent"), Segment: q.Form("segment"), Outline: strings.TrimSpace(q.R.PostFormValue("outline")), At: q.Form("at"),
		Codes: strings.TrimSpace(q.R.PostFormValue("codes")), Shared: q.Form("shared") != ""}, namesOf(q, names)
}

// path is that of the place. A person who leaves its last part empty has it made of a name.
func (f fields) path(names []nameField) string {
	segment := f.Segment
	for _, n := range names {
		if segment == "" {
			segment = segmentOf(n.Value)
		}
	}
	if f.Parent == "" {
		return segment
	}
	return f.Parent + "/" + segment
}

// segmentOf makes the last part of a path of a name: letters and digits of any script, in lower case.
func segmentOf(name string) string {
	return strings.Join(strings.FieldsFunc(strings.ToLower(name), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }), "-")
}

// codes reads one code a line, its name and its value with an equals sign between them.
func codes(text string) (out []wire.Geocode, err error) {
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		name, value, both := strings.Cut(line, "=")
		if name, value = strings.TrimSpace(name), strings.TrimSpace(value); !both || name == "" || value == "" {
			return nil, wire.Problemf(wire.KindRefused, "the code %.100q has no name or no value; nothing was changed: write it as HK-DC = L", line).Because(why.CodeUnfit, line, "a name or a value is missing")
		}
		out = append(out, wire.Geocode{ValueName: name, Value: value})
	}
	return out, nil
}

// openCodes is codes as people write them.
func openCodes(all []wire.Geocode) string {
	var out []string
	for _, code := range all {
		out = append(out, code.ValueName+" = "+code.Value)
	}
	return strings.Join(out, "\n")
}

// outline reads GeoJSON, or corners as people and CAP write them.
func outline(text string) ([]string, error) {
	if !strings.HasPrefix(text, "{") {
		return drawing.Polygons(text)
	}
	out, err := places.Outlines([]byte(text))
	if err != nil {
		return nil, wire.Problemf(wire.KindRefused, "the outline cannot be read: %v; nothing was changed", err).Because(why.OutlineUnfit, err)
	}
	return out, nil
}
