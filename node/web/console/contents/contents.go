// Package contents is the page of all pages: what else there is beside what every page links, by what a
// person wants to do, with a line that says what each is for. Who may not open a page is not shown it.
// It never imports another room of pages.
package contents

import (
	"embed"
	"strings"

	"almenara/node/authority"
	"almenara/node/web/console/frame"
)

//go:embed *.html *.css
var files embed.FS

// Entry is one page that is opened without saying of what.
type Entry struct {
	Path   string           // below frame.Below; the last part of it, before any mark, is its name
	Action authority.Action // who may; "" is everybody who has signed in
}

// Group is pages for one purpose.
type Group struct {
	Name    string
	Entries []Entry
}

// All are the pages. A page that is missing here is found by nobody who was not told of it.
func All() []Group {
	return []Group{
		{"send", []Entry{{"wall", authority.ReadAlerts}, {"compose", authority.Send}, {"approvals", authority.ReadAlerts}, {"notices", authority.ReadAlerts}, {"notices/write", authority.WriteNotice}, {"approvals/number", authority.Approve}}},
		{"follow", []Entry{{"now", authority.ReadAlerts}, {"watch", authority.ReadAlerts}, {"reports", authority.ReadReports}}},
		{"ready", []Entry{{"scenarios", authority.ReadAlerts}, {"scenario", authority.ChangeScenarios}, {"ability", authority.ReadDevices}, {"ability/drills", authority.ReadAlerts}, {"ends", authority.ReadDistrict}}},
		{"estate", []Entry{
			{"audience", authority.ReadAudience}, {"places", authority.ReadAudience}, {"add-place", authority.ChangeAudience}, {"import", authority.ChangeAudience},
			{"devices", authority.ReadDevices}, {"enrol", authority.ChangeDevices}, {"add-devices", authority.ChangeDevices}, {"checkins", authority.ReadAudience},
		}},
		{"people", []Entry{{"people", authority.ReadUsers}, {"licences", authority.ReadAlerts}, {"account", ""}, {"audit", authority.ReadAudit}, {"personal", authority.ReadErasures}, {"personal/erase", authority.ErasePersons}, {"handbook", ""}}},
	}
}

// Room is this page.
func Room() frame.Room {
	return frame.Room{Pages: files, Routes: []frame.Route{{Method: "GET", Path: frame.Below + "contents", Handle: show}}}
}

type contentsPage struct {
	frame.Page
	Groups []group
}

type group struct {
	Title string
	Links []link
}

type link struct{ Path, Title, Says string }

func show(q *frame.Request) error {
	p := contentsPage{Page: q.Page("contents")}
	for _, g := range All() {
		out := group{Title: q.Lang.T("contents.group." + g.Name)}
		for _, e := range g.Entries {
			if e.Action != "" && !q.May(e.Action) {
				continue
			}
			name := e.Path[strings.LastIndex(e.Path, "/")+1:]
			out.Links = append(out.Links, link{frame.Below + e.Path, q.Lang.T(name + ".title"), q.Lang.T("contents.says." + name)})
		}
		if len(out.Links) > 0 {
			p.Groups = append(p.Groups, out)
		}
	}
	return q.Show("contents", p)
}
