package frame

import (
	"strings"
	"time"

	"almenara/node/wire"
	"almenara/node/wire/why"
)

// Said is what the node says to a person, and in which language where that is not the page's own. Detail
// is what it says of the one case besides, in English, and Points are all that is wrong, where that is more
// than one thing.
type Said struct {
	Text, Tag, Detail string
	Points            []Point
}

// Point is one of several things that the node says, likewise.
type Point struct{ Text, Tag, Detail string }

// Said is why something was refused, in the person's language where the reason has a text, and else the
// node's sentence, in English.
func (q *Request) Said(p *wire.Problem) Said {
	if p == nil {
		return Said{}
	}
	is := q.point(p.Sentence, p.Why)
	return Said{is.Text, is.Tag, is.Detail, q.Sentences(p.Why.Points)}
}

// Sentences are what is pointed out to a person, likewise.
func (q *Request) Sentences(all why.Sentences) (out []Point) {
	for _, s := range all {
		out = append(out, q.point(s.Text, s.Why))
	}
	return out
}

func (q *Request) point(sentence string, is why.Why) (out Point) {
	if key := "why." + string(is.Reason); q.Lang.Has(key) {
		with, detail := q.filled(is.With)
		out.Text, out.Detail = q.Lang.T(key, with...), detail
		return out
	}
	if out.Text = sentence; q.Lang.Tag != "en" {
		out.Tag = "en"
	}
	return out
}

// filled are the values of a reason as the person reads them, and the sentence of an error among them.
func (q *Request) filled(with []any) (out []any, detail string) {
	out = make([]any, len(with))
	for i, v := range with {
		switch v := v.(type) {
		case time.Time:
			out[i] = q.DayTime(v)
		case time.Duration:
			out[i] = q.Lang.Span(v)
		case why.At:
			out[i] = q.at(v)
		case why.Words:
			var texts []string
			for _, value := range v.Values {
				texts = append(texts, q.Lang.Or(v.Of, value))
			}
			out[i] = strings.Join(texts, " / ")
		case error:
			detail = clip(v.Error())
		case string:
			out[i] = clip(v)
		default:
			out[i] = v
		}
	}
	return out, detail
}

// at is how a sentence begins that is about a place in a message.
func (q *Request) at(at why.At) string {
	switch {
	case at.Area > 0:
		return q.Lang.T("at.area", at.Info, at.Area)
	case at.Resource > 0:
		return q.Lang.T("at.file", at.Info, at.Resource)
	case at.Info > 0:
		return q.Lang.T("at.text", at.Info)
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
