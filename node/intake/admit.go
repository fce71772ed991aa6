package intake

import (
	"almenara/node/authority"
	"almenara/node/judge"
	"almenara/node/known"
	"almenara/node/wire"
	"almenara/node/wire/why"
	"almenara/storage/alert"
	"almenara/storage/audience"
	"almenara/storage/rights"
)

// admit checks what does not change with what is known: whether the caller may speak for
// the sender and name the message, and whether the message says anything that devices can show.
func (t *Intake) admit(in *incoming) error {
	about := authority.About{Message: authority.Message{Key: in.alert.Key(), MsgType: in.alert.MsgType}, Direct: in.direct, Made: in.made}
	if err := t.rules.Speaks(in.by, about); err != nil {
		return err
	}
	return in.judged(judge.Message(in.alert))
}

// targets works out whom each info block addresses. What cannot be read is
// refused, never widened; so is a selection that selects nobody, which is a slip.
func (t *Intake) targets(in *incoming) ([]audience.Target, error) {
	if !in.limit.IsZero() && in.alert.MsgType != alert.MsgTypeCancel {
		found, err := t.audience().Select(in.limit)
		if err != nil {
			return nil, wire.Problemf(wire.KindMalformed, "the selection cannot be answered: %v", err).Because(why.SelectionWrong, err)
		}
		if found.IsEmpty() {
			return nil, known.SelectsNobody(t.audience(), in.limit)
		}
	}
	targets, found := judge.Targets(in.alert, in.limit, t.audience().KnowsScheme)
	return targets, in.judged(append(found, known.Visited(t.audience(), in.alert)...))
}

// actionOf is what a message does.
func actionOf(a *alert.Alert) authority.Action {
	switch a.MsgType {
	case alert.MsgTypeCancel:
		return authority.Cancel
	case alert.MsgTypeUpdate:
		return authority.Update
	}
	return authority.Send
}

// rule decides whether the caller may send the message now, and what it still needs.
// targets are whom it addresses; the message has been admitted. What it refuses has
// not happened.
func (t *Intake) rule(in incoming, targets []audience.Target) (authority.Right, error) {
	about, err := t.about(in, targets)
	if err != nil {
		return authority.Right{}, err
	}
	return t.rules.Check(in.by, actionOf(in.alert), about)
}

// about tells the rules of the message and of every alert that it ends, changes or joins.
func (t *Intake) about(in incoming, targets []audience.Target) (about authority.About, err error) {
	about = authority.About{
		Message: authority.Message{
			Key: in.alert.Key(), MsgType: in.alert.MsgType, Status: in.alert.Status, Infos: in.alert.Infos,
			Author: in.by.Name, Targets: func() ([]audience.Target, error) { return targets, nil },
		},
		Direct: in.direct, Made: in.made, Scenario: in.scenario, Passed: in.passed, Reason: in.reason,
	}
	if n := in.scenario.Approvals; n > 0 {
		about.Asked = &rights.Demand{Scenario: in.scenario.ID, Rule: rights.PolicyRule{Approvals: n}}
	}
	if in.alert.MsgType != alert.MsgTypeAlert { // which changes nothing that it references
		about.Changes, about.Unknown, err = t.affected.alerts(in.alert.References)
	} else if in.scenario.ID != "" && in.incident != "" {
		about.Changes, _, err = t.affected.alerts([]alert.Key{alert.IncidentKey(in.scenario.ID, in.incident, in.alert.Status)})
	}
	if err != nil || in.alert.MsgType != alert.MsgTypeUpdate {
		return about, err
	}
	about.Asked, err = t.affected.asked(about.Asked, about.Changes)
	return about, err
}
