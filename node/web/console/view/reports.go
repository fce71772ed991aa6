package view

import (
	"almenara/node/authority"
	"almenara/node/service"
	"almenara/node/web/console/frame"
	"almenara/node/wire/reported"
)

// ReportsLine says how many reports of people are new, and how many of these need help.
type ReportsLine struct{ Class, Says string }

// ReportsOf is the line about the reports of an alert, "" for all; nil for who may not read them.
func ReportsOf(of service.Reported, q *frame.Request, alert string) (*ReportsLine, error) {
	if !q.May(authority.ReadReports) {
		return nil, nil
	}
	p, err := of.ListReports(q.R.Context(), q.By(), reported.Query{Alert: alert, Limit: 1})
	switch {
	case err != nil:
		return nil, err
	case p.New == 0:
		return &ReportsLine{"", q.Lang.T("reports.line.none")}, nil
	case p.NeedHelp == 0:
		return &ReportsLine{"wait", q.Lang.T("reports.line.new", p.New)}, nil
	}
	return &ReportsLine{"wrong", q.Lang.T("reports.line.help", p.New, p.NeedHelp)}, nil
}

// ResidentsOf is the line about what residents answered to an alert; nil for who may not read it, or where nobody
// answered.
func ResidentsOf(of service.Residents, q *frame.Request, alert string) (*ReportsLine, error) {
	if !q.May(authority.ReadReports) {
		return nil, nil
	}
	got, err := of.AlertResidents(q.R.Context(), q.By(), alert)
	if err != nil || got.Seen+got.Help+got.Photos == 0 {
		return nil, err
	}
	class := ""
	if got.Help > 0 {
		class = "wrong"
	}
	if len(got.Recalls) > 0 {
		return &ReportsLine{class, q.Lang.T("residents.line.recall", got.Seen, got.Help)}, nil
	}
	return &ReportsLine{class, q.Lang.T("residents.line", got.Seen, got.Help)}, nil
}
