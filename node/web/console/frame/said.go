package frame

import (
	"strings"
	"time"

	"almenara/node/wire"
	"almenara/node/wire/why"
)

// Said is what the node says to a person, and in which language where that is not the page's own.
type Said struct{ Text, Tag string }

// Said is why something was refused, in the person's language where the reason has a text, and else the
// node's sentence, in English.
func (q *Request) Said(p *wire.Problem) Said {
	if p == nil {
		return Said{}
	}
	if p.Why.Reason.Known() {
		return Said{Text: q.Lang.T("why."+string(p.Why.Reason), q.filled(p.Why.With)...)}
	}
	if q.Lang.Tag == "en" {
		return Said{Text: p.Sentence}
	}
	return Said{p.Sentence, "en"}
}

// filled are the values of a reason as the person reads them.
func (q *Request) filled(with []any) []any {
	out := make([]any, len(with))
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
		case string:
			out[i] = clip(v)
		default:
			out[i] = v
		}
	}
	return out
}

// clip keeps what somebody else wrote from filling the page.
func clip(text string) string {
	if letters := []rune(text); len(letters) > 200 {
		return string(letters[:200]) + "…"
	}
	return text
}
