package compose

import (
	"net/http"
	"slices"
	"strconv"
	"time"

	"almenara/node/authority"
	"almenara/node/web/console/frame"
	"almenara/node/web/console/view"
	"almenara/node/wire"
	"almenara/node/wire/why"
)

// standing is an alert with what it says now.
type standing struct {
	alert wire.Alert
	texts []wire.MessageText // one of each language
}

// version names what stands, and what waits to take its place: who changes an alert changes that which
// the page showed, and no other.
func (s standing) version() string {
	return strconv.FormatUint(s.alert.Revision, 10) + "-" + strconv.Itoa(s.alert.Waiting)
}

// standing reads the alert that the path names.
func (p pages) standing(q *frame.Request) (standing, error) {
	a, err := p.Reader.ShowAlert(q.R.Context(), q.R.PathValue("id"))
	if err != nil {
		return standing{}, err
	}
	authority.MinimalAlert(q.By(), &a)
	s := standing{alert: a}
	if a.State.Over() {
		return s, wire.Problemf(wire.KindRefused, "the alert is over, so there is nothing to change; send a new one").Because(why.AlertOver)
	}
	var says wire.Message
	for _, m := range a.Messages {
		if len(m.Texts) > 0 && (!m.Pending || len(says.Texts) == 0) {
			says = m
		}
	}
	for _, t := range says.Texts {
		if !slices.ContainsFunc(s.texts, func(known wire.MessageText) bool { return known.Language == t.Language }) {
			s.texts = append(s.texts, t)
		}
	}
	if len(s.texts) == 0 {
		return s, wire.Problemf(wire.KindRefused, "what the alert says is not known at this node, so it cannot be changed here").Because(why.NotHereYet)
	}
	return s, nil
}

// form is the alert as a form: all that it says, and where it is kept.
func (s standing) form(now time.Time) form {
	first := s.texts[0]
	f := form{ID: newID(), At: stamp(now), Status: s.alert.Status, Hazard: "other", Urgency: first.Urgency, Severity: first.Severity, Certainty: first.Certainty, Stands: s.version()}
	for n, t := range s.texts {
		f.Texts = append(f.Texts, text{N: n, Language: t.Language, Name: view.LanguageName(t.Language), Event: t.Event, Headline: t.Headline, Description: t.Description, Instruction: t.Instruction})
	}
	return f
}

// StandsFor are the areas that the alert names now, each once.
func (c composePage) StandsFor() (out []string) {
	for _, t := range c.Standing {
		for _, area := range t.Areas {
			if !slices.Contains(out, area) {
				out = append(out, area)
			}
		}
	}
	return out
}

// updateOf is the page of a form that changes the alert.
func (p pages) updateOf(q *frame.Request, s standing, f form) (composePage, error) {
	c, err := p.page(q, f)
	if err != nil {
		return c, err
	}
	base := q.Page("update")
	c.Page.Title, c.Page.Nav = base.Title, base.Nav // style and script are those of the other form
	c.Path, c.Alert, c.Standing = q.Inside(view.PathOf(s.alert.ID, "update")), s.alert.ID, s.texts
	c.Lasting = append([]choice{{"", q.Lang.T("update.keep.end", q.DayTime(s.alert.Expires)), f.Lasts == ""}}, c.Lasting...)
	return c, nil
}

func (p pages) updatePage(q *frame.Request) error {
	s, err := p.standing(q)
	if err != nil {
		return err
	}
	c, err := p.updateOf(q, s, s.form(q.Now))
	if err != nil {
		return err
	}
	c.Fresh = true
	return q.Show("update", c)
}

// tryUpdate does what the form asks for that sends nothing.
func (p pages) tryUpdate(q *frame.Request) error {
	s, err := p.standing(q)
	if err != nil {
		return err
	}
	f, check := draft(q)
	if check {
		return p.checkUpdate(q, s, f, nil)
	}
	c, err := p.updateOf(q, s, f)
	if err != nil {
		return err
	}
	if q.Form("do") != "count" {
		return q.Show("update", c)
	}
	f.Checked = stamp(q.Now)
	in, missing, err := p.change(q, s, f)
	var out wire.Outcome
	if err == nil && missing == "" {
		in.DryRun = true
		if len(in.Areas) == 0 { // nothing of it is new: the same people
			in.Expires = s.alert.Expires
		}
		out, err = p.Alerts.UpdateAlert(q.R.Context(), q.By(), s.alert.ID, in, wire.WaitLocal)
	}
	return p.showCount(q, "update", c, out, missing, err)
}

// change is what the form says otherwise than the alert.
func (p pages) change(q *frame.Request, s standing, f form) (in wire.UpdateAlert, missing string, err error) {
	in.Reason = f.Reason
	for _, t := range f.Texts {
		at := slices.IndexFunc(s.texts, func(known wire.MessageText) bool { return known.Language == t.Language })
		if at < 0 {
			continue
		}
		was, change := s.texts[at], wire.CorrectText{Language: t.Language}
		change.Headline = other(t.Headline, was.Headline)
		change.Description = other(t.Description, was.Description)
		change.Instruction = other(t.Instruction, was.Instruction)
		if change.Headline != nil || change.Description != nil || change.Instruction != nil {
			in.Texts = append(in.Texts, change)
		}
	}
	first := s.texts[0]
	for _, one := range []struct {
		into     *string
		is, was  string
		possible []string
	}{{&in.Urgency, f.Urgency, first.Urgency, urgencies}, {&in.Severity, f.Severity, first.Severity, view.Severities}, {&in.Certainty, f.Certainty, first.Certainty, view.Certainties}} {
		if one.is != one.was && slices.Contains(one.possible, one.is) {
			*one.into = one.is
		}
	}
	if lasts, known := minutesOf(f.Lasts, lasting); known {
		in.Expires = f.checked().Add(lasts)
	}
	if f.By == "" {
		return in, "", nil
	}
	w, missing, err := f.where()
	if missing != "" || err != nil {
		return in, missing, err
	}
	all, err := p.Places.ListPlaces(q.R.Context())
	if err != nil {
		return in, "", err
	}
	for _, t := range s.texts {
		in.Areas = append(in.Areas, wire.UpdateAreas{Language: t.Language, Area: w.areas(f, t.Language, all)})
	}
	if in.Select = w.Select; in.Select == "" {
		in.Select = "all" // the drawing alone says where
	}
	return in, "", nil
}

// other is the text where it is another one than before.
func other(is, was string) *string {
	if is == was {
		return nil
	}
	return &is
}

// checkUpdate shows what the update changes, or what is missing.
func (p pages) checkUpdate(q *frame.Request, s standing, f form, mark func(*checkPage)) error {
	if mark == nil {
		f.Checked = stamp(q.Now)
	}
	in, missing, err := p.change(q, s, f)
	problem, err := refusal(err)
	if err != nil {
		return err
	}
	if missing != "" || problem != nil || in.Empty() {
		c, err := p.updateOf(q, s, f)
		if err != nil {
			return err
		}
		switch {
		case problem != nil:
			c.Wrong = q.Said(problem)
		case missing != "":
			c.Needs = []string{q.Lang.T(missing)}
		default:
			c.Needs = []string{q.Lang.T("update.same")}
		}
		return q.ShowAs(http.StatusUnprocessableEntity, "update", c)
	}
	c, err := p.changes(q, s, f, in)
	if err != nil {
		return err
	}
	if mark != nil {
		mark(c)
		return q.ShowAs(http.StatusUnprocessableEntity, "compose-check", *c)
	}
	return q.Show("compose-check", *c)
}

// changes makes the page that shows an update before it is sent.
func (p pages) changes(q *frame.Request, s standing, f form, in wire.UpdateAlert) (*checkPage, error) {
	all, err := p.Places.ListPlaces(q.R.Context())
	if err != nil {
		return nil, err
	}
	c := &checkPage{Page: checkBase(q), Alert: s.alert.ID, Drill: s.alert.Status != "Actual", Fields: f.fields(), Reason: f.Reason, Screen: p.Screen}
	c.Title, c.Again, c.Path, c.NeedsReason = q.Lang.T("update.check"), "check", q.Inside(view.PathOf(s.alert.ID, "update")), c.Banner.Level != "good"
	c.Word, c.Map, c.Old = q.Lang.T(wordFor(c.Drill)), f.drawn(all, q.Lang), f.old(q)
	in.DryRun = true
	out, err := p.Alerts.UpdateAlert(q.R.Context(), q.By(), s.alert.ID, in, wire.WaitLocal)
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
	return c, c.Tried.shown(q, out.Look, s.after(f, in, q.Now))
}

// after is what the alert says once it is changed.
func (s standing) after(f form, in wire.UpdateAlert, now time.Time) view.GlassBody {
	body := view.GlassBody{Sent: now}
	for _, t := range s.texts {
		for _, is := range f.Texts {
			if is.Language == t.Language {
				t.Headline, t.Description, t.Instruction = is.Headline, is.Description, is.Instruction
			}
		}
		for _, a := range in.Areas {
			if a.Language == t.Language {
				t.Areas = nil
				for _, area := range a.Area {
					t.Areas = append(t.Areas, area.AreaDesc)
				}
			}
		}
		t.Urgency, t.Severity, t.Certainty = f.Urgency, f.Severity, f.Certainty
		if !in.Expires.IsZero() {
			t.Expires = in.Expires
		}
		if t.Expires.After(body.Expires) {
			body.Expires = t.Expires
		}
		body.Texts = append(body.Texts, t)
	}
	return body
}

// sendUpdate changes what the page showed. Where that does not stand any more, because somebody else has
// changed it or the same person has pressed twice, nothing is sent.
func (p pages) sendUpdate(q *frame.Request) error {
	done, err := p.alone(q)
	if err != nil {
		return err
	}
	defer done()
	s, err := p.standing(q)
	if err != nil {
		return err
	}
	f, wrong, err := typed(q, s.alert.Status != "Actual")
	if err != nil {
		return err
	}
	if f.Stands != s.version() {
		return &wire.Problem{Kind: wire.KindConflict, Alert: s.alert.ID, Sentence: "nothing was sent: the alert was changed since this page was opened, maybe by your own press; look at what it says now", Why: why.Why{Reason: why.ChangedSince}}
	}
	old := f.old(q)
	in, missing, err := p.change(q, s, f)
	if err != nil {
		return err
	}
	if wrong || old || missing != "" || in.Empty() {
		return p.checkUpdate(q, s, f, func(c *checkPage) { c.WordWrong, c.Old = wrong, old })
	}
	out, err := p.Alerts.UpdateAlert(q.R.Context(), q.By(), s.alert.ID, in, wire.WaitLocal)
	if err != nil {
		return err
	}
	return q.To(view.PathOf(out.Alert) + "?effect=" + string(out.Effect))
}
