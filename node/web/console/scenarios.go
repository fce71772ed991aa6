package console

import (
	"cmp"
	"slices"

	"almenara/node/authority"
	"almenara/node/scenario/ready"
	"almenara/node/service"
	"almenara/node/web/console/frame"
	"almenara/node/web/console/view"
	"almenara/node/wire"
	"almenara/node/wire/why"
)

type scenariosPage struct {
	frame.Page
	Rows     []scenarioRow
	Ready    []readyScenario
	Places   []choice
	MayWrite bool
}

// scenarioRow is a scenario of the district.
type scenarioRow struct {
	ID, Title, Select, Usual, Approvals string
	Place                               string // in words, where Select is all below one place
	Minutes                             int
	Drill                               bool
	Blanks                              []string
}

// readyScenario is one that comes with the program.
type readyScenario struct {
	ID, Title string
	There     bool // the district has one of the same id
}

type choice struct{ Value, Label string }

func (c scenarioPages) scenarioList(q *frame.Request) error {
	all, err := c.scenarios.ListScenarios(q.R.Context())
	if err != nil {
		return err
	}
	names, err := view.NamesOfPlaces(c.places, q)
	if err != nil {
		return err
	}
	p := scenariosPage{Page: q.Page("scenarios"), MayWrite: q.May(authority.ChangeScenarios)}
	there := map[string]bool{}
	for _, s := range all {
		there[s.ID] = true
		r := scenarioRow{ID: s.ID, Title: s.Title, Select: s.Select, Minutes: s.Minutes, Drill: isDrill(s), Blanks: s.Blanks}
		if place := view.Below(s.Select); place != "" {
			r.Place = names.Of(place)
		}
		if s.UsualMax > 0 {
			r.Usual = q.Lang.T("fire.usual", s.UsualMin, s.UsualMax)
		}
		if s.Approvals > 0 {
			r.Approvals = q.Lang.T("scenarios.approvals", s.Approvals)
		}
		p.Rows = append(p.Rows, r)
	}
	if !p.MayWrite {
		return q.Show("scenarios", p)
	}
	come, err := ready.All()
	if err != nil {
		return err
	}
	for _, s := range come {
		p.Ready = append(p.Ready, readyScenario{s.ID, s.Title, there[s.ID]})
	}
	if p.Places, err = placeChoices(c.places, q); err != nil {
		return err
	}
	return q.Show("scenarios", p)
}

// placeChoices are the places of the district, in the order of their paths.
func placeChoices(service service.Places, q *frame.Request) (out []choice, err error) {
	places, err := service.ListPlaces(q.R.Context())
	if err != nil {
		return nil, err
	}
	slices.SortFunc(places, func(a, b wire.Place) int { return cmp.Compare(a.Path, b.Path) })
	for _, p := range places {
		label := p.Path
		if name := q.Lang.Called(p.Names); name != "" {
			label = name + " (" + p.Path + ")"
		}
		out = append(out, choice{p.Path, label})
	}
	return out, nil
}

// addScenarios adds those of the ready-made ones that were ticked, for a place.
func (c scenarioPages) addScenarios(q *frame.Request) error {
	place, ids := q.Form("place"), q.R.PostForm["ready"]
	if place == "" || len(ids) == 0 {
		return wire.Problemf(wire.KindRefused, "nothing was added: %s", q.Lang.T("scenarios.choose")).Because(why.InWords, q.Lang.T("scenarios.choose"))
	}
	for _, id := range ids {
		s, ok, err := ready.Get(id)
		if err != nil {
			return err
		}
		if !ok {
			return wire.Problemf(wire.KindNotFound, "no scenario %.100q comes with this program", id).Because(why.NoScenario, id)
		}
		if !s.Choose { // else whoever sends it says whom, each time
			s.Select = view.Under(place)
		}
		if _, err := c.scenarios.PutScenario(q.R.Context(), q.By(), s, false); err != nil {
			return err
		}
	}
	return q.To(Below + "scenarios")
}

type removePage struct {
	frame.Page
	ID, Scenario, Revision string
}

func (c scenarioPages) removePage(q *frame.Request) error {
	s, err := c.scenarioOf(q)
	if err != nil {
		return err
	}
	return q.Show("remove", removePage{q.Page("remove"), s.ID, s.Title, s.Revision})
}

// removeScenario removes the scenario that the page showed; what was sent with it stays.
func (c scenarioPages) removeScenario(q *frame.Request) error {
	if err := c.scenarios.RemoveScenario(q.R.Context(), q.By(), q.R.PathValue("scenario"), q.Form("revision")); err != nil {
		return err
	}
	return q.To(Below + "scenarios")
}
