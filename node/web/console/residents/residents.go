// Package residents is the page of what people without an account answered to one alert, by the code beside it on
// screens: how many in each block, and who needs help, with what was made of each by one press. Who may read and
// moderate is decided elsewhere; here is how it is shown. It never imports another room of pages.
package residents

import (
	"cmp"
	"embed"
	"net/url"
	"strconv"
	"strings"

	"almenara/node/authority"
	"almenara/node/service"
	"almenara/node/web/console/frame"
	"almenara/node/web/console/view"
	"almenara/node/wire/reported"
)

//go:embed *.html *.css
var files embed.FS

type pages struct {
	residents service.Residents
	reader    service.Reader
	places    service.Places
}

// Room is this page.
func Room(of service.Residents, reader service.Reader, places service.Places) frame.Room {
	p := pages{of, reader, places}
	return frame.Room{Pages: files, Routes: []frame.Route{
		{Method: "GET", Path: frame.Below + "alerts/{id}/residents", Action: authority.ReadReports, Handle: p.list},
		{Method: "GET", Path: frame.Below + "residents/{report}/photo", Action: authority.ReadReports, Handle: p.photo},
		{Method: "POST", Path: frame.Below + "residents/{report}/state", Action: authority.Moderate, Handle: p.moderate},
	}}
}

type residentsPage struct {
	frame.Page
	ID, Headline       string
	Seen, Help, Photos string
	Recall             bool   // it recalls who was at a place: seen is well, and help has symptoms
	Recalled           string // where and when
	NeedHelp           bool
	Blocks             []block
	Rows               []row
	More               bool
}

type block struct {
	ID, Place, Seen, Help, Photos string
	NeedHelp                      bool
}

// row is a request for help, or a photo.
type row struct {
	ID, Kind, State, At, Place, Where, Text string
	Photo, Width, Height                    string // Photo is its path; "" for none
	By, Said                                string // by whom and when it was moderated
	NeedHelp, New                           bool
	Do                                      []button
}

// button is what one press makes of an answer.
type button struct{ State, Label string }

// kinds are what answers are, in words.
var kinds = map[reported.ResidentTopic]string{reported.ResidentHelp: "residents.made.need_help", reported.ResidentPhoto: "residents.made.photo"}

// list shows what came: who needs help first.
func (p pages) list(q *frame.Request) error {
	a, err := p.reader.ShowAlert(q.R.Context(), q.R.PathValue("id"))
	if err != nil {
		return err
	}
	authority.MinimalAlert(q.By(), &a)
	got, err := p.residents.AlertResidents(q.R.Context(), q.By(), a.ID)
	if err != nil {
		return err
	}
	names, err := view.NamesOfPlaces(p.places, q)
	if err != nil {
		return err
	}
	out := residentsPage{
		Page: q.Page("residents"), ID: a.ID, Headline: a.Headlines.In(q.Lang.Tag, cmp.Or(a.Headline, a.Key)), Seen: show(got.Seen), Help: show(got.Help), Photos: show(got.Photos), NeedHelp: got.Help > 0, More: got.More,
	}
	out.Path = q.Inside(view.PathOf(a.ID, "residents"))
	for _, r := range got.Recalls {
		out.Recall = true
		out.Recalled = strings.TrimPrefix(out.Recalled+"; "+names.Of(r.Place)+" · "+q.DayTime(r.From)+" – "+q.DayTime(r.To), "; ")
	}
	for _, b := range got.Blocks {
		out.Blocks = append(out.Blocks, block{b.Place, names.Of(b.Place), show(b.Seen), show(b.Help), show(b.Photos), b.Help > 0})
	}
	for _, one := range got.Answers {
		r := newRow(q, one, names)
		if out.Recall && r.NeedHelp {
			r.Kind = q.Lang.T("residents.made.symptoms")
		}
		out.Rows = append(out.Rows, r)
	}
	return q.Show("residents", out)
}

func show(n int) string { return view.Show(uint64(max(n, 0))) }

func newRow(q *frame.Request, a reported.ResidentsAnswer, names view.PlaceNames) row {
	out := row{
		ID: a.ID, Kind: q.Lang.T(kinds[a.Kind]), State: q.Lang.Or("reports.is.", string(a.Handling)), At: q.DayTime(a.Taken), Place: names.Of(a.Place),
		Where: a.Where, Text: a.Text, NeedHelp: a.Kind == reported.ResidentHelp, New: a.Handling == reported.New,
	}
	if f := a.Photo; f != nil {
		out.Photo = frame.Below + "residents/" + url.PathEscape(a.ID) + "/photo"
		out.Width, out.Height = strconv.Itoa(int(f.Width)), strconv.Itoa(int(f.Height))
	}
	if a.By != "" {
		out.By, out.Said = a.By, q.DayTime(a.Moderated)
	}
	if q.May(authority.Moderate) {
		for _, s := range []reported.Handling{reported.Seen, reported.Forwarded, reported.Hidden} {
			if s != a.Handling {
				out.Do = append(out.Do, button{string(s), q.Lang.T("reports.do." + string(s))})
			}
		}
	}
	return out
}

func (p pages) photo(q *frame.Request) error {
	raw, err := p.residents.ResidentPhoto(q.R.Context(), q.By(), q.R.PathValue("report"))
	return view.Photo(q, raw, err)
}

// moderate is one press.
func (p pages) moderate(q *frame.Request) error {
	id := q.R.PathValue("report")
	if _, err := p.residents.HandleResident(q.R.Context(), q.By(), id, reported.Moderate{Handling: reported.Handling(q.Form("made"))}, "local"); err != nil {
		return err
	}
	return q.To(view.PathOf(q.Form("alert"), "residents") + "#r-" + url.PathEscape(id))
}
