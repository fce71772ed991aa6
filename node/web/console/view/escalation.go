package view

import (
	"almenara/node/web/console/frame"
	"almenara/node/wire"
	"almenara/node/wire/acts"
)

// Follows is what nodes do by themselves after an alert was sent, in words.
type Follows struct {
	Groups []Group // that are called one after the other; none: it is for all at once
	Says   string  // how many have answered, and what comes next; before it is sent, what is planned
	Remind string  // how often devices are reminded; "": they are not
}

// Group is one group of an alert that calls one after the other.
type Group struct {
	N                     int // from 1
	Select, Members, Says string
}

// FollowsOf is what would follow an alert that is not sent; nil where nothing would.
func FollowsOf(q *frame.Request, out wire.Outcome) *Follows {
	if out.Escalation == nil && out.RemindMinutes == 0 {
		return nil
	}
	f := &Follows{}
	if out.RemindMinutes > 0 {
		f.Remind = q.Lang.T("groups.remind", out.RemindMinutes)
	}
	if e := out.Escalation; e != nil {
		f.Says = q.Lang.T("groups.plan", e.Answers, e.Minutes)
		for n, g := range e.Groups {
			f.Groups = append(f.Groups, groupOf(q, n, g))
		}
	}
	return f
}

// EscalationOf is how far an alert has got that calls one group after the other; nil where it does not.
func EscalationOf(q *frame.Request, e *acts.Escalation) *Follows {
	if e == nil {
		return nil
	}
	f := &Follows{}
	switch {
	case e.Enough:
		f.Says = q.Lang.T("groups.enough", e.Answered, e.Answers)
	case !e.Next.IsZero():
		f.Says = q.Lang.T("groups.next", e.Answered, e.Answers, q.ClockTime(e.Next))
	default:
		f.Says = q.Lang.T("groups.answered", e.Answered, e.Answers)
	}
	for n, g := range e.Groups {
		one := groupOf(q, n, g)
		switch {
		case g.Called.IsZero():
			one.Says = q.Lang.T("groups.waits")
		case g.Because == nil:
			one.Says = q.Lang.T("groups.called", q.ClockTime(g.Called))
		default:
			one.Says = q.Lang.T("groups.because", q.ClockTime(g.Called), *g.Because, e.Answers)
		}
		f.Groups = append(f.Groups, one)
	}
	return f
}

func groupOf(q *frame.Request, n int, g acts.EscalationGroup) Group {
	return Group{N: n + 1, Select: g.Select, Members: q.Lang.T("groups.members", g.Members)}
}
