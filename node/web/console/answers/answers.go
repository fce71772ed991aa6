// Package answers is the page of what people answered to one alert: who needs help first. What an answer
// is, and who may read it, is decided elsewhere; here is how it is shown. It never imports another room
// of pages.
package answers

import (
	"cmp"
	"embed"
	"slices"

	"almenara/node/authority"
	"almenara/node/service"
	"almenara/node/web/console/frame"
	"almenara/node/web/console/view"
	"almenara/node/wire"
)

//go:embed *.html
var files embed.FS

// help is the answer of somebody who needs help (CONTRACT.md, acknowledged).
const help = "help"

// The bounds of one page: what is looked at, in parts, and what is shown of it.
const (
	mostAsked = 20 // parts of partRows
	partRows  = 1000
	mostShown = 500
)

type pages struct {
	reader    service.Reader
	residents service.Residents
	places    service.Places
}

// Room is this page.
func Room(reader service.Reader, residents service.Residents, places service.Places) frame.Room {
	p := pages{reader, residents, places}
	return frame.Room{Pages: files, Routes: []frame.Route{
		{Method: "GET", Path: frame.Below + "alerts/{id}/answers", Action: authority.ReadAlerts, Handle: p.answers},
	}}
}

type answersPage struct {
	frame.Page
	ID, Headline string
	Counts       []count
	Residents    *view.ReportsLine // who answered without a device of their own
	Rows         []row
	More         bool // there are more than are shown, or were looked at
}

type count struct{ Text, Count string }

// row is what one person answered.
type row struct {
	Member, Place, Text, At string
	Help                    bool
}

// answers lists them: help first, then the newest.
func (p pages) answers(q *frame.Request) error {
	a, err := p.reader.ShowAlert(q.R.Context(), q.R.PathValue("id"))
	if err != nil {
		return err
	}
	authority.MinimalAlert(q.By(), &a)
	said, whole, err := p.said(q, a.ID)
	if err != nil {
		return err
	}
	names, err := view.NamesOfPlaces(p.places, q)
	if err != nil {
		return err
	}
	out := answersPage{Page: q.Page("answers"), ID: a.ID, Headline: a.Headlines.In(q.Lang.Tag, cmp.Or(a.Headline, a.Key)), Counts: counts(q, said), More: !whole || len(said) > mostShown}
	if out.Residents, err = view.ResidentsOf(p.residents, q, a.ID); err != nil {
		return err
	}
	out.Path = q.Inside(view.PathOf(a.ID, "answers"))
	for _, r := range said[:min(len(said), mostShown)] {
		name := r.Member
		if r.Name != "" {
			name = r.Name + " (" + r.Member + ")"
		}
		out.Rows = append(out.Rows, row{name, names.Of(r.Place), q.Lang.Or("answer.", r.Answer), q.DayTime(r.At), r.Answer == help})
	}
	return q.Show("answers", out)
}

// said are the rows with an answer in their order; whole is false where there were more than is looked at.
func (p pages) said(q *frame.Request, id string) (out []wire.ReceiptRow, whole bool, err error) {
	after := ""
	for range mostAsked {
		found, err := p.reader.AlertReceipts(q.R.Context(), q.By(), id, wire.ReceiptQuery{Rung: "acknowledged", After: after, Limit: partRows})
		if err != nil {
			return nil, false, err
		}
		for _, r := range found.Rows {
			if r.Answer != "" {
				out = append(out, r)
			}
		}
		if after, whole = found.Next, found.Next == ""; whole {
			break
		}
	}
	slices.SortStableFunc(out, func(a, b wire.ReceiptRow) int {
		if a.Answer == help != (b.Answer == help) {
			if a.Answer == help {
				return -1
			}
			return 1
		}
		return b.At.Compare(a.At)
	})
	return out, whole, nil
}

// counts are how many gave each answer: help first, then the most frequent.
func counts(q *frame.Request, said []wire.ReceiptRow) (out []count) {
	number, order := map[string]int{}, []string(nil)
	for _, r := range said {
		if number[r.Answer]++; number[r.Answer] == 1 {
			order = append(order, r.Answer)
		}
	}
	slices.SortStableFunc(order, func(a, b string) int {
		if a == help || b == help {
			return cmp.Compare(b2i(b == help), b2i(a == help))
		}
		return cmp.Compare(number[b], number[a])
	})
	for _, text := range order[:min(len(order), 10)] { // a device may answer in words of its own
		out = append(out, count{q.Lang.Or("answer.", text), view.Show(uint64(number[text]))})
	}
	return out
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}
