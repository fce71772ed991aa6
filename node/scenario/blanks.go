// Package scenario fills in scenarios: prepared alerts with a few blanks, {{where}}. It says what
// a scenario may be, before it is agreed on, and makes the JSON form of an alert of it.
//
//	scenario, texts ─> Filled ─> JSON form of an alert ─> intake
//
// It reads nothing that is agreed and has no clock. It never imports cluster, channels, api or
// another part of node but judge, shortid and wire.
package scenario

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"almenara/node/judge"
	"almenara/node/wire"
	"almenara/node/wire/why"
	"almenara/storage/alert"
	"almenara/storage/coded"
	"almenara/storage/rights"
)

// Bounds of what fills a scenario's blanks.
const (
	maxBlanks    = 32
	maxBlankText = 500 // characters
)

// blank is {{name}} in a text of a scenario.
var blank = regexp.MustCompile(`\{\{([A-Za-z0-9_-]{1,40})\}\}`)

// Blanks lists the names of the blanks in the texts of a scenario's alert, sorted.
func Blanks(raw []byte) (names []string) {
	texts(raw, func(text string) {
		for _, found := range blank.FindAllStringSubmatch(text, -1) {
			names = append(names, found[1])
		}
	})
	slices.Sort(names)
	return slices.Compact(names)
}

// strayBlank reports whether a text of the alert holds {{ that is no blank.
func strayBlank(raw []byte) (stray bool) {
	texts(raw, func(text string) {
		stray = stray || strings.Contains(blank.ReplaceAllString(text, "\x00"), "{{")
	})
	return stray
}

// texts visits every text of a JSON document as it reads, escapes resolved; what is not
// JSON has none.
func texts(raw []byte, visit func(string)) {
	var form any
	if json.Unmarshal(raw, &form) == nil {
		eachText(form, visit)
	}
}

func eachText(v any, visit func(string)) {
	switch v := v.(type) {
	case string:
		visit(v)
	case []any:
		for _, inner := range v {
			eachText(inner, visit)
		}
	case map[string]any:
		for _, inner := range v {
			eachText(inner, visit)
		}
	}
}

// Filled is the scenario's alert with its blanks filled in and its times set: the JSON
// form that SendAlert takes. Every blank must be given, and nothing else.
func Filled(s rights.Scenario, blanks map[string]string, now time.Time) (json.RawMessage, error) {
	raw, err := Undated(s, blanks)
	if err != nil {
		return nil, err
	}
	return Until(raw, now.Add(time.Duration(s.Lifetime)*time.Millisecond))
}

// missing refuses blanks that are not filled in: all of them at once, each with what it is for.
func missing(s rights.Scenario, names []string, blanks map[string]string) *wire.Problem {
	var first string
	var details []string
	for _, name := range names {
		if _, ok := blanks[name]; ok {
			continue
		}
		if details = append(details, name); first == "" {
			first = name
		}
		if what := ruleOf(s, name).For; what != "" {
			details[len(details)-1] += ": " + what
		}
	}
	if details == nil {
		return nil
	}
	needs := fmt.Sprintf("the blank %q", first)
	if len(details) > 1 {
		needs = fmt.Sprintf("%d blanks", len(details))
	}
	p := wire.Problemf(wire.KindRefused, "nothing was sent: the scenario %s needs %s filled in; its blanks are %s", s.ID, needs, strings.Join(names, ", ")).Because(why.BlankMissing, first)
	p.Details = details
	return p
}

// Undated is the scenario's alert with its blanks filled in, which says of its end only what the scenario
// itself says.
func Undated(s rights.Scenario, blanks map[string]string) (json.RawMessage, error) {
	names := Blanks(s.Alert)
	if missing := missing(s, names, blanks); missing != nil {
		return nil, missing
	}
	for name, text := range blanks {
		if !slices.Contains(names, name) {
			return nil, wire.Problemf(wire.KindRefused, "nothing was sent: the scenario %s has no blank %q; %s", s.ID, name, blankNames(names)).Because(why.NoBlank, name)
		}
		if unfit := unfit(ruleOf(s, name), text); unfit != "" {
			return nil, wire.Problemf(wire.KindRefused, "nothing was sent: the text for the blank %q %s", name, unfit).Because(why.BlankUnfit, name)
		}
	}
	var form any
	if err := json.Unmarshal(s.Alert, &form); err != nil {
		return nil, fmt.Errorf("reading scenario %s: %w", s.ID, err)
	}
	raw, err := json.Marshal(fill(form, blanks))
	if err != nil {
		return nil, fmt.Errorf("writing scenario %s: %w", s.ID, err)
	}
	return raw, nil
}

// Until is the alert with every info block ending at a time, unless it says itself when.
func Until(raw json.RawMessage, at time.Time) (json.RawMessage, error) {
	var form any
	if err := json.Unmarshal(raw, &form); err != nil {
		return nil, fmt.Errorf("reading an alert: %w", err)
	}
	setExpiry(form, at)
	raw, err := json.Marshal(form)
	if err != nil {
		return nil, fmt.Errorf("writing an alert: %w", err)
	}
	return raw, nil
}

// ruleOf is what may fill a blank.
func ruleOf(s rights.Scenario, name string) rights.Blank {
	i := slices.IndexFunc(s.Blanks, func(b rights.Blank) bool { return b.Name == name })
	if i < 0 {
		return rights.Blank{Name: name}
	}
	return s.Blanks[i]
}

// most is how many characters a blank takes.
func most(b rights.Blank) int {
	if b.Max == 0 {
		return maxBlankText
	}
	return int(b.Max)
}

// unfit says why a text cannot fill the blank; "" where it can.
func unfit(b rights.Blank, text string) string {
	if len(b.Values) > 0 && !slices.Contains(b.Values, text) {
		return "is none of those that the scenario takes: " + strings.Join(b.Values, ", ")
	}
	if bad := BadText(text, most(b)); bad != nil {
		return bad.Error()
	}
	return ""
}

// longest fills every blank with the longest text that it takes, in characters of three bytes.
func longest(s rights.Scenario) map[string]string {
	out := make(map[string]string)
	for _, name := range Blanks(s.Alert) {
		b := ruleOf(s, name)
		out[name] = strings.Repeat("字", most(b))
		if len(b.Values) > 0 {
			out[name] = slices.MaxFunc(b.Values, func(a, b string) int { return len(a) - len(b) })
		}
	}
	return out
}

// decides are the members of an alert that decide how it is presented and to whom it speaks: a blank
// there would leave that open until somebody fills it in.
var decides = []string{"status", "msgType", "scope", "urgency", "severity", "certainty"}

// checkBlanks refuses blanks that could not be filled in, and rules for blanks that there are not.
func checkBlanks(s rights.Scenario) error {
	names := Blanks(s.Alert)
	if len(names) > maxBlanks {
		return wire.Problemf(wire.KindRefused, "the scenario has %d blanks, at most %d are allowed", len(names), maxBlanks).Because(why.BlanksMany, maxBlanks)
	}
	if strayBlank(s.Alert) {
		return wire.Problemf(wire.KindRefused, "the scenario's texts hold {{ that is no blank; a blank is {{name}} of letters, digits, _ and -").Because(why.BlankStray)
	}
	if field := openField(s.Alert); field != "" {
		return wire.Problemf(wire.KindRefused, "the scenario leaves its %s open by a blank; how loud an alert is must be said before", field).Because(why.BlankDecides, field)
	}
	said := map[string]bool{}
	for _, b := range s.Blanks {
		switch {
		case !slices.Contains(names, b.Name):
			return wire.Problemf(wire.KindRefused, "the scenario has a rule for the blank %q, which is in none of its texts; %s", b.Name, blankNames(names)).Because(why.BlankRule, b.Name)
		case said[b.Name]:
			return wire.Problemf(wire.KindRefused, "the scenario has two rules for the blank %q", b.Name).Because(why.BlankRule, b.Name)
		case len(b.Values) > 0 && b.Max > 0:
			return wire.Problemf(wire.KindRefused, "the rule for the blank %q gives values and a max_length; one of them is expected", b.Name).Because(why.BlankRule, b.Name)
		}
		said[b.Name] = true
		for _, value := range b.Values {
			if wrong := BadText(value, maxBlankText); wrong != nil {
				return wire.Problemf(wire.KindRefused, "a value of the blank %q %s", b.Name, wrong).Because(why.BlankRule, b.Name)
			}
		}
	}
	return checkLines(s)
}

// checkLines refuses lines that nobody could read.
func checkLines(s rights.Scenario) error {
	for what, lines := range map[string][]string{"line of the checklist": s.Checklist, "sensitive word": s.Sensitive} {
		for _, line := range lines {
			if wrong := BadText(line, maxBlankText); wrong != nil {
				return wire.Problemf(wire.KindRefused, "a %s of the scenario %s", what, wrong).Because(why.LineUnfit, maxBlankText)
			}
		}
	}
	return nil
}

// openField names a member that decides how the alert is presented and holds a blank; "" where none.
func openField(raw []byte) string {
	var form map[string]any
	if json.Unmarshal(raw, &form) != nil {
		return ""
	}
	parts := []map[string]any{form}
	infos, _ := form["info"].([]any)
	for _, one := range infos {
		info, _ := one.(map[string]any)
		parts = append(parts, info)
	}
	for _, part := range parts {
		for _, field := range decides {
			if text, _ := part[field].(string); strings.Contains(text, "{{") {
				return field
			}
		}
		if field := openParameter(part); field != "" {
			return field
		}
	}
	return ""
}

// openParameter names a parameter of an info block that decides so and holds a blank, or any one whose name does:
// what fills that in may make it one. "" where there is none.
func openParameter(info map[string]any) string {
	all, _ := info["parameter"].([]any)
	for _, one := range all {
		p, _ := one.(map[string]any)
		name, _ := p["valueName"].(string)
		value, _ := p["value"].(string)
		switch {
		case strings.Contains(name, "{{"):
			return "parameter"
		case strings.TrimSpace(name) == alert.ParameterConfirm && strings.Contains(value, "{{"):
			return alert.ParameterConfirm
		}
	}
	return ""
}

func blankNames(names []string) string {
	if len(names) == 0 {
		return "it has no blanks"
	}
	return "its blanks are " + strings.Join(names, ", ")
}

// BadText says what is wrong with a text that is to be shown, as the end of a sentence; nil when nothing is.
func BadText(text string, most int) error {
	switch {
	case judge.Empty(text):
		return coded.New("bad-empty", "is empty")
	case utf8.RuneCountInString(text) > most:
		return coded.Errorf("bad-long", "has more than %d characters", most)
	case !utf8.ValidString(text) || strings.ContainsFunc(text, unicode.IsControl):
		return coded.New("bad-characters", "has characters that cannot be shown")
	}
	return nil
}

// fill puts the texts into every blank. What a text brings is never a blank again.
func fill(v any, blanks map[string]string) any {
	switch v := v.(type) {
	case string:
		return blank.ReplaceAllStringFunc(v, func(found string) string { return blanks[found[2:len(found)-2]] })
	case []any:
		for i := range v {
			v[i] = fill(v[i], blanks)
		}
	case map[string]any:
		for name := range v {
			v[name] = fill(v[name], blanks)
		}
	}
	return v
}

// setExpiry lets every info block end then, unless it says itself when.
func setExpiry(form any, at time.Time) {
	top, _ := form.(map[string]any)
	infos, _ := top["info"].([]any)
	for _, one := range infos {
		if info, ok := one.(map[string]any); ok && info["expires"] == nil {
			info["expires"] = alert.NewDateTime(at).String()
		}
	}
}
