package approvals

import (
	"context"
	"time"

	"almenara/node/alerts"
	"almenara/node/authority"
	"almenara/node/wire"
	"almenara/storage/alert"
	"almenara/storage/alert/board"
)

// TurnTime is how long one person is asked for an approval before the next in line is.
const TurnTime = 5 * time.Minute

// Asked says who approved a message, who may and has not, and who of those is asked now; nil where
// nobody must. The message may be a stub.
func (a *Approvals) Asked(m *alerts.Message, given []board.Approval) (*wire.Approvals, error) {
	out := authority.ApprovalsOut(m.Issue, given)
	whole, err := m.Whole()
	if err != nil {
		return out, err
	}
	may, err := a.line(whole, given)
	if err != nil {
		return out, err
	}
	ask(out, may, m.Entry.Accepted, m.Entry.Expires, a.clock())
	return out, nil
}

// ask says who of those who may approve is asked now: each for TurnTime, from when the message was
// accepted or approved last. Nobody is asked after the message has run out, or where enough have
// approved it.
func ask(out *wire.Approvals, may []string, accepted, expires, now time.Time) {
	if out == nil || len(out.Given) >= out.Needed || !now.Before(expires) {
		return
	}
	out.MayApprove = may
	from := accepted
	for _, g := range out.Given {
		if g.At.After(from) && !g.At.After(now.Add(alert.ClockSlack)) { // else the clock that said so is ahead, and nobody would be asked next
			from = g.At
		}
	}
	if len(may) == 0 {
		return
	}
	turn := int(max(0, now.Sub(from)) / TurnTime)
	out.Next, out.Missed = may[turn%len(may)], turn
	if out.NextUntil = from.Add(time.Duration(turn+1) * TurnTime); out.NextUntil.After(expires) {
		out.NextUntil = expires
	}
	out.NextUntil = out.NextUntil.UTC()
}

// Chase tells readers of each alert that waits when somebody else is asked to approve it, because who
// was asked before has let the time pass. It is called again and again, by one goroutine, at every
// node: each node tells its own readers.
func (a *Approvals) Chase(context.Context) error {
	now := a.clock()
	asked := map[string]turn{}
	for _, s := range a.stories.Waiting() {
		for _, m := range s.Waiting(now) {
			out, err := a.Asked(m, a.book.Approvers(m))
			if err != nil {
				return err
			}
			if out == nil || out.Next == "" {
				continue
			}
			is := turn{out.Next, out.Missed}
			asked[m.Fact] = is
			if before, known := a.asked[m.Fact]; known && before != is || !known && out.Missed > 0 {
				a.tell(s.ID)
			}
		}
	}
	a.asked = asked
	return nil
}

// turn is who is asked, after how many times in vain.
type turn struct {
	name   string
	missed int
}
