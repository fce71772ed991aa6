package judge

import (
	"errors"
	"fmt"

	"almenara/node/wire"
	"almenara/node/wire/why"
	"almenara/storage/alert"
)

// Refusal turns a verdict into the caller's problem: err is why nothing was sent, found all
// that is wrong.
func Refusal(err error, found alert.Findings) error {
	p := wire.Problemf(wire.KindRefused, "nothing was sent: %v", err).Because(why.NotValid)
	var rejected *alert.RejectError
	if errors.As(err, &rejected) {
		p.Sentence = "nothing was sent: " + rejected.Findings.Reason()
	}
	p.Details = Sentences(found)
	return p
}

// Sentences are the findings for people. Warnings say only what is wrong: whoever shows them
// calls them so.
func Sentences(found alert.Findings) []string {
	var out []string
	for _, f := range found {
		text := f.Detail
		if f.Level != alert.Warn {
			text = fmt.Sprintf("%s: %s", f.Level, f.Detail)
		}
		out = append(out, text)
	}
	return out
}
