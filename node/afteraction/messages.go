package afteraction

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/RoaringBitmap/roaring/v2"

	"almenara/node/alerts"
	"almenara/node/stories"
	"almenara/node/wire"
	"almenara/storage/alert"
	"almenara/storage/alert/board"
)

// message is one message of the alert that is no Cancel.
type message struct {
	*alerts.Message
	approved []board.Approval // the earliest first
	stood    time.Time        // since when people may be shown it; zero: never yet
	agreed   time.Time        // by the clock of the node that led then; zero: not yet
	who      *roaring.Bitmap  // who counts
}

// messages are those of the alert, lowest revision first.
func (r *Reporter) messages(s *stories.Story) (out []message, err error) {
	view, _, err := r.o.State.Alert(s.ID)
	if err != nil {
		return nil, fmt.Errorf("reading alert %s: %w", s.ID, err)
	}
	adopted := map[string]time.Time{}
	for _, m := range slices.Concat(view.Messages, view.Cancels) {
		if m.Adoption.At > 0 {
			adopted[m.Entry.Fact] = time.UnixMilli(m.Adoption.At).UTC()
		}
	}
	for _, m := range s.Messages {
		one := message{Message: m, approved: slices.Clone(s.Approved[m.Fact]), agreed: adopted[m.Fact]}
		if s.OnBook {
			one.approved = r.o.Book.Approvers(m)
		}
		slices.SortStableFunc(one.approved, func(a, b board.Approval) int { return a.At.Compare(b.At) })
		one.stood = stood(m, one.approved, slices.Contains(s.Pending, m.Fact))
		who, err := r.o.Addressed.Of(s, m)
		if err != nil {
			return nil, err
		}
		one.who = who.Entitled()
		out = append(out, one)
	}
	return out, nil
}

// stood is since when the message may be shown: since a node took it, or since it has all approvals
// that it needs.
func stood(m *alerts.Message, approved []board.Approval, pending bool) time.Time {
	switch need := m.Entry.Approvals; {
	case pending:
		return time.Time{}
	case need > 0 && len(approved) >= need:
		return approved[need-1].At.UTC()
	}
	return m.Entry.Accepted.UTC()
}

// begun is when a node took the first message.
func begun(messages []message, s *stories.Story) (at time.Time) {
	for _, m := range messages {
		if at.IsZero() || m.Entry.Accepted.Before(at) {
			at = m.Entry.Accepted.UTC()
		}
	}
	for _, m := range s.Cancels {
		if at.IsZero() {
			at = m.Entry.Accepted.UTC()
		}
	}
	return at
}

// ended is when the alert was over; zero while it is not.
func ended(s *stories.Story, state wire.State) time.Time {
	if len(s.Cancels) > 0 {
		first := slices.MinFunc(s.Cancels, func(a, b *alerts.Message) int { return a.Entry.Accepted.Compare(b.Entry.Accepted) })
		return first.Entry.Accepted.UTC()
	}
	if m := s.Current(); m != nil && state == wire.StateExpired {
		return m.Entry.Expires.UTC()
	}
	return time.Time{}
}

// events are what happened, the oldest first.
func events(messages []message, s *stories.Story, state wire.State, t *told, all wire.Spread) (out []wire.ReportEvent) {
	for _, m := range messages {
		out = append(out, ofMessage(m, t)...)
	}
	for _, m := range s.Cancels {
		e := eventOf(wire.HappenedEnded, m, m.Entry.Accepted)
		if says, err := m.Brief(); err == nil {
			e.By, e.Reason, e.Alone = says.Issue.Author, says.Issue.Reason, says.Issue.Alone > 0
		}
		out = append(out, e)
	}
	if at := ended(s, state); len(s.Cancels) == 0 && !at.IsZero() {
		out = append(out, wire.ReportEvent{At: at, What: wire.HappenedRanOut})
	}
	for what, at := range map[wire.Happening]time.Time{
		wire.HappenedFirst: all.First, wire.HappenedHalf: all.Half, wire.HappenedNinety: all.Ninety, wire.HappenedNinetyFive: all.NinetyFive, wire.HappenedLast: all.Last,
	} {
		if !at.IsZero() {
			out = append(out, wire.ReportEvent{At: at, What: what})
		}
	}
	slices.SortStableFunc(out, func(a, b wire.ReportEvent) int {
		return cmp.Or(a.At.Compare(b.At), cmp.Compare(slices.Index(order, a.What), slices.Index(order, b.What)))
	})
	return out
}

// order is how what happened in the same moment is told.
var order = []wire.Happening{
	wire.HappenedTaken, wire.HappenedApproved, wire.HappenedStood, wire.HappenedAgreed, wire.HappenedFirst, wire.HappenedHalf,
	wire.HappenedNinety, wire.HappenedNinetyFive, wire.HappenedLast, wire.HappenedRanOut, wire.HappenedEnded,
}

func eventOf(what wire.Happening, m *alerts.Message, at time.Time) wire.ReportEvent {
	return wire.ReportEvent{At: at.UTC(), What: what, MsgType: string(m.Entry.MsgType), Revision: uint64(m.Entry.Revision)}
}

func ofMessage(m message, t *told) []wire.ReportEvent {
	taken := eventOf(wire.HappenedTaken, m.Message, m.Entry.Accepted)
	if says, err := m.Brief(); err == nil {
		taken.By, taken.Reason, taken.Alone = says.Issue.Author, says.Issue.Reason, says.Issue.Alone > 0
		taken.Headline, taken.Headlines = says.Headline, says.Headlines
	}
	reached, _ := spread(m.who, t.presented[m.Entry.Revision])
	taken.Reached = &reached
	out := []wire.ReportEvent{taken}
	for _, a := range m.approved {
		e := eventOf(wire.HappenedApproved, m.Message, a.At)
		e.By = a.By
		out = append(out, e)
	}
	if m.Entry.Approvals > 0 && !m.stood.IsZero() {
		out = append(out, eventOf(wire.HappenedStood, m.Message, m.stood))
	}
	if !m.agreed.IsZero() {
		out = append(out, eventOf(wire.HappenedAgreed, m.Message, m.agreed))
	}
	return out
}

// standing is since when each revision stood.
func standing(messages []message) map[alert.Revision]time.Time {
	out := map[alert.Revision]time.Time{}
	for _, m := range messages {
		out[m.Entry.Revision] = m.stood
	}
	return out
}
