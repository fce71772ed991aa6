package node

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"almenara/node/alerts"
	"almenara/node/api"
	"almenara/node/judge"
	"almenara/node/wire"
	"almenara/storage"
	"almenara/storage/alert"
	"almenara/storage/alert/board"
	"almenara/storage/audience"
	"almenara/storage/audience/lookup"
)

// Bounds of what fills a scenario's blanks.
const (
	maxBlanks    = 32
	maxBlankText = 500 // characters
	maxIncident  = 100 // characters of an incident's id
)

// blank is {{name}} in a text of a scenario.
var blank = regexp.MustCompile(`\{\{([A-Za-z0-9_-]{1,40})\}\}`)

// blanksOf lists the names of the blanks in the texts of a scenario's alert, sorted.
func blanksOf(raw []byte) (names []string) {
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

// filled is the scenario's alert with its blanks filled in and its times set: the JSON
// form that SendAlert takes. Every blank must be given, and nothing else.
func filled(s storage.Scenario, blanks map[string]string, now time.Time) (json.RawMessage, error) {
	names := blanksOf(s.Alert)
	for _, name := range names {
		if _, ok := blanks[name]; !ok {
			return nil, wire.Problemf(wire.KindRefused, "nothing was sent: the scenario %s needs the blank %q filled in; its blanks are %s",
				s.ID, name, strings.Join(names, ", "))
		}
	}
	for name, text := range blanks {
		if !slices.Contains(names, name) {
			return nil, wire.Problemf(wire.KindRefused, "nothing was sent: the scenario %s has no blank %q; %s", s.ID, name, blankNames(names))
		}
		if why := badText(text, maxBlankText); why != "" {
			return nil, wire.Problemf(wire.KindRefused, "nothing was sent: the text for the blank %q %s", name, why)
		}
	}
	var form any
	if err := json.Unmarshal(s.Alert, &form); err != nil {
		return nil, fmt.Errorf("reading scenario %s: %w", s.ID, err)
	}
	form = fill(form, blanks)
	setExpiry(form, now.Add(time.Duration(s.Lifetime)*time.Millisecond))
	raw, err := json.Marshal(form)
	if err != nil {
		return nil, fmt.Errorf("writing scenario %s: %w", s.ID, err)
	}
	return raw, nil
}

func blankNames(names []string) string {
	if len(names) == 0 {
		return "it has no blanks"
	}
	return "its blanks are " + strings.Join(names, ", ")
}

// badText says what is wrong with a text that is to be shown; "" when nothing is.
func badText(text string, most int) string {
	switch {
	case judge.Empty(text):
		return "is empty"
	case utf8.RuneCountInString(text) > most:
		return fmt.Sprintf("has more than %d characters", most)
	case !utf8.ValidString(text) || strings.ContainsFunc(text, unicode.IsControl):
		return "has characters that cannot be shown"
	}
	return ""
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

// checkScenario refuses a scenario that could not be sent, before it is agreed on.
func (n *Node) checkScenario(s storage.Scenario) error {
	names := blanksOf(s.Alert)
	if len(names) > maxBlanks {
		return wire.Problemf(wire.KindRefused, "the scenario has %d blanks, at most %d are allowed", len(names), maxBlanks)
	}
	if strayBlank(s.Alert) {
		return wire.Problemf(wire.KindRefused, "the scenario's texts hold {{ that is no blank; a blank is {{name}} of letters, digits, _ and -")
	}
	samples := make(map[string]string)
	for _, name := range names {
		samples[name] = "x"
	}
	now := n.options.Clock()
	raw, err := filled(s, samples, now)
	if err != nil {
		return wire.Problemf(wire.KindRefused, "the scenario's alert is not a JSON object: %v", err)
	}
	a, findings, err := alert.FromJSON(raw, n.district.Sender(), newIdentifier(), now)
	if err != nil {
		return scenarioRefusal(err, findings)
	}
	for _, found := range []alert.Findings{judge.Typed(s.Alert), judge.Over(a, now)} {
		if found.Rejected() {
			return scenarioRefusal(&alert.RejectError{Findings: found}, found)
		}
	}
	if a.MsgType != alert.MsgTypeAlert || len(a.References) > 0 || len(a.Infos) == 0 {
		return wire.Problemf(wire.KindRefused, "a scenario is an Alert with at least one info block and without references")
	}
	if time.Duration(s.Lifetime)*time.Millisecond > alert.MaxLifetime {
		return wire.Problemf(wire.KindRefused, "a scenario holds %d minutes at most", int(alert.MaxLifetime.Minutes()))
	}
	if s.Select != "" {
		if _, err := audience.Parse(s.Select); err != nil {
			return wire.Problemf(wire.KindMalformed, "the scenario's selection cannot be read: %v", err)
		}
	}
	return nil
}

func scenarioRefusal(err error, findings alert.Findings) error {
	p, ok := judge.Refusal(err, findings).(*wire.Problem)
	if !ok {
		return err
	}
	p.Sentence = "the scenario cannot be sent as it is: " + strings.TrimPrefix(p.Sentence, "nothing was sent: ")
	return p
}

// fromScenario fills in what a request leaves to a scenario.
func (n *Node) fromScenario(sent wire.SendAlert, in *intake) (json.RawMessage, error) {
	if sent.Scenario == "" {
		if len(sent.Blanks) > 0 {
			return nil, wire.Problemf(wire.KindMalformed, "blanks belong to a scenario; nothing was sent")
		}
		return sent.Alert, nil
	}
	var s storage.Scenario
	var known bool
	err := n.store.View(func(t *storage.Txn) (err error) {
		s, known, err = t.Scenario(sent.Scenario)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("reading scenario %s: %w", sent.Scenario, err)
	}
	if !known || s.Removed {
		return nil, wire.Problemf(wire.KindNotFound, "no scenario %q is known here; nothing was sent", sent.Scenario)
	}
	in.scenario, in.blanks = s, sent.Blanks
	return filled(s, sent.Blanks, n.options.Clock())
}

// limits is what the request selects within what the scenario selects.
func limits(selected string, s storage.Scenario, index *lookup.Index) (audience.Selection, error) {
	limit, err := readLimit(selected, index)
	if err != nil || s.Select == "" {
		return limit, err
	}
	own, err := readLimit(s.Select, index)
	return own.And(limit), err
}

// usual adds a warning when the outcome is not what the scenario usually does.
func (n *Node) usual(in intake, out wire.Outcome) wire.Outcome {
	out.Warnings = append(out.Warnings, unusual(in.scenario, out.Addressed.Total)...)
	return out
}

// unusual warns when the scenario usually addresses more or fewer.
func unusual(s storage.Scenario, total uint64) []string {
	if s.UsualMax == 0 || total >= s.UsualMin && total <= s.UsualMax {
		return nil
	}
	return []string{fmt.Sprintf("the scenario %s usually addresses %d to %d members, and now %d", s.ID, s.UsualMin, s.UsualMax, total)}
}

// incidentOf is the incident id that goes on record. Whoever is limited begins one of their own
// limits, "i-7 of tuen-mun/on-ting": under the bare id others may have begun one that this
// node has not heard of, which a Cancel would end. One that is known here they join.
func (n *Node) incidentOf(by api.Caller, scenario, id string, status alert.Status) (string, error) {
	if id == "" {
		return "", nil
	}
	if why := badText(id, maxIncident); why != "" {
		return "", wire.Problemf(wire.KindRefused, "nothing was sent: the incident id %s", why)
	}
	if scenario == "" || !by.Limited() || n.stories.OnBook(alert.IncidentKey(scenario, id, status).ID()) != nil {
		return id, nil
	}
	return id + " of " + strings.Join(slices.Sorted(slices.Values(slices.Concat(by.Places, by.Senders))), ", "), nil
}

// pressedAlready finds what the same scenario said before for the incident, to the same
// audience, where it still holds: pressing a button twice is one alert, not two. Times do not
// count. What others have replaced with other words since, or what ran out, is said anew.
func (n *Node) pressedAlready(in intake) *alerts.Message {
	if in.scenario.ID == "" || in.incident == "" || in.alert.MsgType != alert.MsgTypeAlert {
		return nil
	}
	root := alert.IncidentKey(in.scenario.ID, in.incident, in.alert.Status)
	s := n.stories.OnBook(root.ID())
	if s == nil {
		return nil
	}
	now := n.options.Clock()
	for _, m := range slices.Backward(s.Messages) {
		if m.Entry.MsgType != alert.MsgTypeAlert || m.Entry.Author != in.by.Name {
			continue
		}
		if says, err := m.Brief(); err != nil || says.Select != in.selects(says.Issue.Within) {
			continue
		}
		m, err := m.Whole()
		if err != nil || !sameTexts(m.Alert, in.alert) {
			continue
		}
		switch standing, _ := n.book.Standing(m, now); standing {
		case board.InForce, board.Future, board.Pending:
			return m
		case board.Superseded: // by the same words, of the other half of the district
			head, err := s.Current().Whole()
			if err == nil && now.Before(head.Entry.Expires) && sameTexts(head.Alert, in.alert) {
				return m
			}
		}
	}
	return nil
}

// incidentIsOver refuses to send a scenario for an incident whose alert was cancelled: a
// cancel is for ever, and nobody would get it.
func (n *Node) incidentIsOver(in intake) error {
	if in.scenario.ID == "" || in.incident == "" {
		return nil
	}
	s := n.stories.OnBook(alert.IncidentKey(in.scenario.ID, in.incident, in.alert.Status).ID())
	if s == nil || len(s.Cancels) == 0 {
		return nil
	}
	return &wire.Problem{Kind: wire.KindConflict, Alert: string(s.ID), Sentence: fmt.Sprintf(
		"nothing was sent: the alert of the scenario %s for the incident %s was cancelled, which is for ever; give another incident id", in.scenario.ID, in.incident)}
}

// sameTexts compares two messages without their names and times.
func sameTexts(a, b *alert.Alert) bool {
	plain := func(a *alert.Alert) alert.Digest {
		c := *a
		c.Identifier, c.Sent, c.Infos = "", alert.DateTime{}, slices.Clone(a.Infos)
		for i := range c.Infos {
			c.Infos[i].Expires, c.Infos[i].Effective = alert.DateTime{}, alert.DateTime{}
		}
		return c.Digest()
	}
	return plain(a) == plain(b)
}

// scenarioOut is a scenario as the API shows it.
func scenarioOut(s storage.Scenario) wire.Scenario {
	return wire.Scenario{
		ID: s.ID, Title: s.Title, Alert: s.Alert, Blanks: blanksOf(s.Alert), Select: s.Select, Approvals: int(s.Approvals),
		Minutes: int(s.Lifetime / time.Minute.Milliseconds()), UsualMin: s.UsualMin, UsualMax: s.UsualMax,
	}
}
