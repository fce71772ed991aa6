package scenario

import (
	"cmp"
	"encoding/json"
	"math"
	"strings"
	"time"

	"almenara/node/escalation"
	"almenara/node/wire"
	"almenara/node/wire/why"
	"almenara/storage/alert"
	"almenara/storage/coded"
	"almenara/storage/factbody"
	"almenara/storage/rights"
)

// Wire is a scenario as the API shows it.
func Wire(s rights.Scenario) wire.Scenario {
	out := wire.Scenario{
		ID: s.ID, Title: s.Title, Alert: s.Alert, Blanks: Blanks(s.Alert), Select: s.Select, Approvals: int(s.Approvals),
		Minutes: int(s.Lifetime / time.Minute.Milliseconds()), UsualMin: s.UsualMin, UsualMax: s.UsualMax,
		Choose: s.Choose, Checklist: s.Checklist, Sensitive: s.Sensitive,
		RemindMinutes: int(s.Remind), Escalate: escalation.OfScenario(s.Details),
	}
	for _, b := range s.Blanks {
		out.BlankRules = append(out.BlankRules, wire.BlankRule{Name: b.Name, For: b.For, Values: b.Values, MaxLength: int(b.Max)})
	}
	out.Tier, out.Sound, out.Confirm = presented(s.Alert)
	return out
}

// Record is the record of a scenario that somebody wrote. What says how it is presented is held
// against what its alert makes of it, and is not kept. The number of approvals is the caller's to bound.
func Record(in wire.Scenario) (rights.Scenario, error) {
	if in.Minutes < 1 || in.Minutes > math.MaxInt32 {
		return rights.Scenario{}, wire.Problemf(wire.KindMalformed, "a scenario says in minutes how long it holds").Because(why.ScenarioUnfit, coded.New("scenario-minutes", "it does not say in minutes how long it holds"))
	}
	s := rights.Scenario{
		ID: in.ID, Title: in.Title, Alert: in.Alert, Select: in.Select, Approvals: uint32(in.Approvals),
		Lifetime: int64(in.Minutes) * time.Minute.Milliseconds(), UsualMin: in.UsualMin, UsualMax: in.UsualMax,
		Details: rights.Details{Choose: in.Choose, Checklist: in.Checklist, Sensitive: in.Sensitive},
	}
	if in.RemindMinutes < 0 || in.RemindMinutes > factbody.MaxRemindEvery {
		return rights.Scenario{}, wire.Problemf(wire.KindMalformed, "the minutes between reminders are from 1 to %d", factbody.MaxRemindEvery).Because(why.RemindMinutes, factbody.MaxRemindEvery)
	}
	s.Remind = uint32(in.RemindMinutes)
	if e := in.Escalate; e != nil {
		if err := escalation.Bounded(*e); err != nil {
			return rights.Scenario{}, err
		}
		s.Answers, s.Minutes, s.Groups = uint32(e.Answers), uint32(e.Minutes), e.Groups
	}
	for _, b := range in.BlankRules {
		if b.MaxLength < 0 || b.MaxLength > maxBlankText {
			return rights.Scenario{}, wire.Problemf(wire.KindRefused, "max_length of the blank %q is 1 to %d characters", b.Name, maxBlankText).Because(why.BlankRule, b.Name)
		}
		s.Blanks = append(s.Blanks, rights.Blank{Name: b.Name, For: b.For, Values: b.Values, Max: uint32(b.MaxLength)})
	}
	return s, presents(in)
}

// presents refuses a scenario that says otherwise than its alert how devices present it.
func presents(in wire.Scenario) error {
	tier, sound, confirm := presented(in.Alert)
	for _, said := range []struct{ what, is, told string }{{"tier", tier, in.Tier}, {"sound", sound, in.Sound}, {"confirm", confirm, in.Confirm}} {
		if said.told != "" && said.told != said.is {
			return wire.Problemf(wire.KindRefused,
				"the scenario says %s %q, and devices would present it with %s %q: its status, severity, urgency and certainty decide, and the parameter %s",
				said.what, said.told, said.what, said.is, alert.ParameterConfirm).Because(why.ScenarioLook, said.what, said.told, said.is)
		}
	}
	return nil
}

// presented is how devices present the JSON form of an alert, whatever fills its blanks: nothing of
// it can be one.
func presented(raw []byte) (tier, sound, confirm string) {
	var form struct {
		Status string
		Info   []struct {
			Urgency, Severity, Certainty string
			Parameter                    []struct{ ValueName, Value string }
		}
	}
	if json.Unmarshal(raw, &form) != nil {
		return "", "", ""
	}
	trimmed := strings.TrimSpace // as package capjson reads texts
	var infos []alert.Info
	for _, i := range form.Info {
		info := alert.Info{Urgency: trimmed(i.Urgency), Severity: trimmed(i.Severity), Certainty: trimmed(i.Certainty)}
		for _, p := range i.Parameter {
			info.Parameters = append(info.Parameters, alert.Named{Name: trimmed(p.ValueName), Value: trimmed(p.Value)})
		}
		infos = append(infos, info)
	}
	look := alert.PresentationOf(alert.Status(cmp.Or(trimmed(form.Status), string(alert.StatusActual))), infos)
	return look.Tier, look.Sound, look.Confirm
}
