package view

import (
	"almenara/node/web/console/frame"
	"almenara/node/wire"
)

// Asked is who is asked for an approval now.
type Asked struct {
	Next, Until string
	Missed      int
	Nobody      bool // nobody may approve it
	You         bool
}

// AskedNow says who is asked for an approval of what waits.
func AskedNow(q *frame.Request, a *wire.Approvals) Asked {
	if a == nil || a.MayApprove == nil {
		return Asked{}
	}
	out := Asked{Next: a.Next, Missed: a.Missed, Nobody: len(a.MayApprove) == 0, You: a.Next == q.By().Name}
	if !a.NextUntil.IsZero() {
		out.Until = q.ClockTime(a.NextUntil)
	}
	return out
}
