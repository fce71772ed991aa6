package scenario

import (
	"cmp"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"almenara/node/escalation"
	"almenara/node/judge"
	"almenara/node/shortid"
	"almenara/node/wire"
	"almenara/node/wire/why"
	"almenara/storage/alert"
	"almenara/storage/alert/capjson"
	"almenara/storage/alert/visited"
	"almenara/storage/audience"
	"almenara/storage/coded"
	"almenara/storage/rights"
)

// Audience is what is known of whom areas and selections mean; *lookup.Index is one.
type Audience interface {
	KnowsScheme(geocode string) bool
	WithSpellings(audience.Selection) audience.Selection
}

// Checked is a scenario that can be sent.
type Checked struct {
	Alert    *alert.Alert      // with the longest text in every blank
	Targets  []audience.Target // whom it addresses, where whoever sends it may choose from these
	Warnings why.Sentences     // what devices would show otherwise than it is written
}

// Check refuses a scenario that could not be sent, before it is agreed on: its texts are tried with
// the longest text that each blank takes, and its areas and its selection must say whom it
// addresses. sender is the district's own CAP sender.
func Check(s rights.Scenario, sender string, known Audience, now time.Time) (Checked, error) {
	if err := checkBlanks(s); err != nil {
		return Checked{}, err
	}
	raw, err := Filled(s, longest(s), now)
	if err != nil {
		return Checked{}, wire.Problemf(wire.KindRefused, "the scenario's alert is not a JSON object: %v", err).Because(why.ScenarioUnfit, err)
	}
	a, findings, err := capjson.FromJSON(raw, sender, shortid.New(), now)
	if err != nil {
		return Checked{}, refusal(err, findings)
	}
	for _, found := range []alert.Findings{judge.Typed(s.Alert), judge.Over(a, now)} {
		if found.Rejected() {
			return Checked{}, refusal(&alert.RejectError{Findings: found}, found)
		}
	}
	if a.MsgType != alert.MsgTypeAlert || len(a.References) > 0 || len(a.Infos) == 0 {
		return Checked{}, wire.Problemf(wire.KindRefused, "a scenario is an Alert with at least one info block and without references").Because(why.ScenarioUnfit, coded.New("scenario-form", "it is an Alert with at least one info block and without references"))
	}
	if time.Duration(s.Lifetime)*time.Millisecond > alert.MaxLifetime {
		return Checked{}, wire.Problemf(wire.KindRefused, "a scenario holds %d minutes at most", int(alert.MaxLifetime.Minutes())).Because(why.ScenarioLong, int(alert.MaxLifetime.Minutes()))
	}
	out := Checked{Alert: a, Warnings: judge.Sentences(judge.Selected(findings, s.Select, chosen(s)))}
	found := append(judge.Message(a), judge.Times(a, now, true, func(alert.Key) bool { return true })...)
	if leavesVisited(s) { // judged when it is sent: no text of the greatest length is a time
		found = slices.DeleteFunc(found, func(f alert.Finding) bool { return f.Rule == judge.RuleVisited })
	}
	if err := out.heed(found); err != nil {
		return Checked{}, err
	}
	limit, err := limitOf(s, known)
	if err != nil {
		return Checked{}, err
	}
	out.Targets, found = judge.Targets(a, limit, known.KnowsScheme)
	for n := range out.Targets {
		out.Targets[n].Select = limit.String()
	}
	if err := checkFurther(s, limit, known); err != nil {
		return Checked{}, err
	}
	return out, out.heed(found)
}

// leavesVisited reports whether a scenario leaves it to whoever sends it which place's visitors it recalls.
func leavesVisited(s rights.Scenario) bool {
	var form struct {
		Info []struct {
			Parameter []struct{ ValueName, Value string }
		}
	}
	if json.Unmarshal(s.Alert, &form) != nil {
		return false
	}
	for _, i := range form.Info {
		for _, p := range i.Parameter {
			if p.ValueName == visited.Parameter && strings.Contains(p.Value, "{{") {
				return true
			}
		}
	}
	return false
}

// checkFurther refuses groups that could not be called.
func checkFurther(s rights.Scenario, limit audience.Selection, known Audience) error {
	says := escalation.OfScenario(s.Details)
	if says == nil {
		return nil
	}
	if limit.IsZero() {
		return wire.Problemf(wire.KindRefused, "the scenario cannot be sent as it is: groups that are called one after the other need a first one; give it a selection, or leave that to whoever sends it").Because(why.FirstGroup)
	}
	_, _, err := escalation.Taken(*says, known)
	return err
}

// heed refuses what cannot be sent and what devices would get without its end, and warns of the rest.
func (c *Checked) heed(found alert.Findings) error {
	cut := false
	for n := range found {
		if found[n].Rule == judge.RuleCut {
			cut, found[n].Level = true, alert.Reject
			found[n].Detail += ", when its blanks hold the longest texts that they take; shorten it, or give its blanks a max_length"
		}
	}
	if found.Rejected() {
		err := refusal(&alert.RejectError{Findings: found}, found)
		if p, ok := err.(*wire.Problem); ok && cut {
			p.Why.Points = append(p.Why.Points, why.Sayf("this is so when its blanks hold the longest texts that they take; shorten it, or give its blanks a max_length").Because(why.BlanksLongest))
		}
		return err
	}
	c.Warnings = append(c.Warnings, judge.Sentences(found)...)
	return nil
}

// chosen stands for the selection that whoever sends the scenario must give.
func chosen(s rights.Scenario) string {
	if s.Choose {
		return "all"
	}
	return ""
}

// limitOf is what the scenario selects, or everybody where that is left to whoever sends it.
func limitOf(s rights.Scenario, known Audience) (audience.Selection, error) {
	text := s.Select
	if text == "" {
		text = chosen(s)
	}
	if text == "" {
		return audience.Selection{}, nil
	}
	limit, err := audience.Parse(text)
	if err != nil {
		return limit, wire.Problemf(wire.KindMalformed, "the scenario's selection cannot be read: %v", err).Because(why.SelectionWrong, err)
	}
	return known.WithSpellings(limit), nil
}

func refusal(err error, findings alert.Findings) error {
	p, ok := judge.Refusal(err, findings).(*wire.Problem)
	if !ok {
		return err
	}
	p.Sentence = "the scenario cannot be sent as it is: " + strings.TrimPrefix(p.Sentence, "nothing was sent: ")
	return p
}

// Range says how total stands against what the scenario usually addresses; "" where nothing is usual.
func Range(s rights.Scenario, total uint64) wire.Usual {
	switch {
	case s.UsualMax == 0:
		return ""
	case total < s.UsualMin:
		return wire.UsualBelow
	case total > s.UsualMax:
		return wire.UsualAbove
	}
	return wire.UsualWithin
}

// Unusual warns when the scenario usually addresses more or fewer.
func Unusual(s rights.Scenario, total uint64) why.Sentences {
	if r := Range(s, total); r == "" || r == wire.UsualWithin {
		return nil
	}
	called := cmp.Or(s.Title, s.ID)
	return why.Sentences{why.Sayf("the scenario %s usually addresses %d to %d members, and now %d", called, s.UsualMin, s.UsualMax, total).Because(why.OthersUsual, called, s.UsualMin, s.UsualMax, total)}
}
