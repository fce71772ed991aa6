package frame

import (
	"strings"
	"time"

	"almenara/node/wire"
	"almenara/node/wire/why"
)

// Said is what the node says to a person, and in which language where that is not the page's own. Detail
// is what it says of the one case besides, in English.
type Said struct{ Text, Tag, Detail string }

// Said is why something was refused, in the person's language where the reason has a text, and else the
// node's sentence, in English.
func (q *Request) Said(p *wire.Problem) Said {
	if p == nil {
		return Said{}
	}
	if key := "why." + string(p.Why.Reason); q.Lang.Has(key) {
		with, detail := q.filled(p.Why.With)
		return Said{Text: q.Lang.T(key, with...), Detail: detail}
	}
	if q.Lang.Tag == "en" {
		return Said{Text: p.Sentence}
	}
	return Said{Text: p.Sentence, Tag: "en"}
}

// filled are the values of a reason as the person reads them, and the sentence of an error among them.
func (q *Request) filled(with []any) (out []any, detail string) {
	out = make([]any, len(with))
	for i, v := range with {
		switch v := v.(type) {
		case time.Time:
			out[i] = q.DayTime(v)
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

// clip keeps what somebody else wrote from filling the page.
func clip(text string) string {
	if letters := []rune(text); len(letters) > 200 {
		return string(letters[:200]) + "…"
	}
	return text
}
