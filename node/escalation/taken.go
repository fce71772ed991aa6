package escalation

import (
	"almenara/node/wire"
	"almenara/node/wire/acts"
	"almenara/node/wire/why"
	"almenara/storage/audience"
	"almenara/storage/factbody"
	"almenara/storage/rights"
)

// Taken reads what somebody wrote of further groups, and refuses what could not be carried out. The
// selections of the groups, in order, are what somebody wrote.
func Taken(in acts.Escalate, index Spellings) (*factbody.Escalation, []audience.Selection, error) {
	if err := Bounded(in); err != nil {
		return nil, nil, err
	}
	var groups []audience.Selection
	for n, text := range in.Groups {
		group, err := audience.Parse(text)
		if err != nil {
			return nil, nil, wire.Problemf(wire.KindMalformed, "the selection of group %d cannot be read: %v", n+2, err).Because(why.SelectionWrong, err)
		}
		groups = append(groups, index.WithSpellings(group))
	}
	return &factbody.Escalation{Answers: uint32(in.Answers), Minutes: uint32(in.Minutes)}, groups, nil
}

// Spellings knows how the district writes what selections name; *lookup.Index is one.
type Spellings interface {
	WithSpellings(audience.Selection) audience.Selection
}

// Bounded refuses numbers beyond what an escalation may say.
func Bounded(in acts.Escalate) error {
	switch {
	case in.Answers < 1 || in.Answers > factbody.MaxNeeded:
		return wire.Problemf(wire.KindMalformed, "the answers that are needed before no further group is called are 1 to %d", factbody.MaxNeeded).Because(why.AnswersNeeded, factbody.MaxNeeded)
	case in.Minutes < 1 || in.Minutes > factbody.MaxEscalationWait:
		return wire.Problemf(wire.KindMalformed, "a group has 1 to %d minutes to answer before the next one is called", factbody.MaxEscalationWait).Because(why.GroupMinutes, factbody.MaxEscalationWait)
	case len(in.Groups) < 1 || len(in.Groups) > factbody.MaxGroups-1:
		return wire.Problemf(wire.KindMalformed, "after the first group come 1 to %d further ones", factbody.MaxGroups-1).Because(why.GroupCount, factbody.MaxGroups-1)
	}
	return nil
}

// OfScenario is what a scenario says of further groups; nil where it is for all at once.
func OfScenario(d rights.Details) *acts.Escalate {
	if len(d.Groups) == 0 {
		return nil
	}
	return &acts.Escalate{Answers: int(d.Answers), Minutes: int(d.Minutes), Groups: d.Groups}
}
