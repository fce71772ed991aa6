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
	reason := err.Error()
	var rejected *alert.RejectError
	if errors.As(err, &rejected) {
		reason = rejected.Findings.Reason()
	}
	p := wire.Problemf(wire.KindRefused, "nothing was sent: %s", reason).Because(why.NotValid, errors.New(reason))
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
