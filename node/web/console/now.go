package console

import (
	"cmp"
	"slices"

	"almenara/node/authority"
	"almenara/node/service"
	"almenara/node/web/console/frame"
	"almenara/node/web/console/view"
	"almenara/node/wire"
)

// mostStanding is how many alerts that are not over are shown at once.
const mostStanding = 500

// row is an alert that is not over, as lists show it.
type row struct {
	ID, Headline, Author, Scenario string
	State                          wire.State
	Says                           string // the state in words, and whether all have reported
	InForce, Drill, Over           bool
	Sent, Expires                  string
	Ladder                         []rung
	Reached                        string // "presented of queued", in words
	Rounded                        bool
	MayEnd, MayCorrect, MayUpdate  bool
}

// rung is one step of the ladder.
type rung struct {
	Name, Label, Count string
}

// ladder are the rungs in their order; what has stopped is what ended them.
func ladder(q *frame.Request, r wire.Rungs) []rung {
	var out []rung
	for _, step := range []struct {
		name  string
		count uint64
	}{
		{"queued", r.Queued}, {"sent", r.Sent}, {"delivered", r.Delivered}, {"verified", r.Verified},
		{"presented", r.Presented}, {"acknowledged", r.Acknowledged}, {"stopped", r.Cancelled + r.Expired},
	} {
		out = append(out, rung{step.name, q.Lang.T("rung." + step.name), view.Show(step.count)})
	}
	return out
}

func newRow(q *frame.Request, a wire.Alert) row {
	r := row{
		ID: a.ID, Headline: cmp.Or(a.Headline, a.Key), Author: a.Author, Scenario: a.Scenario, State: a.State,
		InForce: a.State == wire.StateInForce, Drill: a.Status != "Actual", Over: a.State.Over(), Sent: q.DayTime(a.Sent), Expires: q.DayTime(a.Expires),
		Ladder: ladder(q, a.Rungs), Reached: q.Lang.T("now.reached", a.Rungs.Presented, a.Rungs.Queued), Rounded: a.RoundedTo > 0,
		MayEnd: !a.State.Over() && q.May(authority.Cancel), MayCorrect: a.State == wire.StateInForce && q.May(authority.Correct),
		MayUpdate: !a.State.Over() && q.May(authority.Update),
	}
	r.Says = q.Lang.T("state." + string(a.State))
	if r.InForce && a.Rungs.Presented < a.Rungs.Queued {
		r.Says = q.Lang.T("state.incomplete")
	}
	return r
}

// standing are all alerts that are not over: what is real first, then what is in force, the newest
// first.
func standing(reader service.Reader, q *frame.Request) ([]row, error) {
	alerts, _, err := reader.ListAlerts(q.R.Context(), wire.AlertQuery{Open: true, Limit: mostStanding})
	if err != nil {
		return nil, err
	}
	var out []row
	for _, a := range alerts {
		authority.MinimalAlert(q.By(), &a)
		out = append(out, newRow(q, a))
	}
	order := func(r row) int {
		switch {
		case r.InForce && !r.Drill:
			return 0
		case !r.Drill:
			return 1
		}
		return 2
	}
	slices.SortStableFunc(out, func(a, b row) int { return cmp.Compare(order(a), order(b)) })
	return out, nil
}

type nowPage struct {
	frame.Page
	Rows     []row
	Contrary []view.Contrary
	Most     int // more than these are not shown; 0 where all are

	Reports *view.ReportsLine
}

// now shows every alert in force, all of them at once.
func (c alertPages) now(q *frame.Request) error {
	rows, err := standing(c.reader, q)
	if err != nil {
		return err
	}
	p := nowPage{Page: q.Page("now"), Rows: rows, Contrary: view.Contradictions(c.reader, q)}
	if len(rows) >= mostStanding {
		p.Most = mostStanding
	}
	if p.Reports, err = view.ReportsOf(c.reported, q, ""); err != nil {
		return err
	}
	return q.Show("now", p)
}
