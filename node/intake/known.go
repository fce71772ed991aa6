package intake

import (
	"fmt"
	"slices"

	"almenara/node/alerts"
	"almenara/node/notes"
	"almenara/node/sendername"
	"almenara/node/wire"
	"almenara/node/wire/why"
	"almenara/storage/alert"
	"almenara/storage/alert/board"
)

// known finds the message when it was taken before. Another content under its key,
// or another selection, is a conflict: the first one stands, and the attempt is put
// on record.
func (t *Intake) known(in incoming) (*alerts.Message, error) {
	if err := t.incidentIsOver(in); err != nil {
		return nil, err
	}
	if m := t.pressedAlready(in); m != nil {
		return m, nil
	}
	digest := in.alert.Digest().String()
	m, same, err := t.book.Known(in.alert.Key(), digest)
	if err != nil {
		return nil, err
	}
	if m == nil {
		if m, same, err = t.logged(in.alert.Key(), digest); err != nil || m == nil {
			return nil, err
		}
	}
	if !same && len(in.named) > 0 {
		if m, err = m.Whole(); err != nil {
			return nil, err
		}
		same = sendername.As(in.alert, m.Alert, in.named).Digest().String() == m.Entry.Digest
	}
	says, err := m.Brief()
	if err != nil {
		return nil, err
	}
	if same && (in.alert.MsgType == alert.MsgTypeCancel || says.Select == in.selects(says.Issue.Within)) {
		return m, nil
	}
	what := map[bool]string{true: "selection", false: "content"}[same]
	_, id := t.book.Standing(m, t.clock())
	if !in.dryRun {
		t.notes.Refusal(notes.Refused{By: in.by.Name, Key: in.alert.Key().String(), Digest: digest, Selected: in.selected, Alert: id})
	}
	return nil, &wire.Problem{Kind: wire.KindConflict, Alert: string(id), Sentence: fmt.Sprintf(
		"the message %s is known with another %s; this one was refused, the first one stands", in.alert.Key(), what), Why: why.Why{Reason: why.Differs}}
}

// logged finds in the log a message that the book has forgotten: it ran out long ago.
func (t *Intake) logged(k alert.Key, digest string) (m *alerts.Message, same bool, err error) {
	s, err := t.stories.Logged(k.ID())
	if err != nil || s == nil {
		return nil, false, err
	}
	for _, other := range slices.Concat(s.Messages, s.Cancels) {
		if other.Entry.Key.Same(k) {
			return other, other.Entry.Digest == digest, nil
		}
	}
	return nil, false, nil
}

// pressedAlready finds what the same scenario said before for the incident, to the same
// audience, where it still holds: pressing a button twice is one alert, not two. Times do not
// count. What others have replaced with other words since, or what ran out, is said anew.
func (t *Intake) pressedAlready(in incoming) *alerts.Message {
	if in.scenario.ID == "" || in.incident == "" || in.alert.MsgType != alert.MsgTypeAlert {
		return nil
	}
	root := alert.IncidentKey(in.scenario.ID, in.incident, in.alert.Status)
	s := t.stories.OnBook(root.ID())
	if s == nil {
		return nil
	}
	now := t.clock()
	for _, m := range slices.Backward(s.Messages) {
		if m.Entry.MsgType != alert.MsgTypeAlert || m.Entry.Author != in.by.Name {
			continue
		}
		if says, err := m.Brief(); err != nil || says.Select != in.selects(says.Issue.Within) {
			continue
		}
		m, err := m.Whole()
		if err != nil || !sendername.Same(m.Alert, sendername.As(in.alert, m.Alert, in.named)) {
			continue
		}
		switch standing, _ := t.book.Standing(m, now); standing {
		case board.InForce, board.Future, board.Pending:
			return m
		case board.Superseded: // by the same words, of the other half of the district
			head, err := s.Current().Whole()
			if err == nil && now.Before(head.Entry.Expires) && sendername.Same(head.Alert, sendername.As(in.alert, head.Alert, in.named)) {
				return m
			}
		}
	}
	return nil
}

// incidentIsOver refuses to send a scenario for an incident whose alert was cancelled: a
// cancel is for ever, and nobody would get it.
func (t *Intake) incidentIsOver(in incoming) error {
	if in.scenario.ID == "" || in.incident == "" {
		return nil
	}
	s := t.stories.OnBook(alert.IncidentKey(in.scenario.ID, in.incident, in.alert.Status).ID())
	if s == nil || len(s.Cancels) == 0 {
		return nil
	}
	return &wire.Problem{Kind: wire.KindConflict, Alert: string(s.ID), Sentence: fmt.Sprintf(
		"nothing was sent: the alert of the scenario %s for the incident %s was cancelled, which is for ever; give another incident id", in.scenario.ID, in.incident), Why: why.Why{Reason: why.IncidentOver}}
}
