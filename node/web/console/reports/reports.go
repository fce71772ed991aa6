// Package reports is the page of what people report by their devices: with photos, on the district's map, and
// what was made of each by one press. Who may read and moderate is decided elsewhere; here is how it is shown.
// It never imports another room of pages.
package reports

import (
	"embed"
	"net/url"
	"strconv"

	"almenara/node/authority"
	"almenara/node/service"
	"almenara/node/web/console/drawing"
	"almenara/node/web/console/frame"
	"almenara/node/web/console/view"
	"almenara/node/wire/reported"
)

//go:embed *.html *.css
var files embed.FS

// onPage is how many reports a page shows.
const onPage = 50

type pages struct {
	reported service.Reported
	places   service.Places
}

// Room is this page.
func Room(of service.Reported, places service.Places) frame.Room {
	p := pages{of, places}
	return frame.Room{Pages: files, Routes: []frame.Route{
		{Method: "GET", Path: frame.Below + "reports", Action: authority.ReadReports, Handle: p.list},
		{Method: "GET", Path: frame.Below + "reports/{report}/photo", Action: authority.ReadReports, Handle: p.photo},
		{Method: "POST", Path: frame.Below + "reports/{report}/state", Action: authority.Moderate, Handle: p.moderate},
	}}
}

type reportsPage struct {
	frame.Page
	Alert    string // id of the alert whose reports they are; "" is all
	Counts   string // in words
	NeedHelp bool
	Filters  []filter
	Rows     []row
	Map      *drawing.Map
	Pins     []pin
	Off      string // how many have a position that is not on the map, in words; "" for none
	Next     string // path of the next page
	Show     string // the filter that is chosen
	After    string
}

// filter is a link to some of the reports.
type filter struct {
	Path, Label string
	Here        bool
}

// row is one report.
type row struct {
	ID, Number                  string
	Kind, State, At, Who, Place string
	Where, Text                 string
	Position                    string
	Photo                       string // path; "" for none
	Width, Height               string
	By, Said                    string // by whom and when it was moderated
	Note                        string
	Alert                       string
	NeedHelp, New, Hidden       bool
	Do                          []button
}

// button is what one press makes of a report.
type button struct{ State, Label string }

// pin is one report, or one responder, on the map.
type pin struct {
	X, Y, Number, To, Title string
	NeedHelp, Responder     bool
}

// filters are what may be asked for, by the value of show.
var filters = []struct {
	show  string
	query reported.Query
}{
	{"new", reported.Query{Handling: reported.New}},
	{"", reported.Query{}},
	{"help", reported.Query{Kind: reported.NeedHelp}},
	{"hidden", reported.Query{Handling: reported.Hidden}},
}

// list shows a page of reports.
func (p pages) list(q *frame.Request) error {
	asked := q.R.URL.Query()
	out := reportsPage{Page: q.Page("reports"), Alert: asked.Get("alert"), Show: asked.Get("show"), After: asked.Get("after")}
	var query reported.Query
	for _, f := range filters {
		if f.show == out.Show {
			query = f.query
		}
	}
	query.Alert, query.After, query.Limit = out.Alert, out.After, onPage
	found, err := p.reported.ListReports(q.R.Context(), q.By(), query)
	if err != nil {
		return err
	}
	out.Path = q.Inside(pathOf(out.Alert, out.Show, out.After))
	if out.Counts, out.NeedHelp = q.Lang.T("reports.counts", found.New, found.NeedHelp), found.NeedHelp > 0; found.New == 0 {
		out.Counts = q.Lang.T("reports.line.none")
	}
	for _, f := range filters {
		out.Filters = append(out.Filters, filter{pathOf(out.Alert, f.show, ""), q.Lang.T("reports.is." + map[bool]string{true: "all", false: f.show}[f.show == ""]), f.show == out.Show})
	}
	if found.Next != "" {
		out.Next = pathOf(out.Alert, out.Show, found.Next)
	}
	if err := p.fill(q, &out, found); err != nil {
		return err
	}
	return q.Show("reports", out)
}

// fill makes the rows, and the map.
func (p pages) fill(q *frame.Request, out *reportsPage, found reported.PersonReports) error {
	places, err := p.places.ListPlaces(q.R.Context())
	if err != nil {
		return err
	}
	names, err := view.NamesOfPlaces(p.places, q)
	if err != nil {
		return err
	}
	out.Map = drawing.Of(places, drawing.Shown{}, q.Lang)
	off := 0
	put := func(at reported.Spot, one pin) {
		if out.Map == nil {
			return
		}
		var on bool
		if one.X, one.Y, on = out.Map.At(at.Lat, at.Lon); !on {
			off++
			return
		}
		out.Pins = append(out.Pins, one)
	}
	for _, r := range found.Responders {
		put(r.Position, pin{Responder: true, Title: q.Lang.T("reports.responder", who(r.Name, r.Member), q.DayTime(r.At))})
	}
	for i, r := range found.Reports {
		one := newRow(q, r, names)
		one.Number = strconv.Itoa(i + 1)
		out.Rows = append(out.Rows, one)
		if r.Position != nil {
			put(*r.Position, pin{Number: one.Number, To: "#r-" + r.ID, Title: one.Kind + ", " + one.At, NeedHelp: one.NeedHelp})
		}
	}
	if off > 0 {
		out.Off = q.Lang.T("reports.off", off)
	}
	return nil
}

func newRow(q *frame.Request, r reported.PersonReport, names view.PlaceNames) row {
	out := row{
		ID: r.ID, Kind: q.Lang.Or("reports.made.", string(r.Kind)), State: q.Lang.Or("reports.is.", string(r.Handling)), At: q.DayTime(r.At),
		Who: who(r.Name, r.Member), Where: r.Where, Text: r.Text, Note: r.Note, Alert: r.Alert,
		NeedHelp: r.Kind == reported.NeedHelp, New: r.Handling == reported.New, Hidden: r.Handling == reported.Hidden,
	}
	if r.Place != "" {
		out.Place = names.Of(r.Place)
	}
	if at := r.Position; at != nil {
		out.Position = strconv.FormatFloat(at.Lat, 'f', 5, 64) + ", " + strconv.FormatFloat(at.Lon, 'f', 5, 64)
		if at.AccuracyMeters > 0 {
			out.Position = q.Lang.T("reports.within", out.Position, at.AccuracyMeters)
		}
	}
	if f := r.Photo; f != nil {
		out.Photo = frame.Below + "reports/" + r.ID + "/photo"
		out.Width, out.Height = strconv.Itoa(int(f.Width)), strconv.Itoa(int(f.Height))
	}
	if r.By != "" {
		out.By, out.Said = r.By, q.DayTime(r.Moderated)
	}
	if q.May(authority.Moderate) {
		for _, s := range []reported.Handling{reported.Seen, reported.Forwarded, reported.Hidden, reported.New} {
			if s != r.Handling && (s != reported.New || r.Handling == reported.Hidden) {
				out.Do = append(out.Do, button{string(s), q.Lang.T("reports.do." + string(s))})
			}
		}
	}
	return out
}

func who(name, member string) string {
	if name != "" {
		return name + " (" + member + ")"
	}
	return member
}

// pathOf is the path of some of the reports.
func pathOf(alert, show, after string) string {
	values := url.Values{}
	for name, value := range map[string]string{"alert": alert, "show": show, "after": after} {
		if value != "" {
			values.Set(name, value)
		}
	}
	if len(values) == 0 {
		return frame.Below + "reports"
	}
	return frame.Below + "reports?" + values.Encode()
}

func (p pages) photo(q *frame.Request) error {
	raw, err := p.reported.ReportPhoto(q.R.Context(), q.By(), q.R.PathValue("report"))
	return view.Photo(q, raw, err)
}

// moderate is one press.
func (p pages) moderate(q *frame.Request) error {
	id := q.R.PathValue("report")
	if _, err := p.reported.ModerateReport(q.R.Context(), q.By(), id, reported.Moderate{Handling: reported.Handling(q.Form("made"))}, "local"); err != nil {
		return err
	}
	return q.To(pathOf(q.Form("alert"), q.Form("show"), q.Form("after")) + "#r-" + url.PathEscape(id))
}
