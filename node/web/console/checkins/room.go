// Package checkins is the pages about places at which anybody's phone checks in: the codes to print and hang up there,
// how often phones checked in, and the way to an alert that recalls who was there. What a code is, and what is counted,
// is decided in node/checkin. It never imports another room of pages.
package checkins

import (
	"embed"
	"encoding/base64"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"almenara/node/authority"
	"almenara/node/service"
	"almenara/node/web/console/frame"
	"almenara/node/web/console/view"
	"almenara/node/wire"
	"almenara/node/wire/visits"
)

//go:embed *.html *.css
var files embed.FS

// Services are what the pages ask; all must be set.
type Services struct {
	CheckIns  service.CheckIns
	Places    service.Places
	Scenarios service.Scenarios
}

// Room is these pages.
func Room(s Services) frame.Room {
	return frame.Room{Pages: files, Routes: []frame.Route{
		{Method: "GET", Path: frame.Below + "checkins", Action: authority.ReadAudience, Handle: s.show},
	}}
}

type checkinsPage struct {
	frame.Page
	Places       []place
	Place        string
	Since, Until string // of the fields
	MayCount     bool
	Counted      bool
	Total        string
	Rows         []row
	Unanswered   string
	Visited      string   // the value of the parameter
	Recalls      []recall // scenarios that it fills in
	MayRecall    bool
	Most         int
}

// place is one that may be chosen.
type place struct{ Path, Name string }

type row struct{ Place, Count string }

type recall struct{ Path, Title string }

// blankVisited is the name of the blank of scenarios that takes the place and the span of time.
const blankVisited = "visited"

// mostCodes is how many codes are on one sheet.
const mostCodes = 200

func (s Services) placesOf(q *frame.Request) (out []place, err error) {
	all, err := s.Places.ListPlaces(q.R.Context())
	if err != nil {
		return nil, err
	}
	slices.SortFunc(all, func(a, b wire.Place) int { return strings.Compare(a.Path, b.Path) })
	for _, one := range all {
		out = append(out, place{one.Path, q.Lang.Called(one.Names)})
	}
	return out, nil
}

// show asks for a place and a span of time, and answers them; or shows the sheet.
func (s Services) show(q *frame.Request) (err error) {
	data := checkinsPage{Page: q.Page("checkins"), MayCount: q.May(authority.ReadReports), MayRecall: q.May(authority.Send), Most: mostCodes}
	if data.Places, err = s.placesOf(q); err != nil {
		return err
	}
	form := q.R.URL.Query()
	if form.Get("sheet") != "" {
		return s.codes(q)
	}
	data.Place = form.Get("place")
	until, since := q.FormTime(form.Get("until")), q.FormTime(form.Get("since"))
	if until.IsZero() {
		until = q.Now
	}
	if since.IsZero() {
		since = until.Add(-24 * time.Hour)
	}
	data.Since, data.Until = q.FieldTime(since), q.FieldTime(until)
	if !data.MayCount {
		return q.Show("checkins", data)
	}
	got, err := s.CheckIns.CheckIns(q.R.Context(), q.By(), visits.Query{Place: data.Place, From: since, To: until})
	if err != nil {
		return err
	}
	names, err := view.NamesOfPlaces(s.Places, q)
	if err != nil {
		return err
	}
	data.Counted, data.Total, data.Visited = true, view.Show(uint64(max(got.Total, 0))), got.Visited
	data.Unanswered = strings.Join(got.Unanswered, q.Lang.T("layout.list"))
	for _, p := range got.Places {
		data.Rows = append(data.Rows, row{names.Of(p.Place), view.Show(uint64(max(p.Count, 0)))})
	}
	if got.Visited != "" && data.MayRecall {
		data.Recalls, err = s.recalls(q, got.Visited)
	}
	if err != nil {
		return err
	}
	return q.Show("checkins", data)
}

// recalls are the scenarios that take the place and the span, with these filled in.
func (s Services) recalls(q *frame.Request, visited string) (out []recall, err error) {
	all, err := s.Scenarios.ListScenarios(q.R.Context())
	if err != nil {
		return nil, err
	}
	for _, one := range all {
		if slices.Contains(one.Blanks, blankVisited) {
			out = append(out, recall{frame.Below + "fire/" + url.PathEscape(one.ID) + "?" + url.Values{"b." + blankVisited: {visited}}.Encode(), one.Title})
		}
	}
	return out, nil
}

type codesPage struct {
	frame.Page
	Codes []code
}

// code is a code as it is printed: in both languages, whatever the person reads.
type code struct {
	Place, Zh, En, Until, Link string
	Size                       int
	Picture                    string // an SVG path
}

// codes makes the sheet.
func (s Services) codes(q *frame.Request) error {
	form := q.R.URL.Query()
	chosen := form["place"]
	if form.Get("below") != "" {
		all, err := s.placesOf(q)
		if err != nil {
			return err
		}
		for _, one := range all {
			if slices.ContainsFunc(form["place"], func(p string) bool { return p != "" && strings.HasPrefix(one.Path, p+"/") }) {
				chosen = append(chosen, one.Path)
			}
		}
	}
	got, err := s.CheckIns.PlaceCodes(q.R.Context(), q.By(), chosen)
	if err != nil {
		return err
	}
	data := codesPage{Page: q.Page("place-codes")}
	for _, c := range got.Codes {
		one := code{Place: c.Place, Until: c.Until.Format("2006-01-02"), Link: c.Link, Size: c.Modules + 2*quiet, Picture: draw(c)}
		for language, name := range c.Names {
			if strings.HasPrefix(strings.ToLower(language), "zh") {
				one.Zh = name
			} else {
				one.En = name
			}
		}
		data.Codes = append(data.Codes, one)
	}
	return q.Show("place-codes", data)
}

// quiet is the white margin around a QR code, in modules (ISO/IEC 18004, 9.1).
const quiet = 4

// draw writes the black modules as an SVG path; "" of a picture that is none.
func draw(c visits.PlaceCode) string {
	bits, err := base64.StdEncoding.DecodeString(c.Picture)
	if err != nil || c.Modules <= 0 || len(bits)*8 < c.Modules*c.Modules {
		return ""
	}
	black := func(x, y int) bool { n := y*c.Modules + x; return bits[n/8]&(0x80>>(n%8)) != 0 }
	var path strings.Builder
	for y := range c.Modules {
		for x := 0; x < c.Modules; x++ {
			from := x
			for x < c.Modules && black(x, y) {
				x++
			}
			if x > from {
				fmt.Fprintf(&path, "M%d %dh%dv1h-%dz", from+quiet, y+quiet, x-from, x-from)
			}
		}
	}
	return path.String()
}
