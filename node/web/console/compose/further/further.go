// Package further is the part of the form of an alert about what nodes do by themselves after it was sent:
// remind people, and call one group after the other. What it may be is decided elsewhere.
package further

import (
	"strconv"
	"strings"

	"almenara/node/wire"
	"almenara/node/wire/acts"
	"almenara/node/wire/why"
)

// Fields are what was typed.
type Fields struct {
	Remind          string // minutes; "" or 0: never
	Needed, Minutes string // answers, and how long each group has
	Then            string // selections of the further groups, one a line
}

// Of reads them.
func Of(get func(string) string) Fields {
	return Fields{Remind: get("remind"), Needed: get("needed"), Minutes: get("within"), Then: get("then")}
}

// Given reports whether anything is asked for.
func (f Fields) Given() bool { return f.Then != "" || f.Remind != "" && f.Remind != "0" }

// Pairs are what Of reads again as the same, as the fields of a form.
func Pairs[Field ~struct{ Name, Value string }](f Fields) (out []Field) {
	for _, one := range []struct{ Name, Value string }{{"remind", f.Remind}, {"needed", f.Needed}, {"within", f.Minutes}, {"then", f.Then}} {
		if one.Value != "" {
			out = append(out, Field(one))
		}
	}
	return out
}

// Into adds them to an alert. What is no number is refused as one beyond the bounds is.
func (f Fields) Into(out *wire.SendAlert) error {
	minutes, err := number(f.Remind)
	if err != nil {
		return wire.Problemf(wire.KindMalformed, "the minutes between reminders are a number").Because(why.RemindMinutes, mostMinutes)
	}
	if out.RemindMinutes = minutes; f.Then == "" {
		return nil
	}
	out.Escalate = &acts.Escalate{}
	if out.Escalate.Answers, err = number(f.Needed); err != nil {
		return wire.Problemf(wire.KindMalformed, "the answers that are needed are a number").Because(why.AnswersNeeded, mostAnswers)
	}
	if out.Escalate.Minutes, err = number(f.Minutes); err != nil {
		return wire.Problemf(wire.KindMalformed, "the minutes that a group has are a number").Because(why.GroupMinutes, mostMinutes)
	}
	for line := range strings.Lines(f.Then) {
		if group := strings.TrimSpace(line); group != "" {
			out.Escalate.Groups = append(out.Escalate.Groups, group)
		}
	}
	return nil
}

// What is said where something is no number; the node says the same of one that is too large.
const (
	mostMinutes = 1440
	mostAnswers = 1000
)

func number(text string) (int, error) {
	if text == "" {
		return 0, nil
	}
	return strconv.Atoi(text)
}
