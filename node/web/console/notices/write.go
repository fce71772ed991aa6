package notices

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"almenara/node/web/console/frame"
	"almenara/node/web/console/view"
	"almenara/node/wire"
	"almenara/node/wire/notices"
	"almenara/node/wire/why"
)

type writePage struct {
	frame.Page
	Scenarios []choice // that a planned notice may be made from
	ID        string   // of the one that was chosen
	Scenario  string   // its title
	Form      form
	Wrong     frame.Said
}

type versionPage struct {
	frame.Page
	Path     string // of the notice
	Notice   string // its headline
	Number   int    // the version that is changed
	Form     form
	Why      string
	Wrong    frame.Said
	SentBack string // why it was sent back
}

// form is what a notice is to say.
type form struct {
	Blanks []blank
	Texts  []editable // of a notice that no scenario made
	Choose bool
	Place  string
	Places []choice
	At     string
	Reason string
}

type choice struct {
	Value, Label string
}

type blank struct {
	Name, Text, For string
	Values          []string
	Most            int
}

// editable is the text of one info block.
type editable struct {
	N                                        int
	Name, Headline, Description, Instruction string
}

// prefixBlank is before the name of a blank in a form.
const prefixBlank = "b."

// writePage asks which scenario, and then what it is to say.
func (p pages) writePage(q *frame.Request) error {
	out := writePage{Page: q.Page("write")}
	if err := p.choose(q, &out, q.R.URL.Query().Get("scenario")); err != nil {
		return err
	}
	return q.Show("write", out)
}

// choose fills in the scenarios, and the form of the one that was chosen.
func (p pages) choose(q *frame.Request, out *writePage, id string) error {
	all, err := p.scenarios.ListScenarios(q.R.Context())
	if err != nil {
		return err
	}
	policy, err := p.policy.ShowPolicy(q.R.Context())
	if err != nil {
		return err
	}
	for _, s := range all {
		if s.Chain == nil && policy.Chain == nil || !planned(s) {
			continue
		}
		out.Scenarios = append(out.Scenarios, choice{s.ID, s.Title})
		if s.ID != id {
			continue
		}
		out.ID, out.Scenario = s.ID, s.Title
		if out.Form, err = p.formOf(q, s, nil); err != nil {
			return err
		}
	}
	if out.Path = q.Inside(frame.Below + "notices/write"); out.ID != "" {
		out.Path = q.Inside(frame.Below + "notices/write?" + url.Values{"scenario": {out.ID}}.Encode())
	}
	if id != "" && out.ID == "" {
		return wire.Problemf(wire.KindNotFound, "no scenario %.100q is one of a planned notice", id).Because(why.NoScenario, id)
	}
	return nil
}

// planned reports whether a scenario says by its urgency that nobody must act at once: what is none is
// refused by the node.
func planned(s wire.Scenario) bool {
	var of struct {
		Info []struct{ Urgency string }
	}
	if json.Unmarshal(s.Alert, &of) != nil || len(of.Info) == 0 {
		return false
	}
	for _, i := range of.Info {
		if i.Urgency != "Future" && i.Urgency != "Past" {
			return false
		}
	}
	return true
}

// formOf is the form of a scenario, with what was filled in, or what fields says.
func (p pages) formOf(q *frame.Request, s wire.Scenario, filled map[string]string) (f form, err error) {
	for _, name := range s.Blanks {
		b := blank{Name: name, For: name, Most: 500, Text: filled[name]}
		if q.R.Method == http.MethodPost {
			b.Text = q.Form(prefixBlank + name)
		}
		for _, rule := range s.BlankRules {
			if rule.Name == name {
				b.For, b.Values, b.Most = cmp.Or(rule.For, name), rule.Values, cmp.Or(rule.MaxLength, 500)
			}
		}
		f.Blanks = append(f.Blanks, b)
	}
	if f.Choose = s.Choose; s.Choose {
		f.Place = q.Form("to")
		if f.Places, err = p.placesToChoose(q); err != nil {
			return f, err
		}
	}
	f.At, f.Reason = q.Form("goes"), q.Form("reason")
	return f, nil
}

// mostPlaces is how many places are offered.
const mostPlaces = 2000

func (p pages) placesToChoose(q *frame.Request) (out []choice, err error) {
	places, err := p.places.ListPlaces(q.R.Context())
	if err != nil {
		return nil, err
	}
	names, err := view.NamesOfPlaces(p.places, q)
	if err != nil {
		return nil, err
	}
	for _, place := range places {
		if strings.Count(place.Path, "/") < 3 && len(out) < mostPlaces {
			out = append(out, choice{place.Path, names.Of(place.Path)})
		}
	}
	slices.SortFunc(out, func(a, b choice) int { return strings.Compare(a.Value, b.Value) })
	return out, nil
}

// drafted is what the form says. A time that cannot be read is refused: without one it would go out at once.
func drafted(q *frame.Request) (notices.DraftNotice, error) {
	in := notices.DraftNotice{Blanks: map[string]string{}, Reason: q.Form("reason"), At: q.FormTime(q.Form("goes"))}
	for name := range q.R.PostForm {
		if blank, ok := strings.CutPrefix(name, prefixBlank); ok {
			in.Blanks[blank] = q.Form(name)
		}
	}
	if place := q.Form("to"); place != "" {
		in.Select = view.Under(place)
	}
	if text := q.Form("goes"); text != "" && in.At.IsZero() {
		return in, wire.Problemf(wire.KindMalformed, "nothing was written: %.40q is no time at which it could go out", text).Because(why.FormWrong)
	}
	return in, nil
}

func (p pages) write(q *frame.Request) error {
	in, err := drafted(q)
	if err != nil {
		return err
	}
	in.Scenario = q.Form("scenario")
	n, err := p.notices.DraftNotice(q.R.Context(), q.By(), in)
	problem, refused := err.(*wire.Problem)
	switch {
	case err == nil:
		return q.To(pathOf(n.ID) + "?done=" + notices.ActWrote)
	case !refused:
		return err
	}
	out := writePage{Page: q.Page("write"), Wrong: q.Said(problem)}
	if err := p.choose(q, &out, in.Scenario); err != nil {
		return err
	}
	return q.ShowAs(status(problem), "write", out)
}

// revisePage is the form of a new version, with what the newest one says.
func (p pages) revisePage(q *frame.Request) error {
	n, out, err := p.newest(q)
	if err != nil {
		return err
	}
	if !n.At.IsZero() {
		out.Form.At = q.FieldTime(n.At)
	}
	return q.Show("version", out)
}

// newest is the notice that the path names, and the form of a new version of it.
func (p pages) newest(q *frame.Request) (notices.Notice, versionPage, error) {
	out := versionPage{Page: q.Page("version")}
	n, err := p.notices.ShowNotice(q.R.Context(), q.By(), q.R.PathValue("notice"))
	if err != nil || len(n.Versions) == 0 {
		return n, out, err
	}
	last := n.Versions[len(n.Versions)-1]
	out.Page.Path = q.Inside(pathOf(n.ID, "version"))
	out.Path, out.Notice, out.Number, out.Why = pathOf(n.ID), n.Title, n.Version, q.Form("why")
	if n.Standing == notices.SentBack || n.Standing == notices.Failed {
		out.SentBack = n.Why
	}
	if n.Scenario == "" {
		out.Form.Texts = editables(q, last)
		out.Form.At, out.Form.Reason = q.Form("goes"), cmp.Or(q.Form("reason"), last.Reason)
		return n, out, nil
	}
	all, err := p.scenarios.ListScenarios(q.R.Context())
	if err != nil {
		return n, out, err
	}
	i := slices.IndexFunc(all, func(s wire.Scenario) bool { return s.ID == n.Scenario })
	if i < 0 {
		return n, out, wire.Problemf(wire.KindNotFound, "there is no scenario %.100q", n.Scenario).Because(why.NoScenario, n.Scenario)
	}
	if out.Form, err = p.formOf(q, all[i], last.Blanks); err != nil {
		return n, out, err
	}
	out.Form.Reason = cmp.Or(out.Form.Reason, last.Reason)
	if all[i].Choose && out.Form.Place == "" {
		out.Form.Place = placeIn(last.Select)
	}
	return n, out, nil
}

// placeIn is the place of a selection that this page has made; "" of any other.
func placeIn(selection string) string {
	_, place, _ := strings.Cut(selection, "place under ")
	return strings.Trim(place, `"`)
}

// editables are the texts of a notice that no scenario made, one an info block.
func editables(q *frame.Request, v notices.NoticeVersion) (out []editable) {
	for i, t := range v.Texts {
		e := editable{N: i, Name: q.Lang.Or("language.", t.Language), Headline: t.Headline, Description: t.Description, Instruction: t.Instruction}
		if q.R.Method == http.MethodPost {
			e.Headline, e.Description, e.Instruction = q.Form(fmt.Sprintf("headline.%d", i)), q.Form(fmt.Sprintf("description.%d", i)), q.Form(fmt.Sprintf("instruction.%d", i))
		}
		out = append(out, e)
	}
	return out
}

func (p pages) revise(q *frame.Request) error {
	id := q.R.PathValue("notice")
	n, out, err := p.newest(q)
	if err != nil {
		return err
	}
	in, err := drafted(q)
	if err != nil {
		return err
	}
	in.Version, in.Why = number(q.Form("version")), q.Form("why")
	if n.Scenario == "" && len(n.Versions) > 0 {
		last := n.Versions[len(n.Versions)-1]
		in.Blanks, in.Select = nil, last.Select
		if in.Alert, err = rewritten(last.Alert, out.Form.Texts); err != nil {
			return err
		}
	}
	_, err = p.notices.ReviseNotice(q.R.Context(), q.By(), id, in)
	problem, refused := err.(*wire.Problem)
	switch {
	case err == nil:
		return q.To(pathOf(id) + "?done=" + notices.ActWrote)
	case !refused:
		return err
	}
	out.Wrong = q.Said(problem)
	return q.ShowAs(status(problem), "version", out)
}

// rewritten is an alert with other texts; the rest stays as it is.
func rewritten(raw json.RawMessage, texts []editable) (json.RawMessage, error) {
	var alert map[string]any
	if err := json.Unmarshal(raw, &alert); err != nil {
		return nil, fmt.Errorf("reading a notice: %w", err)
	}
	infos, _ := alert["info"].([]any)
	for _, t := range texts {
		if t.N >= len(infos) {
			break
		}
		info, ok := infos[t.N].(map[string]any)
		if !ok {
			continue
		}
		for name, text := range map[string]string{"headline": t.Headline, "description": t.Description, "instruction": t.Instruction} {
			if delete(info, name); text != "" {
				info[name] = text
			}
		}
	}
	return json.Marshal(alert)
}
