package scenarios

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"almenara/node/web/console/view"
	"almenara/node/web/console/words"
	"almenara/node/wire"
	"almenara/node/wire/notices"
	"almenara/node/wire/why"
)

// Parameters of CAP that the form knows (channels/contract/CONTRACT.md and the handbook name them).
const (
	parameterConfirm   = "almenara:confirm"
	parameterResidents = "almenara:residents"
)

// residentsMay is what people at the place may say, in the order in which the parameter names it.
var residentsMay = []string{"seen", "help", "photo"}

// blanks are {{name}} in texts, as node/scenario reads them.
var blanks = regexp.MustCompile(`\{\{([A-Za-z0-9_-]{1,40})\}\}`)

// scenario is what the form says, over what it began with.
func (f form) scenario(l *words.Language) (s wire.Scenario, err error) {
	if f.Base != "" && json.Unmarshal([]byte(f.Base), &s) != nil {
		return s, wire.Problemf(wire.KindMalformed, "the form cannot be read").Because(why.FormWrong)
	}
	s.ID, s.Title, s.Choose = f.ID, f.Title, f.Choose
	s.Tier, s.Sound, s.Confirm, s.Blanks = "", "", "", nil // what the alert makes of them
	if s.Select = f.Select; f.By == byPlace {
		if s.Select = ""; f.Place != "" {
			s.Select = view.Under(f.Place)
		}
	}
	var usualMin, usualMax int
	for _, number := range []struct {
		label, text string
		into        *int
	}{
		{"scenario.minutes", f.Minutes, &s.Minutes}, {"scenario.approvals", f.Approvals, &s.Approvals}, {"scenario.usual.min", f.UsualMin, &usualMin}, {"scenario.usual.max", f.UsualMax, &usualMax},
	} {
		if *number.into, err = count(l, number.label, number.text); err != nil {
			return s, err
		}
	}
	s.UsualMin, s.UsualMax = uint64(usualMin), uint64(usualMax)
	s.Checklist, s.Sensitive = lines(f.Checklist), lines(f.Sensitive)
	var sent wire.SendAlert
	if err := f.Into(&sent); err != nil {
		return s, err
	}
	s.RemindMinutes, s.Escalate = sent.RemindMinutes, sent.Escalate
	if s.Alert, err = f.alert(s.Alert); err != nil {
		return s, err
	}
	if s.BlankRules, err = f.rules(l, s.Alert); err != nil {
		return s, err
	}
	s.Chain, err = f.chain(l)
	return s, err
}

// count is a whole number of 0 or more; "" is 0.
func count(l *words.Language, label, text string) (int, error) {
	if text == "" {
		return 0, nil
	}
	n, err := strconv.ParseInt(text, 10, 31)
	if err != nil || n < 0 {
		return 0, wire.Problemf(wire.KindMalformed, "%s is no whole number", text).Because(why.InWords, l.T("scenario.number", l.T(label), text))
	}
	return int(n), nil
}

func lines(text string) (out []string) {
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" {
			out = append(out, line)
		}
	}
	return out
}

// rules are what the form says of the blanks that the alert has.
func (f form) rules(l *words.Language, alert []byte) (out []wire.BlankRule, err error) {
	names := blanksOf(alert)
	for _, b := range f.Blanks {
		if !slices.Contains(names, b.Name) {
			continue
		}
		rule := wire.BlankRule{Name: b.Name, For: b.For, Values: lines(b.Values)}
		if rule.MaxLength, err = count(l, "scenario.blank.most", b.Most); err != nil {
			return nil, err
		}
		if rule.For != "" || len(rule.Values) > 0 || rule.MaxLength > 0 {
			out = append(out, rule)
		}
	}
	return out, nil
}

// blanksOf are the names of the blanks in the texts of an alert, sorted.
func blanksOf(alert []byte) (out []string) {
	for _, found := range blanks.FindAllSubmatch(alert, -1) {
		out = append(out, string(found[1]))
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// chain is the levels of a planned notice; nil where the form names none.
func (f form) chain(l *words.Language) (*notices.NoticeChain, error) {
	var out notices.NoticeChain
	for _, level := range f.Levels {
		if level.Title+level.Role+level.People+level.Checklist == "" {
			continue // it was left empty
		}
		one := notices.NoticeLevel{Title: level.Title, Role: level.Role, People: lines(level.People), Checklist: lines(level.Checklist)}
		var err error
		if one.Count, err = count(l, "scenario.level.count", level.Count); err != nil {
			return nil, err
		}
		if one.Hours, err = count(l, "scenario.level.hours", level.Hours); err != nil {
			return nil, err
		}
		out.Levels = append(out.Levels, one)
	}
	for _, line := range lines(f.Words) {
		word, says, _ := strings.Cut(line, ":")
		word, tick := strings.CutPrefix(strings.TrimSpace(word), "!")
		out.Words = append(out.Words, notices.NoticeWord{Word: strings.TrimSpace(word), Why: strings.TrimSpace(says), Tick: tick})
	}
	if out.Levels == nil && out.Words == nil {
		return nil, nil
	}
	return &out, nil
}

// alert is the JSON form of the alert with what the form says; what it does not show stays.
func (f form) alert(raw json.RawMessage) (json.RawMessage, error) {
	alert := map[string]any{}
	if len(raw) > 0 && json.Unmarshal(raw, &alert) != nil {
		return nil, wire.Problemf(wire.KindMalformed, "the form cannot be read").Because(why.FormWrong)
	}
	delete(alert, "status")
	if f.Status != "" && f.Status != statusActual {
		alert["status"] = f.Status
	}
	old, _ := alert["info"].([]any)
	infos := []any{}
	for _, t := range f.Texts {
		if t.said() {
			infos = append(infos, f.info(infoOf(old, t.N), t))
		}
	}
	for n := len(f.Texts); n < len(old); n++ { // more languages than the form shows
		infos = append(infos, old[n])
	}
	alert["info"] = infos
	out, err := json.Marshal(alert)
	if err != nil {
		return nil, fmt.Errorf("writing an alert: %w", err)
	}
	return out, nil
}

// infoOf is a copy of the info block with this number, or of the first one where there is none: a language
// that was added is as the others are.
func infoOf(infos []any, n int) map[string]any {
	if n >= len(infos) {
		n = 0
	}
	out := map[string]any{}
	if n < len(infos) {
		raw, err := json.Marshal(infos[n])
		if err != nil || json.Unmarshal(raw, &out) != nil {
			return map[string]any{}
		}
	}
	return out
}

func (f form) info(info map[string]any, t text) map[string]any {
	for name, value := range map[string]string{
		"language": t.Language, "event": t.Event, "headline": t.Headline, "description": t.Description, "instruction": t.Instruction, "senderName": t.From, "contact": t.Contact,
	} {
		if delete(info, name); value != "" {
			info[name] = value
		}
	}
	for name, value := range map[string]string{"urgency": f.Urgency, "severity": f.Severity, "certainty": f.Certainty} {
		if value != "" { // "" leaves it as it is
			info[name] = value
		}
	}
	for name, value := range map[string]string{"category": f.Category, "responseType": f.Response} {
		if value != "" {
			info[name] = []any{value}
		}
	}
	setArea(info, t.Area)
	if f.Confirm != asItIs {
		setParameter(info, parameterConfirm, f.Confirm)
	}
	if !f.ResidentsKept {
		setParameter(info, parameterResidents, strings.Join(f.Residents, " "))
	}
	return info
}

// setArea names the first area of an info block; without a name, and without anything else that says where,
// there is none.
func setArea(info map[string]any, name string) {
	areas, _ := info["area"].([]any)
	if len(areas) == 0 {
		if name != "" {
			info["area"] = []any{map[string]any{"areaDesc": name}}
		}
		return
	}
	area, ok := areas[0].(map[string]any)
	if !ok {
		return
	}
	if delete(area, "areaDesc"); name != "" {
		area["areaDesc"] = name
	}
	if len(area) == 0 {
		if delete(info, "area"); len(areas) > 1 {
			info["area"] = areas[1:]
		}
	}
}

// setParameter sets a parameter of an info block, where it stands; "" removes it.
func setParameter(info map[string]any, name, value string) {
	all, _ := info["parameter"].([]any)
	out, one := []any{}, map[string]any{"valueName": name, "value": value}
	for _, p := range all {
		if was, ok := p.(map[string]any); !ok || was["valueName"] != name {
			out = append(out, p)
		} else if value != "" {
			out, value = append(out, one), ""
		}
	}
	if value != "" {
		out = append(out, one)
	}
	if delete(info, "parameter"); len(out) > 0 {
		info["parameter"] = out
	}
}
