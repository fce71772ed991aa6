package view

import (
	"slices"

	"almenara/node/service"
	"almenara/node/web/console/frame"
	"almenara/node/wire/notices"
)

// NoticesLine says how many planned notices wait, how many are overdue, and how many wait for who asks.
type NoticesLine struct{ Class, Says string }

// NoticesOf is the line about planned notices; nil where none is open, so that nobody reads of what a
// district does not use.
func NoticesOf(of service.Notices, q *frame.Request) (*NoticesLine, error) {
	all, err := of.ListNotices(q.R.Context(), false)
	if err != nil || len(all) == 0 {
		return nil, err
	}
	waiting, late, you := 0, 0, 0
	for _, n := range all {
		if n.Standing == notices.Waiting || n.Standing == notices.SentBack || n.Standing == notices.Failed {
			waiting++
		}
		if n.Overdue {
			late++
		}
		if Waits(q, n) {
			you++
		}
	}
	switch {
	case waiting == 0:
		return &NoticesLine{"", q.Lang.T("notices.line.none")}, nil
	case late > 0 && you > 0:
		return &NoticesLine{"wrong", q.Lang.T("notices.line.late.you", waiting, late, you)}, nil
	case late > 0:
		return &NoticesLine{"wrong", q.Lang.T("notices.line.late", waiting, late)}, nil
	case you > 0:
		return &NoticesLine{"wait", q.Lang.T("notices.line.you", waiting, you)}, nil
	}
	return &NoticesLine{"", q.Lang.T("notices.line", waiting)}, nil
}

// Waits reports whether a planned notice waits for who asks: to be passed on, or to be written anew.
func Waits(q *frame.Request, n notices.Notice) bool {
	switch n.Standing {
	case notices.Waiting:
		return slices.Contains(n.MayPass, q.By().Name)
	case notices.SentBack, notices.Failed:
		return n.Author == q.By().Name
	}
	return false
}
