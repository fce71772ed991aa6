package compose

import (
	"encoding/json"
	"fmt"
	"html/template"
	"net/http"
	"slices"
	"strings"
	"time"

	"almenara/node/web/console/compose/picture"
	"almenara/node/web/console/drawing"
	"almenara/node/web/console/frame"
	"almenara/node/web/console/view"
	"almenara/node/wire"
	"almenara/node/wire/why"
)

// composePage is the form to be filled in: of a new alert, or, where Alert is set, of an update.
type composePage struct {
	frame.Page
	Form        form
	Alert       string // of an update: the id of the alert
	Standing    []wire.MessageText
	Fresh       bool // nothing was typed yet
	Hazards     []choice
	Categories  []choice
	Urgencies   []choice
	Severities  []choice
	Certainties []choice
	Responses   []choice
	Onsets      []choice
	Lasting     []choice
	Languages   []choice // that can be added
	PlaceLines  []placeLine
	Map         *drawing.Map
	Needs       []string   // what is still missing, in words
	Wrong       frame.Said // why it cannot be sent
	Count       *view.Audience
	Waits       int
	NoPlaces    bool
	NeedsReason bool
}

// checkPage shows whom the message reaches and how it looks, and asks for the word.
type checkPage struct {
	frame.Page
	Alert       string // of an update
	Drill       bool
	Fields      []field
	Incident    string
	Tried       *tried
	Follows     *view.Follows // what nodes would do by themselves after it
	Map         *drawing.Map
	Wrong       frame.Said // why it cannot be sent as it is
	WrongAlert  string
	Word        string
	WordWrong   bool
	Old         bool // it was checked too long ago
	NeedsReason bool
	Reason      string
	Screen      string
	Picture     template.URL
}

// Approvals reports whether nobody is warned before others approve it.
func (c checkPage) Approvals() bool { return c.Tried != nil && c.Tried.Waits > 0 }

// page is the form with its lists to choose from.
func (p pages) page(q *frame.Request, f form) (composePage, error) {
	all, err := p.Places.ListPlaces(q.R.Context())
	if err != nil {
		return composePage{}, err
	}
	l := q.Lang
	c := composePage{
		Page: q.Page("compose"), Form: f, Hazards: hazardsOf(l, f.Hazard), Categories: choicesOf(l, "compose.category.", view.Categories, f.Category),
		Urgencies: choicesOf(l, "compose.urgency.", urgencies, f.Urgency), Severities: choicesOf(l, "compose.severity.", view.Severities, f.Severity),
		Certainties: choicesOf(l, "compose.certainty.", view.Certainties, f.Certainty), Responses: choicesOf(l, "compose.response.", view.Responses, f.Response),
		Onsets: spansOf(l, onsets, f.Onset), Lasting: spansOf(l, lasting, f.Lasts), PlaceLines: placeLines(all, f.Place, l.Tag, q.By().Places, p.own(q, all)),
	}
	c.Path, c.NoPlaces, c.NeedsReason = frame.Below+"compose", len(c.PlaceLines) == 0, c.Banner.Level != "good"
	c.Map = f.drawn(all, l)
	used := map[string]bool{}
	for _, t := range f.Texts {
		used[t.Language] = true
	}
	for _, tag := range languages {
		if !used[tag] {
			c.Languages = append(c.Languages, choice{Value: tag, Label: view.LanguageName(tag)})
		}
	}
	return c, nil
}

func (p pages) composePage(q *frame.Request) error {
	all, err := p.Places.ListPlaces(q.R.Context())
	if err != nil {
		return err
	}
	f, own := empty(q.Now), p.own(q, all)
	for n := range f.Texts { // who warns: the district, by its name
		f.Texts[n].From = drawing.NameIn(all, own, f.Texts[n].Language)
	}
	c, err := p.page(q, f)
	if err != nil {
		return err
	}
	c.Fresh = true
	return q.Show("compose", c)
}

// own is the place that is the whole district; "" where it is not among the places.
func (p pages) own(q *frame.Request, all []wire.Place) string {
	s, err := p.Status.Status(q.R.Context(), false)
	if err != nil || !slices.ContainsFunc(all, func(place wire.Place) bool { return place.Path == s.District }) {
		return ""
	}
	return s.District
}

// try does what a form asks for that sends nothing: count, one more language, back to the form, or the
// check.
func (p pages) try(q *frame.Request) error {
	f, check := draft(q)
	switch {
	case check:
		return p.check(q, f)
	case q.Form("do") == "count":
		return p.count(q, f)
	}
	if language := q.Form("add"); language != "" {
		all, err := p.Places.ListPlaces(q.R.Context())
		if err != nil {
			return err
		}
		f.add(language, drawing.NameIn(all, p.own(q, all), language))
	}
	c, err := p.page(q, f)
	if err != nil {
		return err
	}
	return q.Show("compose", c)
}

// draft is the form where nothing is sent yet, and whether it is to be checked: as it is, or as another
// message with the same words, because the times of this one are old.
func draft(q *frame.Request) (f form, check bool) {
	f = formOf(q)
	switch q.Form("do") {
	case "renew":
		f.ID, f.At = newID(), stamp(q.Now)
		return f, true
	case "check":
		return f, true
	}
	return f, false
}

// typed is the form that is sent, which must have been checked before, and whether its word is another one
// than has to be typed.
func typed(q *frame.Request, drill bool) (f form, wrong bool, err error) {
	if f = formOf(q); f.Checked == "" {
		return f, false, wire.Problemf(wire.KindMalformed, "nothing was sent: the form was not checked before").Because(why.Unchecked)
	}
	return f, !view.Typed(q.Form("word"), wordFor(drill)), nil
}

// count says whom it would reach as far as it is filled in.
func (p pages) count(q *frame.Request, f form) error {
	c, err := p.page(q, f)
	if err != nil {
		return err
	}
	all, err := p.Places.ListPlaces(q.R.Context())
	if err != nil {
		return err
	}
	asked := f.filled()
	asked.ID, asked.At, asked.Checked = newID(), stamp(q.Now), stamp(q.Now)
	send, missing, err := asked.send(all)
	var out wire.Outcome
	if err == nil && missing == "" {
		out, err = p.Alerts.PreviewAlert(q.R.Context(), q.By(), send)
	}
	return p.showCount(q, "compose", c, out, missing, err)
}

// showCount shows the form with its counts.
func (p pages) showCount(q *frame.Request, name string, c composePage, out wire.Outcome, missing string, err error) error {
	problem, err := refusal(err)
	switch {
	case err != nil:
		return err
	case problem != nil:
		c.Wrong = q.Said(problem)
	case missing != "":
		c.Needs = []string{q.Lang.T(missing)}
	default:
		var check checkPage
		if err := p.tries(q, &check, out); err != nil {
			return err
		}
		c.Count, c.Waits = check.Tried.Audience, check.Tried.Waits
	}
	return q.Show(name, c)
}

// check shows whom the message reaches and how it looks, or what is missing.
func (p pages) check(q *frame.Request, f form) error {
	f.Checked = stamp(q.Now)
	c, err := p.checkOf(q, f)
	if err != nil {
		return err
	}
	if c != nil {
		return q.Show("compose-check", *c)
	}
	page, err := p.page(q, f)
	if err != nil {
		return err
	}
	for _, key := range f.lacks() {
		page.Needs = append(page.Needs, q.Lang.T(key))
	}
	if err := f.faulty(); err != nil {
		problem, err := refusal(err)
		if err != nil {
			return err
		}
		page.Wrong = q.Said(problem)
	}
	return q.ShowAs(http.StatusUnprocessableEntity, "compose", page)
}

// faulty is why what was typed or attached cannot be sent.
func (f form) faulty() error {
	if _, _, err := f.where(); err != nil {
		return err
	}
	_, err := picture.Resource(f.Picture, "")
	return err
}

// lacks are the keys of texts that say all that is missing.
func (f form) lacks() []string {
	out := f.needs()
	if _, missing, _ := f.where(); missing != "" {
		out = append(out, missing)
	}
	return out
}

// checkBase is the base of a page that shows a message before it is sent: with the style of the form, too,
// because both have the map.
func checkBase(q *frame.Request) frame.Page {
	base := q.Page("compose-check", "glass")
	base.Styles = append(q.Page("compose").Styles, base.Styles[1:]...)
	return base
}

// checkOf makes the page that shows a message before it is sent; nil where something is missing.
func (p pages) checkOf(q *frame.Request, f form) (*checkPage, error) {
	if f.faulty() != nil || len(f.lacks()) > 0 {
		return nil, nil
	}
	all, err := p.Places.ListPlaces(q.R.Context())
	if err != nil {
		return nil, err
	}
	send, _, err := f.send(all)
	if err != nil {
		return nil, err
	}
	c := &checkPage{Page: checkBase(q), Drill: f.Status != "Actual", Fields: f.fields(), Incident: send.Incident, Reason: f.Reason, Screen: p.Screen, Picture: picture.URL(f.Picture)}
	c.Again, c.Path, c.NeedsReason, c.Word = "check", frame.Below+"compose", c.Banner.Level != "good", q.Lang.T(wordFor(c.Drill))
	c.Map, c.Old = f.drawn(all, q.Lang), f.old(q)
	out, err := p.Alerts.PreviewAlert(q.R.Context(), q.By(), send)
	problem, err := refusal(err)
	if err != nil {
		return nil, err
	}
	if problem != nil {
		c.Wrong, c.WrongAlert = q.Said(problem), problem.Alert
		return c, nil
	}
	if err := p.tries(q, c, out); err != nil {
		return nil, err
	}
	var message wire.CAPAlert
	if err := json.Unmarshal(send.Alert, &message); err != nil {
		return nil, err
	}
	body := looksOf(message, "", textOf)
	body.Sent = f.sent()
	if err := c.Tried.shown(q, out.Look, body); err != nil {
		return nil, err
	}
	before, err := p.before(q, f, send.Incident)
	if before != nil && !out.Duplicate {
		c.Tried.BeforeID, c.Tried.Before = before.ID, q.Lang.T("compose.before", before.Author, q.DayTime(before.Sent))
	}
	return c, err
}

// textOf is one info block as devices show it.
func textOf(i wire.CAPInfo) wire.MessageText {
	t := wire.MessageText{
		Language: i.Language, Event: i.Event, Headline: i.Headline, Description: i.Description, Instruction: i.Instruction, Contact: i.Contact, SenderName: i.SenderName,
		Urgency: i.Urgency, Severity: i.Severity, Certainty: i.Certainty, Areas: []string{},
	}
	t.Onset, _ = time.Parse("2006-01-02T15:04:05-00:00", i.Onset)
	t.Expires, _ = time.Parse("2006-01-02T15:04:05-00:00", i.Expires)
	for _, a := range i.Area {
		t.Areas = append(t.Areas, a.AreaDesc)
	}
	return t
}

func wordFor(drill bool) string {
	if drill {
		return "fire.word.drill"
	}
	return "fire.word.live"
}

// before is an alert that is not over for the same incident, and is another one than this form's.
func (p pages) before(q *frame.Request, f form, incident string) (*wire.Alert, error) {
	if f.Another || incident == "" {
		return nil, nil
	}
	open, _, err := p.Reader.ListAlerts(q.R.Context(), wire.AlertQuery{Open: true, Limit: mostOpen})
	if err != nil {
		return nil, err
	}
	for i, a := range open {
		if a.Incident == incident && a.Status == f.Status && !strings.Contains(a.Key, ","+f.ID+",") {
			return &open[i], nil
		}
	}
	return nil, nil
}

// alone waits until nobody else is sending here, so that of two people who press at once one is told of the
// other's alert.
func (p pages) alone(q *frame.Request) (done func(), err error) {
	select {
	case p.sending <- struct{}{}:
		return func() { <-p.sending }, nil
	case <-q.R.Context().Done():
		return nil, wire.Problemf(wire.KindBusy, "nothing was sent: others are sending at this very moment; press again").Because(why.OthersSend)
	}
}

// mostOpen is among how many alerts that are not over the incident is looked for.
const mostOpen = 500

// send sends the message that was checked when the word is the right one. Of two people who press at
// once for one incident, the first one warns; the other one is told whose alert stands.
func (p pages) send(q *frame.Request) error {
	f, wrong, err := typed(q, q.Form("status") != "Actual")
	if err != nil {
		return err
	}
	c, err := p.checkOf(q, f)
	if err != nil {
		return err
	}
	if c == nil {
		return p.check(q, f)
	}
	if c.WordWrong = wrong; wrong || c.Old {
		return q.ShowAs(http.StatusUnprocessableEntity, "compose-check", *c)
	}
	all, err := p.Places.ListPlaces(q.R.Context())
	if err != nil {
		return err
	}
	send, _, err := f.send(all)
	if err != nil {
		return err
	}
	done, err := p.alone(q)
	if err != nil {
		return err
	}
	defer done()
	before, err := p.before(q, f, send.Incident)
	if err != nil {
		return err
	}
	if before != nil {
		return &wire.Problem{Kind: wire.KindConflict, Alert: before.ID, Sentence: fmt.Sprintf(
			"nothing was sent: %s has sent an alert for this already, at %s; look at it, and update it if yours says more", before.Author, q.DayTime(before.Sent)), Why: why.Why{Reason: why.SentAlready, With: []any{before.Author, before.Sent}}}
	}
	out, err := p.Alerts.SendAlert(q.R.Context(), q.By(), send, wire.WaitLocal)
	if err != nil {
		return err
	}
	return q.To(fmt.Sprintf("%s?effect=%s&again=%t", view.PathOf(out.Alert), out.Effect, out.Duplicate))
}
