package fleet

import (
	"slices"
	"strings"

	"almenara/node/web/console/frame"
	"almenara/node/web/console/view"
	"almenara/node/wire"
	"almenara/node/wire/why"
)

type addPage struct {
	frame.Page
	List    string
	Kind    string
	NewKind bool
	Kinds   []choice
	Places  []choice
	Most    int
	Wrong   frame.Said // why nothing was enrolled
	Details []string
}

// usualKinds are offered; a district may have others.
var usualKinds = []string{"screen", "speaker", "siren", "sign", "kiosk", "phone"}

// mostPlaces is how many places are offered: a list that is longer is of no help.
const mostPlaces = 2000

func (p pages) addPage(q *frame.Request) error {
	out, err := p.form(q)
	if err != nil {
		return err
	}
	return q.Show("add-devices", out)
}

func (p pages) form(q *frame.Request) (addPage, error) {
	out := addPage{Page: q.Page("add-devices"), List: q.R.PostFormValue("list"), Kind: q.Form("kind"), NewKind: q.Form("new-kind") != "", Most: wire.MaxEnrol}
	out.Path = q.Inside(frame.Below + "add-devices")
	for _, kind := range usualKinds {
		out.Kinds = append(out.Kinds, choice{kind, q.Lang.Or("kind.", kind), false})
	}
	places, err := p.s.Places.ListPlaces(q.R.Context())
	if err != nil {
		return out, err
	}
	names, err := view.NamesOfPlaces(p.s.Places, q)
	if err != nil {
		return out, err
	}
	for _, place := range places {
		if len(out.Places) < mostPlaces {
			out.Places = append(out.Places, choice{place.Path, names.Of(place.Path), place.Path == q.Form("place")})
		}
	}
	slices.SortFunc(out.Places, func(a, b choice) int { return strings.Compare(a.Value, b.Value) })
	return out, nil
}

// add enrols what was listed, all or none, and shows the secrets, once; the form again where it was
// refused.
func (p pages) add(q *frame.Request) error {
	in, err := listed(q.R.PostFormValue("list"), wire.Enrol{Kind: q.Form("kind"), Place: q.Form("place"), NewKind: q.Form("new-kind") != ""})
	if err == nil {
		if err = p.enrol(q, in); err == nil {
			return nil
		}
	}
	problem, refused := err.(*wire.Problem)
	if !refused {
		return err
	}
	out, err := p.form(q)
	if err != nil {
		return err
	}
	out.Wrong, out.Details = q.Said(problem), problem.Details
	return q.ShowAs(wire.HTTPStatus(problem.Kind), "add-devices", out)
}

// between is what may stand between the columns.
var between = strings.NewReplacer("\t", ",", "，", ",", ";", ",")

// listed reads devices, one a line: id, kind, place and member with commas or tabs between them, as a
// spreadsheet gives them. What a line leaves out is as usual says.
func listed(text string, usual wire.Enrol) ([]wire.Enrol, error) {
	var out []wire.Enrol
	for line := range strings.Lines(text) {
		fields := strings.Split(between.Replace(line), ",")
		for i := range fields {
			fields[i] = strings.TrimSpace(fields[i])
		}
		if fields[0] == "" || len(out) == 0 && strings.EqualFold(fields[0], "id") {
			continue // empty, or the names of the columns
		}
		e := usual
		for i, to := range []*string{&e.ID, &e.Kind, &e.Place, &e.Member} {
			if i < len(fields) && fields[i] != "" {
				*to = fields[i]
			}
		}
		if len(fields) > 4 { // rather than pass over what somebody meant
			return nil, wire.Problemf(wire.KindMalformed, "the line of %.64q has %d columns; it may have id, kind, place and member; nothing was enrolled", fields[0], len(fields)).Because(why.LineColumns, fields[0], len(fields))
		}
		out = append(out, e)
	}
	if len(out) == 0 || len(out) > wire.MaxEnrol {
		return nil, wire.Problemf(wire.KindMalformed, "from 1 to %d devices are enrolled at once, not %d; nothing was enrolled", wire.MaxEnrol, len(out)).Because(why.EnrolMany, wire.MaxEnrol, len(out))
	}
	return out, nil
}
