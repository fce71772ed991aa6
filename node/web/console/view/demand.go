package view

import (
	"context"
	"slices"
	"strings"

	"almenara/node/web/console/frame"
	"almenara/node/wire"
)

// DemandOf says why an alert needs approvals, in the person's language: what of it the rule was held
// against, its scenario by the title. "" for nil. The node's own sentence says more of the rule, in English.
func DemandOf(q *frame.Request, scenarios Scenarios, d *wire.Demand) string {
	if d == nil {
		return ""
	}
	if d.Scenario != "" {
		return q.Lang.T("demand.scenario", titleOf(q, scenarios, d.Scenario))
	}
	var is []string
	if d.Rule.Severity != "" {
		is = append(is, q.Lang.T("demand.severity", q.Lang.Or("compose.severity.", d.Severity)))
	}
	if d.Rule.Urgency != "" {
		is = append(is, q.Lang.T("demand.urgency", q.Lang.Or("compose.urgency.", d.Urgency)))
	}
	if d.Rule.Scenario != "" {
		is = append(is, q.Lang.T("demand.made", titleOf(q, scenarios, d.Rule.Scenario)))
	}
	switch {
	case d.Members == 0:
	case d.Rule.Share > 0 || d.Rule.District:
		is = append(is, q.Lang.T("demand.share", d.Share))
	default:
		is = append(is, q.Lang.T("demand.members", d.Members))
	}
	if d.Recent > 0 {
		is = append(is, q.Lang.T("demand.recent", d.Recent))
	}
	if len(is) == 0 {
		return q.Lang.T("demand.every")
	}
	return q.Lang.T("demand.because", strings.Join(is, q.Lang.T("demand.and")))
}

// Scenarios are the prepared alerts; service.Scenarios is one.
type Scenarios interface {
	ListScenarios(context.Context) ([]wire.Scenario, error)
}

// titleOf is what people call a scenario; the id where there is no title, or no such scenario any more.
func titleOf(q *frame.Request, scenarios Scenarios, id string) string {
	all, err := scenarios.ListScenarios(q.R.Context())
	i := slices.IndexFunc(all, func(s wire.Scenario) bool { return s.ID == id && s.Title != "" })
	if err != nil || i < 0 {
		return id
	}
	return all[i].Title
}
