// Package personal is the pages about what is known of people: how long it is kept, what is removed next,
// who was erased by which pseudonym, and erasing a person. What may be erased is decided by node/personal;
// here is how it is asked.
package personal

import (
	"embed"
	"net/url"
	"strconv"
	"strings"

	"almenara/node/authority"
	"almenara/node/service"
	"almenara/node/web/console/frame"
	"almenara/node/web/console/view"
	"almenara/node/wire"
	"almenara/node/wire/personal"
	"almenara/node/wire/why"
)

//go:embed *.html
var files embed.FS

// Services are what these pages ask; all must be set.
type Services struct {
	Personal service.Personal
	Places   service.Places
}

type pages struct{ s Services }

// Room is these pages.
func Room(s Services) frame.Room {
	p := pages{s}
	return frame.Room{Pages: files, Routes: []frame.Route{
		{Method: "GET", Path: frame.Below + "personal", Action: authority.ReadErasures, Handle: p.personal},
		{Method: "POST", Path: frame.Below + "personal", Action: authority.ChangeRetention, Sends: true, Handle: p.setRetention},
		{Method: "GET", Path: frame.Below + "personal/erase", Action: authority.ErasePersons, Handle: p.erasePage},
		{Method: "POST", Path: frame.Below + "personal/erase", Action: authority.ErasePersons, Sends: true, Handle: p.erase},
	}}
}

type personalPage struct {
	frame.Page
	MayErase, MayChange bool
	Days, Reports       string
	Notes               string
	Residents, Notices  string
	By                  string // who set it; "": these are the defaults
	Next                []removal
	Erasures            []erasure
	Done                string
	Wrong               frame.Said // why nothing was changed
}

type removal struct{ What, Due, On, Before, Removed string }

type erasure struct{ Pseudonym, At, By, Word, State string }

func (p pages) personal(q *frame.Request) error {
	out, err := p.page(q)
	if err != nil {
		return err
	}
	switch q.R.URL.Query().Get("done") {
	case "set":
		out.Done = q.Lang.T("personal.set.done")
	case "erased":
		out.Done = q.Lang.T("personal.erased.done")
	}
	return q.Show("personal", out)
}

func (p pages) page(q *frame.Request) (personalPage, error) {
	out := personalPage{Page: q.Page("personal"), MayErase: q.May(authority.ErasePersons), MayChange: q.May(authority.ChangeRetention)}
	out.Path = q.Inside(frame.Below + "personal")
	kept, err := p.s.Personal.ShowRetention(q.R.Context(), q.By())
	if err != nil {
		return out, err
	}
	number := func(n uint32) string { return strconv.FormatUint(uint64(n), 10) }
	out.Days, out.Reports, out.Notes, out.By = number(kept.Retention.PositionDays), number(kept.Retention.ReportMonths), number(kept.Retention.NoteMonths), kept.By
	out.Residents, out.Notices = number(kept.Retention.ResidentMonths), number(kept.Retention.NoticeMonths)
	for _, n := range kept.Next {
		line := removal{What: q.Lang.Or("personal.what.", n.What), Due: view.Show(n.Due), On: q.DayTime(n.On), Before: q.DayTime(n.Before), Removed: view.Show(n.Removed)}
		if n.More {
			line.Due = q.Lang.T("personal.more", line.Due)
		}
		out.Next = append(out.Next, line)
	}
	all, err := p.s.Personal.ListErasures(q.R.Context(), q.By())
	for _, x := range all.Erasures {
		state := "personal.state.files"
		switch {
		case !x.Agreed:
			state = "personal.state.searching"
		case x.Waits:
			state = "personal.state.waits"
		case !x.Files:
			state = "personal.state.agreed"
		}
		out.Erasures = append(out.Erasures, erasure{x.Pseudonym, q.DayTime(x.At), x.By, x.Word, q.Lang.T(state)})
	}
	return out, err
}

// setRetention sets how long what is known of people is kept; what may be set is said by the service.
func (p pages) setRetention(q *frame.Request) error {
	var in personal.Retention
	for _, field := range []struct {
		name string
		into *uint32
	}{{"days", &in.PositionDays}, {"reports", &in.ReportMonths}, {"notes", &in.NoteMonths}, {"residents", &in.ResidentMonths}, {"notices", &in.NoticeMonths}} {
		n, err := strconv.ParseUint(strings.TrimSpace(q.Form(field.name)), 10, 32)
		if err != nil || n < 1 {
			return p.then(q, wire.Problemf(wire.KindMalformed, "%s", q.Lang.T("personal.number.wrong")).Because(why.InWords, q.Lang.T("personal.number.wrong")))
		}
		*field.into = uint32(n)
	}
	_, err := p.s.Personal.PutRetention(q.R.Context(), q.By(), in)
	return p.then(q, err)
}

// then goes back to the page, or shows it with why nothing was changed.
func (p pages) then(q *frame.Request, err error) error {
	problem, refused := err.(*wire.Problem)
	switch {
	case err == nil:
		return q.To(frame.Below + "personal?done=set")
	case !refused:
		return err
	}
	out, err := p.page(q)
	if err != nil {
		return err
	}
	out.Wrong = q.Said(problem)
	return q.ShowAs(wire.HTTPStatus(problem.Kind), "personal", out)
}

type erasePage struct {
	frame.Page
	Asked   string // the id that was typed
	Found   bool
	Person  personal.Person
	Place   string
	Reports string
	Notes   string
	Whose   string
	Word    string
	Wrong   frame.Said // why nobody was erased
}

// erasePage asks for a member, and shows what would go.
func (p pages) erasePage(q *frame.Request) error {
	asked := strings.TrimSpace(q.R.URL.Query().Get("member"))
	out, err := p.person(q, asked)
	problem, refused := err.(*wire.Problem)
	if refused {
		out.Wrong = q.Said(problem)
		return q.ShowAs(wire.HTTPStatus(problem.Kind), "erase", out)
	}
	if err != nil {
		return err
	}
	return q.Show("erase", out)
}

func (p pages) person(q *frame.Request, asked string) (erasePage, error) {
	out := erasePage{Page: q.Page("erase"), Asked: asked, Word: q.Lang.T("personal.word"), Whose: q.Form("whose")}
	out.Path = q.Inside(frame.Below + "personal/erase?" + url.Values{"member": {asked}}.Encode())
	if asked == "" {
		return out, nil
	}
	person, err := p.s.Personal.ShowPerson(q.R.Context(), q.By(), asked)
	if err != nil {
		return out, err
	}
	names, err := view.NamesOfPlaces(p.s.Places, q)
	out.Found, out.Person, out.Reports, out.Notes = true, person, view.Show(person.Reports), view.Show(person.Notes)
	if person.Place != "" {
		out.Place = names.Of(person.Place)
	}
	return out, err
}

// erase erases the person; what may be erased is said by the service.
func (p pages) erase(q *frame.Request) error {
	id := strings.TrimSpace(q.Form("member"))
	err := error(wire.Problemf(wire.KindRefused, "%s", q.Lang.T("personal.word.wrong", q.Lang.T("personal.word"))).Because(why.InWords, q.Lang.T("personal.word.wrong", q.Lang.T("personal.word"))))
	if view.Typed(q.Form("word"), "personal.word") {
		_, err = p.s.Personal.ErasePerson(q.R.Context(), q.By(), id, personal.Erase{Member: id, Word: q.Form("whose")})
	}
	problem, refused := err.(*wire.Problem)
	switch {
	case err == nil:
		return q.To(frame.Below + "personal?done=erased")
	case !refused:
		return err
	}
	out, err := p.person(q, id)
	if again, gone := err.(*wire.Problem); err != nil && !gone {
		return err
	} else if gone {
		problem = again
	}
	out.Wrong = q.Said(problem)
	return q.ShowAs(wire.HTTPStatus(problem.Kind), "erase", out)
}
