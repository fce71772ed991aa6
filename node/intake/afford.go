package intake

import (
	"math"
	"slices"
	"time"

	"almenara/node/alerts"
	"almenara/node/authority"
	"almenara/node/budget"
	"almenara/node/budget/counted"
	"almenara/node/wire"
	"almenara/storage/alert"
	"almenara/storage/alert/board"
	"almenara/storage/audience"
)

// afford refuses what is over budget. bytes is the size of its record, 0 before that is made. A
// trial is not budgeted.
func (t *Intake) afford(in incoming, targets []audience.Target, right authority.Right, bytes int, trial bool) error {
	entry := board.EntryOf(in.alert, "", t.clock(), "")
	if in.alert.MsgType != alert.MsgTypeCancel { // an end never waits for anybody
		entry.Approvals = int(right.Approvals)
	}
	refused := t.budget.Take(budget.Request{
		Author: in.by.Name, Class: counted.Class(in.by.Roles, in.by.System), Emergency: emergency(in.alert),
		Entry: entry, Bytes: bytes,
		Blocks: func() []string { return counted.Blocks(t.audience(), targets) },
	}, trial)
	switch {
	case refused == nil:
		return nil
	case refused.Wait == 0:
		return wire.Problemf(wire.KindRefused, "%s", refused.Sentence).Because(refused.Why.Reason, refused.Why.With...)
	}
	p := wire.Problemf(wire.KindOverBudget, "%s", refused.Sentence).Because(refused.Why.Reason, refused.Why.With...)
	p.RetryAfter = max(1, int(math.Ceil(refused.Wait.Seconds())))
	return p
}

// emergency reports whether the message is real and calls for action at once.
func emergency(a *alert.Alert) bool {
	return a.Status == alert.StatusActual && slices.ContainsFunc(a.Infos, func(i alert.Info) bool { return i.Grave() })
}

// urgent reports whether the message is an emergency, or an Update of what stands: whom that
// warns must hear what changes, whatever its sender has sent before.
func urgent(book *alerts.Book, a *alert.Alert, now time.Time) bool {
	return emergency(a) || a.MsgType == alert.MsgTypeUpdate && slices.ContainsFunc(a.References, func(k alert.Key) bool {
		m, _ := book.First(k, "")
		if m == nil {
			return false
		}
		switch standing, _ := book.Standing(m, now); standing {
		case board.InForce, board.Future, board.Pending, board.Superseded:
			return true
		}
		return false
	})
}
