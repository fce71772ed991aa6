package alert

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Level says what a finding does to the message.
type Level int

// The levels. Warn: act on the message and show the flaw. Reject: do not act, and
// answer the sender with a CAP Error.
const (
	Warn Level = iota + 1
	Reject
)

// String is "warn" or "reject".
func (l Level) String() string {
	if l == Reject {
		return "reject"
	}
	return "warn"
}

// MarshalText writes the level's word.
func (l Level) MarshalText() ([]byte, error) { return []byte(l.String()), nil }

// Finding is one flaw of a message.
type Finding struct {
	Level  Level  `json:"level"`
	Rule   string `json:"rule"`   // stable kebab-case id, safe as a metric label
	Detail string `json:"detail"` // one sentence for people, without a full stop

	// Code names the sentence, so that it can be said in other languages: the rule, except where that has
	// several sentences, or one sentence is of several rules. With is what fills it in, in order.
	Code string `json:"-"`
	With []any  `json:"-"`
}

// As names the sentence otherwise than by its rule and its values, and returns the finding; of nil it does nothing.
func (f *Finding) As(code string, with ...any) *Finding {
	if f != nil {
		f.Code, f.With = code, slices.Clone(with)
	}
	return f
}

// Place is where in a message a finding is: the numbers of its blocks, from 1; 0 is none.
type Place struct{ Info, Area, Resource int }

// String is how sentences begin that are about the place; "" of the whole message.
func (p Place) String() string {
	switch {
	case p.Area > 0:
		return fmt.Sprintf("info %d area %d: ", p.Info, p.Area)
	case p.Resource > 0:
		return fmt.Sprintf("info %d resource %d: ", p.Info, p.Resource)
	case p.Info > 0:
		return fmt.Sprintf("info %d: ", p.Info)
	default:
		return ""
	}
}

// Span is a duration in a sentence.
type Span time.Duration

// String writes it as people say it.
func (s Span) String() string {
	const day = 24 * time.Hour
	switch d := time.Duration(s).Round(time.Second); {
	case d > MaxOnset:
		return "more than a year"
	case d >= 2*day:
		return fmt.Sprintf("%d days", d/day)
	case d >= time.Hour:
		return fmt.Sprintf("%d h %d min", d/time.Hour, d%time.Hour/time.Minute)
	case d >= time.Minute:
		return fmt.Sprintf("%d min %d s", d/time.Minute, d%time.Minute/time.Second)
	default:
		return fmt.Sprintf("%d s", d/time.Second)
	}
}

// Findings are the flaws of one message in the order in which they were found, at
// most maxFindings of them.
type Findings []Finding

// MaxFindings bounds what a hostile message can make us write.
const MaxFindings = 100

// Verdict is the outcome of checking a message.
type Verdict string

// The verdicts, from best to worst.
const (
	VerdictAccept Verdict = "accept"
	VerdictWarn   Verdict = "warn"
	VerdictReject Verdict = "reject"
)

// Verdict is reject with any Reject finding, else warn with any finding, else accept.
func (f Findings) Verdict() Verdict {
	switch {
	case f.Rejected():
		return VerdictReject
	case len(f) > 0:
		return VerdictWarn
	default:
		return VerdictAccept
	}
}

// Rejected reports whether any finding has level Reject.
func (f Findings) Rejected() bool {
	for _, one := range f {
		if one.Level == Reject {
			return true
		}
	}
	return false
}

// Has reports whether the rule was broken.
func (f Findings) Has(rule string) bool {
	for _, one := range f {
		if one.Rule == rule {
			return true
		}
	}
	return false
}

// Reason is the verdict's cause in one line: the first finding of the deciding
// level, and how many more there are of it. It is empty for accept.
func (f Findings) Reason() string {
	level, first, more := Warn, "", -1
	if f.Rejected() {
		level = Reject
	}
	for _, one := range f {
		if one.Level != level {
			continue
		}
		if more++; more == 0 {
			first = one.Rule + ": " + one.Detail
		}
	}
	if more > 0 {
		first += fmt.Sprintf(" (and %d more)", more)
	}
	return OneLine(first)
}

// OddTime warns of a time that CAP does not write so.
func (f *Findings) OddTime(name, text string, d DateTime) {
	f.Add(Warn, "time-form", "%s %q has Z or a fraction of a second, which CAP 1.2 does not allow; it is read as %s", name, Clip(text), d)
}

// Add keeps the finding; once the list is full only a first Reject displaces. Its code is the rule and its
// values are args, unless As says otherwise of what is returned; nil where it is not kept.
func (f *Findings) Add(level Level, rule, format string, args ...any) *Finding {
	full := len(*f) == MaxFindings
	if full && (level == Warn || f.Rejected()) {
		return nil
	}
	one := Finding{Level: level, Rule: rule, Detail: fmt.Sprintf(format, args...), Code: rule, With: slices.Clone(args)} // cloned: the list of a finding that is not kept costs nothing
	if full {
		(*f)[MaxFindings-1] = one
	} else {
		*f = append(*f, one)
	}
	return &(*f)[len(*f)-1]
}

// ErrRejected is what every *RejectError is: the message must not be acted on.
var ErrRejected = errors.New("rejecting alert")

// RejectError is returned for a message that must not be acted on.
type RejectError struct {
	Findings Findings

	// Key is what could be read of the message's identity, for the CAP Error that
	// goes back to the sender. Any part of it may be missing; see Key.Complete.
	Key Key
}

// Error names the deciding finding.
func (e *RejectError) Error() string {
	return ErrRejected.Error() + ": " + e.Findings.Reason()
}

// Is makes errors.Is(err, ErrRejected) true.
func (e *RejectError) Is(target error) bool { return target == ErrRejected }

// VerdictError is nil unless f rejects.
func VerdictError(f Findings, key Key) error {
	if !f.Rejected() {
		return nil
	}
	return &RejectError{Findings: f, Key: key}
}

// Clip shortens s for a message to people.
func Clip(s string) string {
	const most = 60
	runes := 0
	for i := range s {
		if runes++; runes > most {
			return s[:i] + "…"
		}
	}
	return s
}

// OneLine replaces tabs, line breaks and other control characters by spaces.
func OneLine(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r == 0x85 || r == 0x2028 || r == 0x2029 {
			return ' '
		}
		return r
	}, s)
}
