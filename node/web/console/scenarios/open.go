package scenarios

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"almenara/node/web/console/compose/further"
	"almenara/node/web/console/view"
	"almenara/node/wire"
	"almenara/node/wire/notices"
	"almenara/node/wire/why"
)

// formOf is the form of a scenario.
func formOf(s wire.Scenario) (form, error) {
	s.Revision = "" // the form has it by itself, and a file of it is for any district
	raw, err := json.Marshal(s)
	if err != nil {
		return form{}, fmt.Errorf("writing a scenario: %w", err)
	}
	f := form{
		Base: string(raw), ID: s.ID, Title: s.Title, Choose: s.Choose, Select: s.Select, Minutes: number(s.Minutes), Approvals: number(s.Approvals), UsualMin: number(int(s.UsualMin)), UsualMax: number(int(s.UsualMax)),
		Checklist: strings.Join(s.Checklist, "\n"), Sensitive: strings.Join(s.Sensitive, "\n"), Fields: further.Fields{Remind: number(s.RemindMinutes)}, Confirm: asItIs,
	}
	if f.By = bySelect; s.Select == "" || view.Below(s.Select) != "" {
		f.By, f.Place, f.Select = byPlace, view.Below(s.Select), ""
	}
	if e := s.Escalate; e != nil {
		f.Fields = further.Fields{Remind: f.Remind, Needed: number(e.Answers), Minutes: number(e.Minutes), Then: strings.Join(e.Groups, "\n")}
	}
	f.blanksFrom(s)
	f.levelsFrom(s.Chain)
	return f, f.textsFrom(s.Alert)
}

func number(n int) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(n)
}

func (f *form) blanksFrom(s wire.Scenario) {
	var given []blank
	for _, rule := range s.BlankRules {
		given = append(given, blank{rule.Name, rule.For, strings.Join(rule.Values, "\n"), number(rule.MaxLength)})
	}
	f.Blanks = blanksIn(s.Alert, given)
}

func (f *form) levelsFrom(chain *notices.NoticeChain) {
	if chain == nil {
		return
	}
	for n, l := range chain.Levels {
		f.Levels = append(f.Levels, level{N: n, Title: l.Title, Role: l.Role, People: strings.Join(l.People, "\n"), Count: number(l.Count), Hours: number(l.Hours), Checklist: strings.Join(l.Checklist, "\n")})
	}
	var words []string
	for _, w := range chain.Words {
		line := w.Word
		if w.Tick {
			line = "!" + line
		}
		if w.Why != "" {
			line += ": " + w.Why
		}
		words = append(words, line)
	}
	f.Words = strings.Join(words, "\n")
}

// capInfo is what the form shows of an info block.
type capInfo struct {
	Language, Event, Headline, Description, Instruction, SenderName, Contact string
	Urgency, Severity, Certainty                                             string
	Category, ResponseType                                                   []string
	Area                                                                     []struct{ AreaDesc string }
	Parameter                                                                []struct{ ValueName, Value string }
}

func (i capInfo) parameter(name string) string {
	for _, p := range i.Parameter {
		if p.ValueName == name {
			return p.Value
		}
	}
	return ""
}

// textsFrom reads the alert: its texts, and what all of them have in common.
func (f *form) textsFrom(raw []byte) error {
	var of struct {
		Status string
		Info   []capInfo
	}
	if json.Unmarshal(raw, &of) != nil {
		return wire.Problemf(wire.KindMalformed, "the scenario's alert cannot be read").Because(why.FormWrong)
	}
	f.Status = cmp.Or(of.Status, statusActual)
	for n, i := range of.Info[:min(len(of.Info), mostLanguages)] {
		t := text{N: n, Language: i.Language, Name: view.LanguageName(i.Language), Event: i.Event, Headline: i.Headline, Description: i.Description, Instruction: i.Instruction, From: i.SenderName, Contact: i.Contact}
		if len(i.Area) > 0 {
			t.Area = i.Area[0].AreaDesc
		}
		f.Texts = append(f.Texts, t)
	}
	same := func(of2 func(capInfo) string) string { // "" where they differ
		if len(of.Info) == 0 {
			return ""
		}
		first := of2(of.Info[0])
		if slices.ContainsFunc(of.Info, func(i capInfo) bool { return of2(i) != first }) {
			return ""
		}
		return first
	}
	one := func(all []string) string {
		if len(all) != 1 {
			return ""
		}
		return all[0]
	}
	f.Urgency, f.Severity, f.Certainty = same(func(i capInfo) string { return i.Urgency }), same(func(i capInfo) string { return i.Severity }), same(func(i capInfo) string { return i.Certainty })
	f.Category, f.Response = same(func(i capInfo) string { return one(i.Category) }), same(func(i capInfo) string { return one(i.ResponseType) })
	if len(of.Info) == 0 {
		return nil
	}
	confirms, may := func(i capInfo) string { return "=" + i.parameter(parameterConfirm) }, func(i capInfo) string { return "=" + i.parameter(parameterResidents) }
	if c := same(confirms); c != "" {
		f.Confirm = strings.TrimPrefix(c, "=")
	}
	said := same(may)
	f.Residents = strings.Fields(strings.TrimPrefix(said, "="))
	f.ResidentsKept = said == "" || slices.ContainsFunc(f.Residents, func(v string) bool { return !slices.Contains(residentsMay, v) })
	return nil
}
