// Package said is what a node says, in the language of who reads it: sentences with their reasons (wire/why) and
// errors with their codes (storage/coded), by the texts of console/words. It knows no page and no request.
package said

import (
	"cmp"
	"errors"
	"strings"
	"time"

	"almenara/node/web/console/words"
	"almenara/node/wire"
	"almenara/node/wire/why"
	"almenara/storage/coded"
)

// Reader is in which language, and in which zone times are said.
type Reader struct {
	Lang *words.Language
	Zone *time.Location
}

// Point is one thing that is said, with the tag of its language where that is not the reader's. Detail is what
// is said of the one case besides, likewise.
type Point struct{ Text, Tag, Detail, DetailTag string }

// Say is one sentence of the node; the zero value of none.
func (r Reader) Say(s why.Sentence) Point {
	if s.Text == "" && s.Why.Reason == "" {
		return Point{}
	}
	return r.Because(s.Text, s.Why)
}

// Sentences are several, likewise.
func (r Reader) Sentences(all why.Sentences) (out []Point) {
	for _, s := range all {
		out = append(out, r.Say(s))
	}
	return out
}

// Because is a reason, or the sentence, which is English, where the reason has no text.
func (r Reader) Because(sentence string, is why.Why) (out Point) {
	if key := "why." + string(is.Reason); r.Lang.Has(key) {
		with, tag, detail := r.filled(key, is.With)
		return Point{r.Lang.T(key, with...), tag, detail.Text, detail.Tag}
	}
	if out.Text = sentence; r.Lang.Tag != "en" {
		out.Tag = "en"
	}
	return out
}

// Error is the sentence of an error, in the reader's language where it has a code or a reason, and else in
// English.
func (r Reader) Error(err error) Point {
	if p, is := errors.AsType[*wire.Problem](err); is {
		return r.Because(p.Sentence, p.Why)
	}
	if found := coded.Find(err); found != nil {
		code, values := found.Saying()
		if key := "error." + code; r.Lang.Has(key) {
			with, tag, _ := r.filled(key, values)
			return Point{Text: r.Lang.T(key, with...), Tag: tag}
		}
	}
	return Point{Text: clip(err.Error()), Tag: "en"}
}

// filled are the values as the person reads them. An error among them that the text has no place for is said
// behind it, as the detail; tag is "en" where one that it has a place for is said in English.
func (r Reader) filled(key string, with []any) (out []any, tag string, detail Point) {
	out = make([]any, len(with))
	for i, v := range with {
		var point Point
		switch v := v.(type) {
		case error:
			point = r.Error(v)
		case []error:
			point = r.several(v)
		default:
			out[i] = r.value(v)
			continue
		}
		switch out[i] = point.Text; {
		case !r.Lang.Takes(key, i):
			detail = point
		case point.Tag != "" && r.Lang.Tag != "en":
			tag = point.Tag
		}
	}
	return out, tag, detail
}

// several are the sentences of errors, in one.
func (r Reader) several(all []error) (out Point) {
	for i, err := range all {
		point := r.Error(err)
		if i > 0 {
			out.Text += r.Lang.T("errors.and")
		}
		out.Text += point.Text
		out.Tag = cmp.Or(out.Tag, point.Tag)
	}
	return out
}

// value is one value that is no error.
func (r Reader) value(v any) any {
	switch v := v.(type) {
	case time.Time:
		return r.Time(v)
	case time.Duration:
		return r.Lang.Span(v)
	case why.At:
		return r.at(v)
	case why.Sentence:
		return r.Say(v).Text
	case why.Words:
		var texts []string
		for _, value := range v.Values {
			texts = append(texts, r.Lang.Or(v.Of, value))
		}
		return strings.Join(texts, " / ")
	case coded.Word:
		return r.Lang.Or("word.", string(v))
	case coded.Kind:
		return r.Lang.Or("kind.", string(v))
	case string:
		return clip(v)
	}
	return v
}

// Time is a day and a time in the zone, which it names; a dash of the zero time.
func (r Reader) Time(t time.Time) string { return Stamp(t, r.Zone, "2006-01-02 15:04 MST") }

// Stamp is a time in a form; a dash of the zero time.
func Stamp(t time.Time, zone *time.Location, form string) string {
	if t.IsZero() {
		return "–"
	}
	return t.In(zone).Format(form)
}

// at is how a sentence begins that is about a place in a message.
func (r Reader) at(at why.At) string {
	switch {
	case at.Area > 0:
		return r.Lang.T("at.area", at.Info, at.Area)
	case at.Resource > 0:
		return r.Lang.T("at.file", at.Info, at.Resource)
	case at.Info > 0:
		return r.Lang.T("at.text", at.Info)
	}
	return ""
}

// clip keeps what somebody else wrote from filling the page.
func clip(text string) string {
	if letters := []rune(text); len(letters) > 200 {
		return string(letters[:200]) + "…"
	}
	return text
}
