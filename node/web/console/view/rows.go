package view

import (
	"cmp"
	"slices"

	"almenara/node/authority"
	"almenara/node/service"
	"almenara/node/web/console/frame"
	"almenara/node/wire"
)

// MostStanding is how many alerts that are not over are shown at once.
const MostStanding = 500

// Row is an alert that is not over, as lists show it.
type Row struct {
	ID, Headline, Author, Scenario string
	State                          wire.State
	Says                           string // the state in words, and whether all have reported
	InForce, Drill, Over           bool
	Waits                          bool   // for approval: nobody was told
	Begun                          string // when it was sent, in words; of what waits when it was written
	Sent, Expires                  string
	Tone                           string // what a page that may sounds as it comes into force: live, drill, or nothing
	Ladder                         []Rung
	Presented, Queued              uint64
	Reached                        string // "presented of queued", in words
	Rounded                        bool
	MayEnd, MayCorrect, MayUpdate  bool
	Follows                        *Follows // how far it has got that calls one group after the other; nil where it does not
}

// Rung is one step of the ladder.
type Rung struct {
	Name, Label, Count string
}

// ladder are the rungs in their order; what has stopped is what ended them.
func ladder(q *frame.Request, r wire.Rungs) []Rung {
	var out []Rung
	for _, step := range []struct {
		name  string
		count uint64
	}{
		{"queued", r.Queued}, {"sent", r.Sent}, {"delivered", r.Delivered}, {"verified", r.Verified},
		{"presented", r.Presented}, {"acknowledged", r.Acknowledged}, {"stopped", r.Cancelled + r.Expired},
	} {
		out = append(out, Rung{step.name, q.Lang.T("rung." + step.name), Show(step.count)})
	}
	return out
}

// RowOf is an alert as a row.
func RowOf(q *frame.Request, a wire.Alert) Row {
	r := Row{
		ID: a.ID, Headline: a.Headlines.In(q.Lang.Tag, cmp.Or(a.Headline, a.Key)), Author: a.Author, Scenario: a.Scenario, State: a.State,
		InForce: a.State == wire.StateInForce, Drill: a.Status != "Actual", Over: a.State.Over(), Sent: q.DayTime(a.Sent), Expires: q.DayTime(a.Expires),
		Tone: toneOf(a), Presented: min(a.Rungs.Presented, a.Rungs.Queued), Queued: a.Rungs.Queued, Ladder: ladder(q, a.Rungs), Reached: q.Lang.T("now.reached", a.Rungs.Presented, a.Rungs.Queued), Rounded: a.RoundedTo > 0,
		MayEnd: !a.State.Over() && q.May(authority.Cancel), MayCorrect: a.State == wire.StateInForce && q.May(authority.Correct),
		MayUpdate: !a.State.Over() && q.May(authority.Update), Follows: EscalationOf(q, a.Escalation),
	}
	r.Says = q.Lang.T("state." + string(a.State))
	r.Begun = q.Lang.T("row.sent", r.Sent)
	if r.Waits = a.State == wire.StatePending; r.Waits {
		r.Begun, r.Reached = q.Lang.T("row.written", r.Sent), q.Lang.T("row.untold")
	}
	if r.InForce && a.Rungs.Presented < a.Rungs.Queued {
		r.Says = q.Lang.T("state.incomplete")
	}
	return r
}

// Standing are all alerts that are not over: what is real first, then what is in force, the newest
// first.
func Standing(reader service.Reader, q *frame.Request) ([]Row, error) {
	alerts, _, err := reader.ListAlerts(q.R.Context(), wire.AlertQuery{Open: true, Limit: MostStanding})
	if err != nil {
		return nil, err
	}
	var out []Row
	for _, a := range alerts {
		authority.MinimalAlert(q.By(), &a)
		out = append(out, RowOf(q, a))
	}
	order := func(r Row) int {
		switch {
		case r.InForce && !r.Drill:
			return 0
		case !r.Drill:
			return 1
		}
		return 2
	}
	slices.SortStableFunc(out, func(a, b Row) int { return cmp.Compare(order(a), order(b)) })
	return out, nil
}

// toneOf is what a page sounds when the alert has come into force: emergencies, and drills in another way.
func toneOf(a wire.Alert) string {
	switch {
	case a.State != wire.StateInForce:
		return ""
	case a.Tier == "emergency":
		return "live"
	case a.Tier == "drill":
		return "drill"
	}
	return ""
}
