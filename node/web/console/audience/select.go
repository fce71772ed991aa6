package audience

import (
	"cmp"
	"net/url"
	"strings"

	"almenara/node/authority"
	"almenara/node/web/console/frame"
	"almenara/node/web/console/view"
	"almenara/node/wire"
)

type audiencePage struct {
	frame.Page
	Expr     string // as it was typed
	Means    string // in canonical form; "" is everybody
	Count    string // how many, as a sentence
	Rounded  bool
	Kinds    []counted
	Places   []counted
	Members  []member
	Persons  bool // names and numbers are shown, as the person may read them
	Next     string
	Wrong    frame.Said    // why it selects nothing
	Nobody   []frame.Point // the terms that no member fits, where it selects nobody
	Change   bool          // the person may import
	Examples []example
}

type counted struct {
	Name  string
	Count string
}

type member struct {
	ID, Name, Kind, Place, More string
}

// example is a selection to begin with.
type example struct{ Path, Expr string }

// everybody selects all members.
const everybody = "all"

// membersShown is how many members are listed at a time.
const membersShown = 50

// audience counts a selection and lists its first members, as the person may know them.
func (p pages) audience(q *frame.Request) error {
	said := q.R.URL.Query()
	out := audiencePage{Page: q.Page("audience"), Expr: said.Get("expr"), Change: q.May(authority.ChangeAudience), Persons: q.May(authority.ReadPersons)}
	found, err := p.s.Selections.Select(q.R.Context(), cmp.Or(strings.TrimSpace(out.Expr), everybody), said.Get("after"), membersShown)
	if err == nil {
		err = authority.MinimalSelected(q.By(), &found)
	}
	if problem, refused := err.(*wire.Problem); refused {
		out.Wrong = q.Said(problem)
		return q.Show("audience", out)
	}
	if err != nil {
		return err
	}
	names, err := view.NamesOfPlaces(p.s.Places, q)
	if err != nil {
		return err
	}
	out.fill(q, found, names)
	return q.Show("audience", out)
}

// examplesOf are selections that select somebody now.
func examplesOf(counts wire.Counts) (out []example) {
	var place, kind string
	for _, c := range counts.ByPlace {
		place = under(c.Name)
	}
	for _, c := range counts.ByKind {
		kind = `kind = "` + c.Name + `"`
		out = append(out, example{selectPath(kind, ""), kind})
	}
	if place != "" && kind != "" {
		for _, expr := range []string{place, place + " and not " + kind} {
			out = append(out, example{selectPath(expr, ""), expr})
		}
	}
	return out
}

// under selects a place and all below it.
func under(place string) string {
	return `place under "` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(place) + `"`
}

func (out *audiencePage) fill(q *frame.Request, found wire.Selected, names view.PlaceNames) {
	out.Means, out.Rounded = found.Expression, found.RoundedTo > 0
	if out.Expr == "" {
		out.Means = ""
		out.Examples = examplesOf(found.Counts)
	}
	out.Count, out.Nobody = q.Lang.T("audience.count", found.Counts.Total), q.Sentences(found.Warnings)
	for _, c := range found.Counts.ByKind {
		out.Kinds = append(out.Kinds, counted{q.Lang.Or("kind.", c.Name), view.Show(c.Count)})
	}
	for _, c := range found.Counts.ByPlace {
		out.Places = append(out.Places, counted{names.Of(c.Name), view.Show(c.Count)})
	}
	for _, m := range found.Members {
		out.Members = append(out.Members, member{m.ID, m.Name, q.Lang.Or("kind.", m.Kind), names.Of(m.Place), moreOf(m)})
	}
	if found.Next != "" {
		out.Next = selectPath(out.Expr, found.Next)
	}
}

// selectPath is the page of a selection, from the member behind after on.
func selectPath(expr, after string) string {
	said := url.Values{"expr": {expr}}
	if after != "" {
		said.Set("after", after)
	}
	return frame.Below + "audience?" + said.Encode()
}
