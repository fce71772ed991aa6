package stories

import (
	"slices"
	"time"

	"almenara/cluster/agreed"
	"almenara/node/alerts"
	"almenara/storage/alert"
	"almenara/storage/alert/board"
	"almenara/storage/rights"
)

// Story is one alert with all its messages, from the book, the log, or both: the book has
// what is not agreed yet, the log has what the book has forgotten. It is not modified once
// made.
type Story struct {
	ID       alert.ID
	IDs      []alert.ID // ID, and the ids that receipts may know it by
	Status   alert.Status
	Messages []*alerts.Message // Alert and Updates, lowest revision first; some of them may be stubs
	Cancels  []*alerts.Message
	Pending  []string                    // facts of those Messages that lack approvals
	Approved map[string][]board.Approval // by fact, who has approved it; of what is not on the book
	OnBook   bool                        // it may still matter: what is only in the log ran out long ago
}

// Current is the message that was shown last: with the highest revision of those that lack
// no approval and were accepted before the alert was cancelled, because what came after
// that nobody was shown. Where there is none it is the highest of all; nil when only cancels
// are known.
func (s *Story) Current() *alerts.Message {
	if len(s.Messages) == 0 {
		return nil
	}
	for _, m := range slices.Backward(s.Messages) {
		if !slices.Contains(s.Pending, m.Fact) && !s.cancelledBefore(m) {
			return m
		}
	}
	return s.Messages[len(s.Messages)-1]
}

// cancelledBefore reports whether the alert was cancelled before the message was accepted.
func (s *Story) cancelledBefore(m *alerts.Message) bool {
	return slices.ContainsFunc(s.Cancels, func(c *alerts.Message) bool { return c.Entry.Accepted.Before(m.Entry.Accepted) })
}

// Next is the message that was shown in the place of m; nil while none was.
func (s *Story) Next(m *alerts.Message) *alerts.Message {
	for _, other := range s.Messages[slices.Index(s.Messages, m)+1:] {
		if !slices.Contains(s.Pending, other.Fact) && !s.cancelledBefore(other) {
			return other
		}
	}
	return nil
}

// Waiting are the Messages that wait for approvals at that time, also beside what is in force: what
// has run out and what was cancelled waits for nobody.
func (s *Story) Waiting(now time.Time) (waiting []*alerts.Message) {
	for _, m := range s.Messages {
		if slices.Contains(s.Pending, m.Fact) && len(s.Cancels) == 0 && now.Before(m.Entry.Expires) {
			waiting = append(waiting, m)
		}
	}
	return waiting
}

// Also are the Alerts of the same incident before m, whose audience m speaks to.
func (s *Story) Also(m *alerts.Message) (others []*alerts.Message) {
	if m.Entry.MsgType != alert.MsgTypeAlert || m.Entry.Root == (alert.Key{}) {
		return nil
	}
	for _, other := range s.Messages[:max(0, slices.Index(s.Messages, m))] {
		if other.Entry.MsgType == alert.MsgTypeAlert && other.Entry.Root.Same(m.Entry.Root) &&
			!slices.Contains(s.Pending, other.Fact) {
			others = append(others, other)
		}
	}
	return others
}

// Personal reports whether any message of the alert is: they speak to each other's audiences.
func (s *Story) Personal() bool { return slices.ContainsFunc(s.Messages, (*alerts.Message).Personal) }

// Latest is the message that came last in the order of the alert, also a cancel.
func (s *Story) Latest() *alerts.Message {
	if m := s.Current(); m != nil {
		return m
	}
	return s.Cancels[len(s.Cancels)-1]
}

// logged is what the log knows of an alert.
func logged(v agreed.AlertView) *Story {
	s := &Story{ID: v.ID, IDs: v.IDs(), Status: v.Status, Pending: v.Pending, Approved: map[string][]board.Approval{}}
	for _, part := range []struct {
		from []agreed.AlertMessage
		into *[]*alerts.Message
	}{{v.Messages, &s.Messages}, {v.Cancels, &s.Cancels}} {
		for _, m := range part.from {
			s.Approved[m.Entry.Fact] = m.Approvers
			*part.into = append(*part.into, &alerts.Message{Fact: m.Entry.Fact, Issue: m.Issue, Alert: m.CAP, Entry: m.Entry})
		}
	}
	return s
}

// Asked is a demand or, where a scenario of which a message of the alert was made asked for more, by itself or by the
// policy, that. nil asks for nothing.
func (s *Story) Asked(most *rights.Demand) (*rights.Demand, error) {
	for _, m := range s.Messages {
		says, err := m.Brief()
		if err != nil {
			return nil, err
		}
		if d := says.Issue.Demand; d != nil && d.Scenario+d.Rule.Scenario != "" && (most == nil || d.Rule.Approvals > most.Rule.Approvals) {
			most = d
		}
	}
	return most, nil
}
