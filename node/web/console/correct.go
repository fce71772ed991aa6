package console

import (
	"slices"
	"strconv"
	"strings"

	"almenara/node/web/console/frame"
	"almenara/node/web/console/view"
	"almenara/node/web/console/words"
	"almenara/node/wire"
	"almenara/node/wire/why"
)

// corrected is the effect of a correction that leaves the text of some language as it was.
const corrected = "corrected"

type correctPage struct {
	frame.Page
	Alert  view.Row
	Stands string // the revision whose texts are shown
	Texts  []correctText
}

// correctText is what an alert says in one language, to be changed.
type correctText struct {
	At                                 string // of its fields in the form
	Language, Name                     string // the language's tag, and what it is called in itself
	Headline, Description, Instruction string
}

// textsOf are the texts of an alert that stands, one of each language: the first where there are several,
// because a correction says the same in all of them.
func textsOf(a wire.Alert) (out []correctText) {
	for _, t := range current(a).Texts {
		if slices.ContainsFunc(out, func(c correctText) bool { return c.Language == t.Language }) {
			continue
		}
		out = append(out, correctText{strconv.Itoa(len(out)), t.Language, view.LanguageName(t.Language), t.Headline, t.Description, t.Instruction})
	}
	return out
}

func (c alertPages) correctPage(q *frame.Request) error {
	a, err := whole(c.reader, q)
	if err != nil {
		return err
	}
	p := correctPage{Page: q.Page("correct"), Alert: view.RowOf(q, a), Stands: strconv.FormatUint(a.Revision, 10), Texts: textsOf(a)}
	p.Path = q.Inside(view.PathOf(a.ID, "correct"))
	return q.Show("correct", p)
}

// correct says other words to the same people: those that were typed, or that it was a false alarm. What the person left as it was
// is not sent; where it is not what stands any more it would count as typed, and take another's correction back.
func (c alertPages) correct(q *frame.Request) error {
	a, err := whole(c.reader, q)
	if err != nil {
		return err
	}
	falseAlarm := q.Form("false-alarm") != "" // says the same whatever stands
	if stands := q.Form("stands"); stands != "" && stands != strconv.FormatUint(a.Revision, 10) && !falseAlarm {
		return &wire.Problem{Kind: wire.KindConflict, Alert: a.ID, Sentence: "nothing was sent: the alert was changed since this page was opened, maybe by your own press; look at what it says now", Why: why.Why{Reason: why.ChangedSince}}
	}
	in := wire.CorrectAlert{Reason: q.Form("reason")}
	for _, t := range textsOf(a) {
		change := wire.CorrectText{Language: t.Language}
		if falseAlarm {
			say := words.Pick(t.Language)
			change.Headline, change.Description, change.Instruction = new(say.T("false.headline", t.Headline)), new(say.T("false.description")), new(say.T("false.instruction"))
		} else {
			change.Headline = changed(q, "headline."+t.At, t.Headline)
			change.Description = changed(q, "description."+t.At, t.Description)
			change.Instruction = changed(q, "instruction."+t.At, t.Instruction)
		}
		if change.Headline != nil || change.Description != nil || change.Instruction != nil {
			in.Texts = append(in.Texts, change)
		}
	}
	update := in.Update()
	if update.Empty() {
		return wire.Problemf(wire.KindRefused, "nothing was sent: %s", q.Lang.T("correct.same")).Because(why.InWords, q.Lang.T("correct.same"))
	}
	out, err := c.alerts.UpdateAlert(q.R.Context(), q.By(), a.ID, update, wire.WaitLocal)
	if err != nil {
		return err
	}
	effect := string(out.Effect)
	if out.Effect == wire.EffectWarns && len(in.Texts) < len(textsOf(a)) {
		effect = corrected
	}
	return q.To(view.PathOf(out.Alert) + "?effect=" + effect)
}

// changed is the field of the form, where it is another text than before.
func changed(q *frame.Request, name, before string) *string {
	if text := q.Form(name); q.R.PostForm[name] != nil && lines(text) != lines(before) {
		return &text
	}
	return nil
}

// lines brings the ends of lines, which browsers write as CR LF, to one form.
func lines(text string) string {
	return strings.TrimSpace(strings.ReplaceAll(text, "\r\n", "\n"))
}
