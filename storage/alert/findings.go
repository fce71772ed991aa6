package alert

import (
	"errors"
	"fmt"
	"strings"
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

// Add keeps the finding; once the list is full only a first Reject displaces.
func (f *Findings) Add(level Level, rule, format string, args ...any) {
	full := len(*f) == MaxFindings
	if full && (level == Warn || f.Rejected()) {
		return
	}
	one := Finding{Level: level, Rule: rule, Detail: fmt.Sprintf(format, args...)}
	if full {
		(*f)[MaxFindings-1] = one
		return
	}
	*f = append(*f, one)
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
