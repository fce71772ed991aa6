package intake

import (
	"context"

	"almenara/node/authority"
	"almenara/node/escalation"
	"almenara/node/wire"
	"almenara/node/wire/acts"
	"almenara/node/wire/why"
	"almenara/storage/alert"
	"almenara/storage/audience"
	"almenara/storage/factbody"
)

// further is what a message says of groups that are called after its own. All of them are held against the
// rules and the budget when it is sent: what is called later was decided then.
type further struct {
	says   *factbody.Escalation // nil: there are none. Its groups are kept to what the author may warn once that is known
	groups []audience.Selection // as they were written
	own    bool                 // the caller wrote them
}

// takeFurther reads what a new message or its scenario says of further groups and reminders.
func (t *Intake) takeFurther(in *incoming, sent wire.SendAlert) (err error) {
	if sent.RemindMinutes < 0 || sent.RemindMinutes > factbody.MaxRemindEvery {
		return wire.Problemf(wire.KindMalformed, "nothing was sent: the minutes between reminders are from 1 to %d", factbody.MaxRemindEvery).Because(why.RemindMinutes, factbody.MaxRemindEvery)
	}
	if in.remind = uint32(sent.RemindMinutes); in.remind == 0 {
		in.remind = in.scenario.Remind
	}
	says := sent.Escalate
	if in.further.own = says != nil; !in.further.own {
		says = escalation.OfScenario(in.scenario.Details)
	}
	if says == nil {
		return nil
	}
	in.further.says, in.further.groups, err = escalation.Taken(*says, t.audience())
	return err
}

// keepFurther has a change of an alert say what the message said whose place it takes: who was called is
// told, too, and the others may be called. Where the change is for others, nobody further is called.
func (c corrector) keepFurther(taken *incoming, elsewhere bool) error {
	e := c.m.Escalation()
	taken.remind = c.m.Issue.Remind
	switch {
	case e == nil:
		return nil
	case elsewhere:
		taken.warnings = append(taken.warnings, why.Sayf("the change is for another selection, so no further group is called, and those that were called do not get it unless they are in it").Because(why.GroupsKept))
		return nil
	}
	says, groups, err := escalation.Taken(acts.Escalate{Answers: int(e.Answers), Minutes: int(e.Minutes), Groups: e.Groups}, c.t.audience())
	if err != nil {
		return err
	}
	says.Called = uint32(min(max(int(e.Called), c.t.called(c.m.Fact)), len(e.Groups)))
	taken.further = further{says: says, groups: groups}
	return nil
}

// checkFurther refuses groups that cannot be called: a first group that is everybody in the areas, groups of
// nobody, and whatever a node of the district does not understand.
func (t *Intake) checkFurther(ctx context.Context, in *incoming) error {
	if in.further.says == nil && in.remind == 0 {
		return nil
	}
	if err := t.understood(ctx, factbody.EscalationsSince); err != nil {
		return err
	}
	if in.further.says == nil {
		return nil
	}
	if in.alert.MsgType == alert.MsgTypeCancel || !alert.Presentable(in.alert.Status) {
		return wire.Problemf(wire.KindRefused, "nothing was sent: further groups are called only for what devices show").Because(why.GroupsUnshown)
	}
	if in.limit.IsZero() {
		return wire.Problemf(wire.KindRefused, "nothing was sent: groups that are called one after the other need a first one; give a selection for it").Because(why.FirstGroup)
	}
	for n, group := range in.further.groups {
		found, err := t.audience().Select(group)
		if err != nil {
			return wire.Problemf(wire.KindMalformed, "the selection of group %d cannot be answered: %v", n+2, err).Because(why.SelectionWrong, err)
		}
		if found.IsEmpty() {
			return wire.Problemf(wire.KindRefused, "nothing was sent: the selection of group %d, %s, selects nobody", n+2, group).Because(why.SelectsNobody, group.String())
		}
		if in.further.own {
			if err := authority.MayAsk(in.by, group, in.alert); err != nil {
				return err
			}
		}
	}
	return in.keepGroups("")
}

// keepGroups keeps all groups to the places of the author and of a licence, as the message itself.
func (in *incoming) keepGroups(within string) error {
	if in.further.says == nil {
		return nil
	}
	in.further.says.Groups = nil
	for n, group := range in.further.groups {
		kept, err := in.kept(group, within)
		if err != nil {
			return wire.Problemf(wire.KindMalformed, "nothing was sent: the selection of group %d cannot be kept to the places of its author: %v", n+2, err).Because(why.SelectionWrong, err)
		}
		in.further.says.Groups = append(in.further.says.Groups, kept)
	}
	return nil
}

// written is what the groups are before they are kept to anything: what the rules decide on.
func (f further) written() *factbody.Escalation {
	if f.says == nil {
		return nil
	}
	out := &factbody.Escalation{}
	for _, group := range f.groups {
		out.Groups = append(out.Groups, group.String())
	}
	return out
}
