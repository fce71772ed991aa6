// Package notices is the pages of planned notices: all that wait and whom they wait for, one with its
// versions side by side, comments at the text, passing on and sending back, and writing one. What may be
// done with a notice is decided by node/notices; here is how it is asked and shown.
package notices

import (
	"embed"
	"net/url"

	"almenara/node/authority"
	"almenara/node/service"
	"almenara/node/web/console/frame"
	"almenara/node/web/console/view"
	"almenara/node/wire/notices"
)

//go:embed *.html *.css
var files embed.FS

type pages struct {
	notices   service.Notices
	scenarios service.Scenarios
	policy    service.Policy
	places    service.Places
}

// Room is these pages.
func Room(of service.Notices, scenarios service.Scenarios, policy service.Policy, places service.Places) frame.Room {
	p := pages{of, scenarios, policy, places}
	return frame.Room{Pages: files, Routes: []frame.Route{
		{Method: "GET", Path: frame.Below + "notices", Action: authority.ReadAlerts, Handle: p.list},
		{Method: "GET", Path: frame.Below + "notices/write", Action: authority.WriteNotice, Handle: p.writePage},
		{Method: "POST", Path: frame.Below + "notices/write", Action: authority.WriteNotice, Sends: true, Handle: p.write},
		{Method: "GET", Path: frame.Below + "notices/{notice}", Action: authority.ReadAlerts, Handle: p.show},
		{Method: "GET", Path: frame.Below + "notices/{notice}/version", Action: authority.WriteNotice, Handle: p.revisePage},
		{Method: "POST", Path: frame.Below + "notices/{notice}/version", Action: authority.WriteNotice, Sends: true, Handle: p.revise},
		{Method: "POST", Path: frame.Below + "notices/{notice}/act", Action: authority.ReviewNotice, Sends: true, Handle: p.act},
	}}
}

type noticesPage struct {
	frame.Page
	Rows  []row
	Over  bool // those that are over are listed, too
	Write bool
	None  bool
}

// row is a notice, as lists show it.
type row struct {
	ID, Path, Title, Author string
	Standing, Says          string // the state; in words with the level
	Since, At, Why          string
	Who                     string // whom it waits for, in words; "" for nobody
	Overdue, You, Nobody    bool
	Live, Over              bool // waits, or is locked; is over
	Alert                   string
}

func (p pages) list(q *frame.Request) error {
	out := noticesPage{Page: q.Page("notices"), Write: q.May(authority.WriteNotice), Over: q.R.URL.Query().Get("over") != ""}
	if out.Path = q.Inside(frame.Below + "notices"); out.Over {
		out.Path = q.Inside(frame.Below + "notices?over=1")
	}
	all, err := p.notices.ListNotices(q.R.Context(), out.Over)
	if err != nil {
		return err
	}
	for _, n := range all {
		out.Rows = append(out.Rows, newRow(q, n))
	}
	out.None = len(out.Rows) == 0
	return q.Show("notices", out)
}

func newRow(q *frame.Request, n notices.Notice) row {
	r := row{
		ID: n.ID, Path: pathOf(n.ID), Title: n.Title, Author: n.Author, Standing: string(n.Standing), Since: q.DayTime(n.Since), Why: n.Why, Overdue: n.Overdue,
		Says: q.Lang.T("notice.state." + string(n.Standing)), Live: n.Standing == notices.Waiting || n.Standing == notices.Locked,
		Over: n.Standing == notices.Sent || n.Standing == notices.Withdrawn, Alert: n.Alert, You: view.Waits(q, n),
	}
	switch n.Standing {
	case notices.Waiting:
		r.Says = q.Lang.T("notice.waits", n.Level)
		if n.Overdue {
			r.Says = q.Lang.T("notice.overdue", n.Level, q.DayTime(n.Due))
		}
		r.Who, r.Nobody = q.Lang.T("notice.who", n.Missing, inList(n.MayPass)), len(n.MayPass) == 0
	case notices.SentBack, notices.Failed:
		r.Who = q.Lang.T("notice.who.author", n.Author)
	}
	if !n.At.IsZero() {
		r.At = q.Lang.T("notice.at", q.DayTime(n.At))
	} else if !r.Over {
		r.At = q.Lang.T("notice.at.once")
	}
	return r
}

// mostNamed is how many persons are named for whom a notice waits.
const mostNamed = 5

func inList(names []string) string {
	text := ""
	for i, name := range names {
		if i == mostNamed {
			return text + " …"
		}
		if i > 0 {
			text += " · "
		}
		text += name
	}
	return text
}

// pathOf is the path of a page about one notice.
func pathOf(id string, more ...string) string {
	path := frame.Below + "notices/" + url.PathEscape(id)
	for _, m := range more {
		path += "/" + m
	}
	return path
}
