// Package watch is the wall view: what is in force in letters that are read across an operations room, and
// nothing to press. It shows what who has signed in there may read, and never imports another room of pages.
package watch

import (
	"embed"

	"almenara/node/authority"
	"almenara/node/service"
	"almenara/node/web/console/frame"
	"almenara/node/web/console/view"
)

//go:embed *.html *.css
var files embed.FS

// mostShown is how many alerts are large enough to be read across a room.
const mostShown = 12

type pages struct{ reader service.Reader }

// Room is this page.
func Room(reader service.Reader) frame.Room {
	return frame.Room{Pages: files, Routes: []frame.Route{
		{Method: "GET", Path: frame.Below + "watch", Action: authority.ReadAlerts, Handle: pages{reader}.watch},
	}}
}

type watchPage struct {
	frame.Page
	Live, Drills string // how many are in force, in words
	Rows         []line
	Contrary     []view.Contrary
	MoreContrary string // pairs that have no line, in words
	More         int    // in force, and not shown
}

type line struct {
	view.Row
	Until string
}

// watch shows what is in force: what is real first, then the newest.
func (p pages) watch(q *frame.Request) error {
	rows, err := view.Standing(p.reader, q)
	if err != nil {
		return err
	}
	page := watchPage{Page: q.Page("watch")}
	page.Contrary, page.MoreContrary = view.Contradictions(p.reader, q)
	live, drills := 0, 0
	for _, r := range rows {
		if !r.InForce {
			continue
		}
		if r.Drill {
			drills++
		} else {
			live++
		}
		if len(page.Rows) == mostShown {
			page.More++
			continue
		}
		r.Reached = q.Lang.T("watch.shown", r.Presented, r.Queued)
		page.Rows = append(page.Rows, line{r, q.Lang.T("watch.until", r.Expires)})
	}
	page.Live, page.Drills = q.Lang.T("watch.live", live), q.Lang.T("watch.drills", drills)
	if drills == 0 {
		page.Drills = ""
	}
	return q.Show("watch", page)
}
