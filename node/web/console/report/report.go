// Package report is the page of what one alert came to: who did what when, the curve of whom it reached,
// by block and kind, the slowest, who is dark, and what was answered; also as CSV. What is in it is made
// in node/afteraction.
package report

import (
	"cmp"
	"embed"
	"net/http"
	"path"
	"strings"
	"time"

	"almenara/node/authority"
	"almenara/node/service"
	"almenara/node/web/console/frame"
	"almenara/node/web/console/view"
	"almenara/node/wire"
	"almenara/node/wire/sheets"
)

//go:embed *.html *.css
var files embed.FS

type pages struct {
	reports   service.Reports
	residents service.Residents
	places    service.Places
}

// Room is these pages.
func Room(reports service.Reports, residents service.Residents, places service.Places) frame.Room {
	p := pages{reports, residents, places}
	return frame.Room{Pages: files, Routes: []frame.Route{
		{Method: "GET", Path: frame.Below + "alerts/{id}/report", Action: authority.ReadAlerts, Handle: p.report},
		{Method: "GET", Path: frame.Below + "alerts/{id}/report.csv", Action: authority.ReadAlerts, Handle: p.csv},
	}}
}

type reportPage struct {
	frame.Page
	ID, Headline, Says string
	Drill, Rounded     bool
	Begun, Made        string
	Waits              bool // for approval: nobody was told, and nobody has to knock
	Total              []milestone
	Events             []event
	Chart              chart
	Groups             []group
	Stopped            string
	NodeClock          string
	Slowest, Dark      []row
	DarkTotal          string
	DarkMore           bool // more than are listed
	MayList            bool
	Answers            []answer
	Residents          []block // who answered by the code beside it
	Recall             bool    // these were at a place that it recalls visitors of
	Counts             string
}

// milestone is one number that everybody asks for.
type milestone struct{ Label, Value string }

type event struct {
	At, After, What, By, Text, Reached string
	Devices                            bool // by their clocks
}

type group struct {
	Place, Kind, Presented, Half, Ninety, Last string
	Complete                                   bool
}

type row struct{ Member, Kind, Place, After string }

// block is how many phones of residents answered.
type block struct{ Place, Seen, Help, Photos string }

type answer struct{ Text, Count string }

func (p pages) report(q *frame.Request) error {
	r, err := p.reports.AlertReport(q.R.Context(), q.By(), q.R.PathValue("id"))
	if err != nil {
		return err
	}
	names, err := view.NamesOfPlaces(p.places, q)
	if err != nil {
		return err
	}
	out := reportPage{
		Page: q.Page("report"), ID: r.Alert.ID, Headline: r.Alert.Headlines.In(q.Lang.Tag, cmp.Or(r.Alert.Headline, r.Alert.Key)), Drill: r.Alert.Status != "Actual",
		Says: q.Lang.T("state." + string(r.Alert.State)), Begun: q.DayTime(r.Begun), Made: q.DayTime(r.Made), Rounded: r.RoundedTo > 0,
		DarkTotal: view.Show(r.DarkTotal), DarkMore: uint64(len(r.Dark)) < r.DarkTotal, MayList: len(r.Slowest)+len(r.Dark) > 0,
		Counts: q.Lang.T("counts." + string(r.Alert.CountsFrom)), Waits: r.Alert.State == wire.StatePending,
	}
	if r.Alert.State == wire.StateInForce && r.Reached.Count < r.Reached.Of {
		out.Says = q.Lang.T("state.incomplete")
	}
	out.Path = q.Inside(view.PathOf(r.Alert.ID, "report"))
	out.Total = milestones(q, r)
	for _, e := range r.Events {
		out.Events = append(out.Events, eventOf(q, r, e))
	}
	out.Chart = chartOf(q, r)
	for _, g := range r.Groups {
		out.Groups = append(out.Groups, group{
			Place: cmp.Or(names.Of(g.Place), q.Lang.T("report.removed")), Kind: q.Lang.Or("kind.", g.Kind), Presented: of(g.Reached), Half: after(q, r.Begun, g.Reached.Half),
			Ninety: after(q, r.Begun, g.Reached.Ninety), Last: after(q, r.Begun, g.Reached.Last), Complete: g.Reached.Count == g.Reached.Of,
		})
	}
	if s := r.Stopped; s != nil {
		out.Stopped = q.Lang.T("report.stopped", s.Count, s.Of)
	}
	if n := r.Reached.NodeClock; n > 0 {
		out.NodeClock = q.Lang.T("report.nodeclock", n)
	}
	rows := func(in []wire.ReportRow) (out []row) {
		for _, m := range in {
			out = append(out, row{m.Member, q.Lang.Or("kind.", m.Kind), cmp.Or(names.Of(m.Place), q.Lang.T("report.removed")), after(q, r.Begun, m.At)})
		}
		return out
	}
	out.Slowest, out.Dark = rows(r.Slowest), rows(r.Dark)
	if q.May(authority.ReadReports) {
		got, err := p.residents.AlertResidents(q.R.Context(), q.By(), r.Alert.ID)
		if err != nil {
			return err
		}
		out.Recall = len(got.Recalls) > 0
		for _, b := range got.Blocks {
			out.Residents = append(out.Residents, block{names.Of(b.Place), view.Show(uint64(b.Seen)), view.Show(uint64(b.Help)), view.Show(uint64(b.Photos))})
		}
	}
	for _, a := range r.Answers {
		out.Answers = append(out.Answers, answer{q.Lang.Or("answer.", a.Name), view.Show(a.Count)})
	}
	return q.Show("report", out)
}

// milestones are the times that are compared from alert to alert.
func milestones(q *frame.Request, r wire.Report) []milestone {
	return []milestone{
		{q.Lang.T("rung.presented"), of(r.Reached)},
		{q.Lang.T("report.first"), after(q, r.Begun, r.Reached.First)}, {q.Lang.T("report.half"), after(q, r.Begun, r.Reached.Half)},
		{q.Lang.T("report.ninety"), after(q, r.Begun, r.Reached.Ninety)}, {q.Lang.T("report.ninety-five"), after(q, r.Begun, r.Reached.NinetyFive)},
		{q.Lang.T("report.last"), after(q, r.Begun, r.Reached.Last)}, {q.Lang.T("report.dark"), view.Show(r.DarkTotal)},
	}
}

func eventOf(q *frame.Request, r wire.Report, e wire.ReportEvent) event {
	out := event{At: q.ClockTime(e.At), After: after(q, r.Begun, e.At), By: e.By, Text: e.Headlines.In(q.Lang.Tag, e.Headline), What: q.Lang.T("happened." + string(e.What)), Devices: e.What.ByDevices()}
	if e.MsgType != "" {
		out.What = q.Lang.Or("message.", e.MsgType) + q.Lang.T("layout.colon") + out.What
	}
	if e.What == wire.HappenedEnded {
		out.What = q.Lang.T("happened.ended")
	}
	if e.Alone {
		out.What += " " + q.Lang.T("report.alone")
	}
	if e.Reason != "" {
		out.Text = strings.TrimLeft(out.Text+" · "+e.Reason, " ·")
	}
	if s := e.Reached; s != nil && s.Of > 0 {
		out.Reached = q.Lang.T("report.reached", of(*s), after(q, e.At, s.First), after(q, e.At, s.Ninety))
	}
	return out
}

func of(s wire.Spread) string { return view.Show(s.Count) + " / " + view.Show(s.Of) }

// after is how long after the beginning something was, with tenths up to two minutes; a dash for never.
func after(q *frame.Request, begun, at time.Time) string {
	d := at.Sub(begun)
	switch {
	case at.IsZero():
		return "–"
	case d < 2*time.Minute:
		return seconds(q, d)
	}
	return q.Lang.Span(d)
}

// csv is the whole report for a spreadsheet; the mark at its beginning tells Excel that it is UTF-8.
func (p pages) csv(q *frame.Request) error {
	r, err := p.reports.AlertReport(q.R.Context(), q.By(), q.R.PathValue("id"))
	if err != nil {
		return err
	}
	view.Download(q.W, "text/csv; charset=utf-8", path.Base(r.Alert.ID)+".csv")
	if _, err := q.W.Write([]byte("\ufeff")); err != nil {
		panic(http.ErrAbortHandler)
	}
	if err := sheets.Report(q.W, r); err != nil {
		panic(http.ErrAbortHandler) // a part is there already: it must not look whole
	}
	return nil
}
