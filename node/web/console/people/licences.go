package people

import (
	"slices"
	"strconv"
	"time"

	"almenara/node/authority"
	"almenara/node/web/console/frame"
	"almenara/node/web/console/view"
	"almenara/node/wire"
	"almenara/node/wire/why"
)

type licencesPage struct {
	frame.Page
	Licences  []licence
	Over      []licence // revoked or run out
	Change    bool
	Operators []choice // users who may be given one
	Scenarios []choice
	Places    []choice
	Days      []choice
	Wrong     frame.Said // why none was granted
	Done      string
	Word      string
}

type licence struct {
	ID, Path  string
	Operator  string
	Scenarios []string
	Place     string
	Until     string
	GrantedBy string
	Revoked   bool
}

// anyScenario is what a licence says that is for all scenarios and for free texts.
const anyScenario = "*"

func (p pages) licences(q *frame.Request) error {
	out, err := p.licenceList(q)
	if err != nil {
		return err
	}
	switch q.Done() {
	case "granted":
		out.Done = q.Lang.T("licences.granted")
	case "revoked":
		out.Done = q.Lang.T("licences.revoked.done")
	}
	return q.Show("licences", out)
}

func (p pages) licenceList(q *frame.Request) (licencesPage, error) {
	out := licencesPage{Page: q.Page("licences"), Change: q.May(authority.ChangeLicences), Word: q.Lang.T("people.word")}
	out.Path = q.Inside(frame.Below + "licences")
	all, err := p.s.Licences.ListLicences(q.R.Context())
	if err != nil {
		return out, err
	}
	names, err := view.NamesOfPlaces(p.s.Places, q)
	if err != nil {
		return out, err
	}
	scenarios, err := p.s.Scenarios.ListScenarios(q.R.Context())
	if err != nil {
		return out, err
	}
	titles := map[string]string{anyScenario: q.Lang.T("licences.any")}
	out.Scenarios = append(out.Scenarios, choice{anyScenario, titles[anyScenario], false})
	for _, s := range scenarios {
		titles[s.ID] = s.Title
		out.Scenarios = append(out.Scenarios, choice{s.ID, s.Title, slices.Contains(q.R.PostForm["scenario"], s.ID)})
	}
	for _, l := range all {
		line := licence{
			ID: l.ID, Path: pathOf("licences", l.ID, "revoke"), Operator: l.Operator, Place: names.Of(l.Place), Until: q.DayTime(l.Until), GrantedBy: l.GrantedBy, Revoked: l.Revoked,
		}
		for _, id := range l.Scenarios {
			title := titles[id]
			if title == "" {
				title = id
			}
			line.Scenarios = append(line.Scenarios, title)
		}
		if l.Revoked || !l.Until.IsZero() && !q.Now.Before(l.Until) {
			out.Over = append(out.Over, line)
		} else {
			out.Licences = append(out.Licences, line)
		}
	}
	if out.Change {
		err = p.offers(q, &out)
	}
	return out, err
}

// offers fills in what may be chosen for a new licence.
func (p pages) offers(q *frame.Request, out *licencesPage) error {
	users, err := p.s.Users.ListUsers(q.R.Context())
	if err != nil {
		return err
	}
	for _, u := range users {
		if !u.Revoked && !u.System {
			out.Operators = append(out.Operators, choice{u.Name, u.Name, u.Name == q.Form("operator")})
		}
	}
	for _, days := range []int{7, 30, 60, 90} {
		out.Days = append(out.Days, choice{strconv.Itoa(days), q.Lang.T("licences.days", days), strconv.Itoa(days) == q.Form("days")})
	}
	chosen := q.Form("place")
	if chosen == "" {
		status, err := p.s.Status.Status(q.R.Context(), false)
		if err != nil {
			return err
		}
		chosen = status.District
	}
	out.Places, err = p.placesToChoose(q, chosen)
	return err
}

// grant grants a licence; what may be granted, and for how long, is said by the service.
func (p pages) grant(q *frame.Request) error {
	days, err := strconv.Atoi(q.Form("days"))
	if err != nil || days < 1 || days > 366 {
		return wire.Problemf(wire.KindMalformed, "%.20q is no number of days", q.Form("days")).Because(why.DaysWrong, q.Form("days"))
	}
	_, err = p.s.Licences.GrantLicence(q.R.Context(), q.By(), wire.Licence{
		Operator: q.Form("operator"), Scenarios: q.R.PostForm["scenario"], Place: q.Form("place"),
		Until: q.Now.Add(time.Duration(days) * 24 * time.Hour).Truncate(time.Minute),
	})
	return p.licenceThen(q, "granted", err)
}

func (p pages) revokeLicence(q *frame.Request) error {
	if !view.Typed(q.Form("word"), "people.word") {
		return p.licenceThen(q, "", wire.Problemf(wire.KindRefused, "%s", q.Lang.T("people.word.wrong", q.Lang.T("people.word"))).Because(why.InWords, q.Lang.T("people.word.wrong", q.Lang.T("people.word"))))
	}
	return p.licenceThen(q, "revoked", p.s.Licences.RevokeLicence(q.R.Context(), q.By(), q.R.PathValue("licence")))
}

// licenceThen goes back to the list, or shows it with why nothing was done.
func (p pages) licenceThen(q *frame.Request, done string, err error) error {
	problem, refused := err.(*wire.Problem)
	switch {
	case err == nil:
		return q.To(frame.Below + "licences?done=" + done)
	case !refused:
		return err
	}
	out, err := p.licenceList(q)
	if err != nil {
		return err
	}
	out.Wrong = q.Said(problem)
	return q.ShowAs(wire.HTTPStatus(problem.Kind), "licences", out)
}

type endsPage struct {
	frame.Page
	Ends     []ending
	Licences bool // the person may see and perhaps grant them
}

type ending struct {
	Kind, At, Left string
	Name, Then     frame.Point
	Over           bool // it has ended
}

// ends lists what ends within 30 days, as the node says.
func (p pages) ends(q *frame.Request) error {
	s, err := p.s.Status.Status(q.R.Context(), false)
	if err != nil {
		return err
	}
	out := endsPage{Page: q.Page("ends"), Licences: q.May(authority.ReadAlerts)}
	for _, e := range s.Ends {
		line := ending{Kind: q.Lang.Or("end.kind.", e.Kind), Name: q.Say(e.Name), At: q.DayTime(e.At), Then: q.Say(e.Then), Over: !q.Now.Before(e.At)}
		if !line.Over {
			line.Left = q.Lang.Span(e.At.Sub(q.Now))
		}
		out.Ends = append(out.Ends, line)
	}
	return q.Show("ends", out)
}
