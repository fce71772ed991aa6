package judge

import (
	"errors"
	"fmt"
	"time"

	"almenara/node/wire"
	"almenara/node/wire/why"
	"almenara/storage/alert"
)

// Refusal turns a verdict into the caller's problem: err is why nothing was sent, found all
// that is wrong.
func Refusal(err error, found alert.Findings) error {
	reason := err.Error()
	var rejected *alert.RejectError
	if errors.As(err, &rejected) {
		reason = rejected.Findings.Reason()
	}
	p := wire.Problemf(wire.KindRefused, "nothing was sent: %s", reason).Because(why.NotValid)
	p.Why.Points = Sentences(found)
	p.Details = p.Why.Points.Texts()
	return p
}

// Sentences are the findings for people. Warnings say only what is wrong: whoever shows them
// calls them so.
func Sentences(found alert.Findings) (out why.Sentences) {
	for _, f := range found {
		text := f.Detail
		if f.Level != alert.Warn {
			text = fmt.Sprintf("%s: %s", f.Level, f.Detail)
		}
		s := why.Sentence{Text: text}
		if f.Code != "" {
			s.Why = why.Why{Reason: why.Finding(f.Code), With: values(f.With)}
		}
		out = append(out, s)
	}
	return out
}

// values are what fills a finding's sentence in, as pages can say it.
func values(with []any) []any {
	out := make([]any, len(with))
	for i, v := range with {
		switch v := v.(type) {
		case alert.Place:
			out[i] = why.At(v)
		case alert.DateTime:
			out[i] = v.Time()
		case alert.Span:
			out[i] = time.Duration(v)
		default:
			out[i] = v
		}
	}
	return out
}
