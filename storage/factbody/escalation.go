package factbody

import "almenara/storage/audience"

// EscalationsSince is the first version of commands that knows Issue.Escalation and Issue.Remind, and
// follow-ups that call a group or take back that members were told.
const EscalationsSince = 9

// The bounds of an escalation.
const (
	MaxGroups         = 8    // with the first one
	MaxEscalationWait = 1440 // minutes
	MaxNeeded         = 1000 // answers
)

// Escalation says that a message is for one group after the other: the first one is whom Issue.Targets
// address, and the next one is called where too few have answered in time.
type Escalation struct {
	Answers uint32   `cbor:"1,keyasint"` // how many members must have answered that they come or have understood; 1 at least
	Minutes uint32   `cbor:"2,keyasint"` // that a group has before the next one is called; 1 at least
	Groups  []string `cbor:"3,keyasint"` // selections of the groups after the first, each kept to what its author may warn
	// Called is how many of Groups are called from the start: those that the message had called whose place
	// this one takes.
	Called uint32 `cbor:"4,keyasint,omitempty"`
}

// beyond reports whether it says what none may say. Nil says nothing.
func (e *Escalation) beyond() bool {
	if e == nil {
		return false
	}
	for _, g := range e.Groups {
		if g == "" || len(g) > audience.MaxSelectionBytes {
			return true
		}
	}
	return e.Answers < 1 || e.Answers > MaxNeeded || e.Minutes < 1 || e.Minutes > MaxEscalationWait ||
		len(e.Groups) < 1 || len(e.Groups) > MaxGroups-1 || int(e.Called) > len(e.Groups)
}

// Targets adds to those of the first group those of the first called ones of Groups: after all targets of
// one group, in the order of the info blocks, come those of the next. Nil adds nothing.
func (e *Escalation) Targets(first []audience.Target, called int) []audience.Target {
	if e == nil {
		return first
	}
	called = min(max(called, int(e.Called)), len(e.Groups))
	out := first[:len(first):len(first)]
	for _, group := range e.Groups[:called] {
		for _, t := range first {
			t.Select = group
			out = append(out, t)
		}
	}
	return out
}

// Everybody is Targets of all groups, whether they are called or not.
func (e *Escalation) Everybody(first []audience.Target) []audience.Target {
	if e == nil {
		return first
	}
	return e.Targets(first, len(e.Groups))
}
