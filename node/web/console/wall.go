package console

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"almenara/node/web/console/frame"
	"almenara/node/web/console/view"
	"almenara/node/wire"
	"almenara/node/wire/why"
)

// onWall is how many scenarios are shown at once: more cannot be told apart in a hurry.
const onWall = 12

// prefixBlank is before the name of a blank in a form.
const prefixBlank = "b."

type wallPage struct {
	frame.Page
	Buttons, More []scenarioButton
	Others        []view.Row // in force, and of no button
}

// scenarioButton is one scenario that the person may send.
type scenarioButton struct {
	ID, Title string
	Drill     bool
	Live      []view.Row // alerts in force that were made from it
	Waits     bool       // one that was made from it waits for approval
}

// Real reports whether an alert of real danger that was made from it is in force.
func (b scenarioButton) Real() bool {
	return slices.ContainsFunc(b.Live, func(r view.Row) bool { return !r.Drill })
}

func (c scenarioPages) wall(q *frame.Request) error {
	scenarios, err := c.scenarios.ListScenarios(q.R.Context())
	if err != nil {
		return err
	}
	standing, err := view.Standing(c.reader, q)
	if err != nil {
		return err
	}
	p := wallPage{Page: q.Page("wall")}
	shown := map[string]bool{}
	for _, s := range scenarios {
		if !q.May("send") || !c.maySend(q, s) {
			continue
		}
		b := scenarioButton{ID: s.ID, Title: s.Title, Drill: isDrill(s)}
		for _, r := range standing {
			if r.Scenario == s.ID && r.InForce {
				b.Live, shown[r.ID] = append(b.Live, r), true
			}
			b.Waits = b.Waits || r.Scenario == s.ID && r.State == wire.StatePending
		}
		p.Buttons = append(p.Buttons, b)
	}
	p.Buttons, p.More = arranged(p.Buttons)
	for _, r := range standing {
		if !shown[r.ID] {
			p.Others = append(p.Others, r)
		}
	}
	return q.Show("wall", p)
}

// arranged are the buttons that are shown at once, and the others, each in their order. What is live is
// always shown, with STOP beside it.
func arranged(all []scenarioButton) (shown, more []scenarioButton) {
	for i, b := range all {
		if i < onWall || len(b.Live) > 0 {
			shown = append(shown, b)
		} else {
			more = append(more, b)
		}
	}
	return shown, more
}

// maySend leaves out what the person may never send, as a dry run says: a scenario for places of
// somebody else.
func (c scenarioPages) maySend(q *frame.Request, s wire.Scenario) bool {
	if !q.By().Limited() {
		return true
	}
	blanks := map[string]string{}
	for _, name := range s.Blanks {
		blanks[name] = "…"
	}
	send := wire.SendAlert{Scenario: s.ID, Blanks: blanks}
	if s.Choose && len(q.By().Places) > 0 {
		send.Select = view.Under(q.By().Places[0])
	}
	_, err := c.alerts.PreviewAlert(q.R.Context(), q.By(), send)
	var p *wire.Problem
	return !(errors.As(err, &p) && p.Kind == wire.KindForbidden)
}

// isDrill reports whether the scenario's alert is none of real danger.
func isDrill(s wire.Scenario) bool {
	var form struct {
		Status string `json:"status"`
	}
	return json.Unmarshal(s.Alert, &form) == nil && form.Status != "" && form.Status != "Actual"
}

type firePage struct {
	frame.Page
	ID, Scenario  string
	Drill         bool
	Blanks        []blank
	Approvals     bool     // nobody is warned before others approve it
	Choose        bool     // whoever sends it says where
	Place         string   // that was chosen
	Places        []choice // to choose from
	Checklist     []string // what to do before
	Incident      string
	NeedsReason   bool // the node is alone
	Reason        string
	Word          string // to be typed
	Preview       *preview
	Follows       *view.Follows // what nodes would do by themselves after it
	Wrong         frame.Said    // why it cannot be sent as it is
	WordWrong     bool
	UsualMin, Max uint64
}

type blank struct {
	Name, Text, For string
	Values          []string // the only texts that it takes; none: any
	Most            int      // characters
}

// preview is whom it would address and what it would say, of a dry run.
type preview struct {
	Total, Dark    uint64
	DarkKnown      bool
	Unanswered     int // nodes that did not answer, where further devices may be connected
	ByKind, Places []counted
	Warnings       []frame.Point
	Noise          string // that people there were made to listen often lately, in words
	Waits          int    // persons who must approve first
	Texts          []wire.MessageText
}

type counted struct {
	Name  string
	Count string
}

// scenarioOf finds the scenario that the path names.
func (c scenarioPages) scenarioOf(q *frame.Request) (wire.Scenario, error) {
	all, err := c.scenarios.ListScenarios(q.R.Context())
	if err != nil {
		return wire.Scenario{}, err
	}
	id := q.R.PathValue("scenario")
	at := slices.IndexFunc(all, func(s wire.Scenario) bool { return s.ID == id })
	if at < 0 {
		return wire.Scenario{}, wire.Problemf(wire.KindNotFound, "there is no scenario %.100q", id).Because(why.NoScenario, id)
	}
	return all[at], nil
}

// fireOf fills the page from what the person has said so far.
func (c scenarioPages) fireOf(q *frame.Request, s wire.Scenario, said url.Values) (firePage, wire.SendAlert, bool) {
	p := firePage{Page: q.Page("fire"), ID: s.ID, Scenario: s.Title, Drill: isDrill(s), Approvals: s.Approvals > 0, UsualMin: s.UsualMin, Max: s.UsualMax}
	p.Title = s.Title
	p.NeedsReason = p.Banner.Level != "good"
	p.Word = q.Lang.T(wordFor(p.Drill))
	send := wire.SendAlert{Scenario: s.ID, Blanks: map[string]string{}, Reason: strings.TrimSpace(said.Get("reason"))}
	complete, filled := true, url.Values{}
	p.Checklist = s.Checklist
	if p.Choose = s.Choose; s.Choose {
		p.Place = strings.TrimSpace(said.Get("to"))
		filled.Set("to", p.Place)
		if complete = p.Place != ""; complete {
			send.Select = view.Under(p.Place)
		}
	}
	for _, name := range s.Blanks {
		text := strings.TrimSpace(said.Get(prefixBlank + name))
		p.Blanks = append(p.Blanks, blankOf(s, name, text))
		send.Blanks[name] = text
		filled.Set(prefixBlank+name, text)
		complete = complete && text != ""
	}
	p.Path = q.Inside(Below + "fire/" + url.PathEscape(s.ID) + "?" + filled.Encode()) // with what is filled in, for another language
	p.Reason, p.Incident = send.Reason, strings.TrimSpace(said.Get("incident"))
	send.Incident = p.Incident
	return p, send, complete
}

// blankOf is a blank with what may fill it.
func blankOf(s wire.Scenario, name, text string) blank {
	b := blank{Name: name, Text: text, For: name, Most: 500}
	for _, rule := range s.BlankRules {
		if rule.Name == name {
			b.For, b.Values, b.Most = cmp.Or(rule.For, name), rule.Values, cmp.Or(rule.MaxLength, 500)
		}
	}
	return b
}

// mostIncident is how many characters an incident's id has that the page makes.
const mostIncident = 60

// incident is the id under which two people who press the same scenario for the same thing at about the
// same time make one alert. What fills the blanks is part of it, all of it: a second fire is a second alert,
// and would take the place of the first one under the same id.
func incident(now time.Time, place string, blanks []blank, again int) string {
	id := now.UTC().Truncate(10 * time.Minute).Format("2006-01-02T15:04Z")
	if again > 1 {
		id += fmt.Sprintf(" (%d)", again)
	}
	if place != "" {
		id += " " + place
	}
	for _, b := range blanks {
		id += " " + b.Text
	}
	runes := []rune(id)
	if len(runes) <= mostIncident {
		return id
	}
	sum := sha256.Sum256([]byte(id))
	return string(runes[:mostIncident-9]) + "~" + hex.EncodeToString(sum[:4])
}

func wordFor(drill bool) string {
	if drill {
		return "fire.word.drill"
	}
	return "fire.word.live"
}

// firePage shows whom the scenario would address now, and asks for the word.
func (c scenarioPages) firePage(q *frame.Request) error {
	s, err := c.scenarioOf(q)
	if err != nil {
		return err
	}
	p, send, complete := c.fireOf(q, s, q.R.URL.Query())
	if s.Choose {
		if p.Places, err = placeChoices(c.places, q); err != nil {
			return err
		}
	}
	if !complete {
		return q.Show("fire", p)
	}
	for again := 1; ; again++ {
		p.Incident = incident(q.Now, p.Place, p.Blanks, again)
		send.Incident = p.Incident
		over, err := c.preview(q, &p, send)
		if err != nil {
			return err
		}
		if !over || again == mostAgain {
			return q.Show("fire", p)
		}
	}
}

// mostAgain is how often the same scenario may be stopped and sent again within ten minutes, before
// the person has to name the incident.
const mostAgain = 9

// preview asks for a dry run; that it may not be sent is no failure of the page. over: the incident had
// an alert that was stopped, which is for ever.
func (c scenarioPages) preview(q *frame.Request, p *firePage, send wire.SendAlert) (over bool, err error) {
	p.Wrong = frame.Said{}
	out, err := c.alerts.PreviewAlert(q.R.Context(), q.By(), send)
	var problem *wire.Problem
	if errors.As(err, &problem) {
		p.Wrong = q.Said(problem)
		return problem.Kind == wire.KindConflict && problem.Alert != "", nil
	}
	if err != nil {
		return false, err
	}
	p.Follows = view.FollowsOf(q, out)
	if p.Preview, err = c.previewOf(q, out); err == nil {
		p.Approvals = p.Preview.Waits > 0
	}
	return false, err
}

func (c scenarioPages) previewOf(q *frame.Request, out wire.Outcome) (*preview, error) {
	names, err := view.NamesOfPlaces(c.places, q)
	if err != nil {
		return nil, err
	}
	v := &preview{Total: out.Addressed.Total, Warnings: q.Sentences(out.Warnings), Texts: out.Texts, Unanswered: len(out.Unanswered)}
	if out.Reachable != nil {
		v.Dark, v.DarkKnown = out.Addressed.Total-min(*out.Reachable, out.Addressed.Total), true
	}
	if a := out.Approvals; a != nil {
		v.Waits = a.Needed - len(a.Given)
	}
	v.Noise = view.NoiseOf(q, out, names)
	for _, n := range out.Addressed.ByKind {
		v.ByKind = append(v.ByKind, counted{q.Lang.Or("kind.", n.Name), view.Show(n.Count)})
	}
	for _, n := range out.Addressed.ByPlace {
		v.Places = append(v.Places, counted{names.Of(n.Name), view.Show(n.Count)})
	}
	return v, nil
}

// fire sends the scenario when the word is the right one, and shows the page again when it is not.
func (c scenarioPages) fire(q *frame.Request) error {
	s, err := c.scenarioOf(q)
	if err != nil {
		return err
	}
	p, send, _ := c.fireOf(q, s, q.R.PostForm)
	if s.Choose {
		if p.Places, err = placeChoices(c.places, q); err != nil {
			return err
		}
	}
	if !view.Typed(q.Form("word"), wordFor(p.Drill)) {
		p.WordWrong = true
		if _, err := c.preview(q, &p, send); err != nil {
			return err
		}
		return q.ShowAs(http.StatusUnprocessableEntity, "fire", p)
	}
	out, err := c.alerts.SendAlert(q.R.Context(), q.By(), send, wire.WaitLocal)
	if err != nil {
		return err
	}
	return q.To(fmt.Sprintf("%s?effect=%s&again=%t", view.PathOf(out.Alert), out.Effect, out.Duplicate))
}
