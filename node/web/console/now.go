package console

import (
	"almenara/node/web/console/frame"
	"almenara/node/web/console/view"
)

type nowPage struct {
	frame.Page
	Rows         []view.Row
	Contrary     []view.Contrary
	MoreContrary string // pairs that have no card, in words
	Most         int    // more than these are not shown; 0 where all are

	Reports *view.ReportsLine
	Notices *view.NoticesLine
}

// now shows every alert in force, all of them at once.
func (c alertPages) now(q *frame.Request) error {
	rows, err := view.Standing(c.reader, q)
	if err != nil {
		return err
	}
	p := nowPage{Page: q.Page("now"), Rows: rows}
	p.Contrary, p.MoreContrary = view.Contradictions(c.reader, q)
	if len(rows) >= view.MostStanding {
		p.Most = view.MostStanding
	}
	if p.Notices, err = view.NoticesOf(c.notices, q); err != nil {
		return err
	}
	if p.Reports, err = view.ReportsOf(c.reported, q, ""); err != nil {
		return err
	}
	return q.Show("now", p)
}
