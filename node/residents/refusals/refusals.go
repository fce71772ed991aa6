// Package refusals says why a resident is refused something. It never imports another room but wire.
package refusals

import "almenara/node/wire"

// Reason says why a resident is refused something. Pages have a sentence for each, in their languages.
type Reason string

// The reasons.
const (
	BadLink   Reason = "bad-link"  // no node has made this link, or it was changed
	TooOld    Reason = "too-old"   // the link is too old: screens show another one
	Removed   Reason = "removed"   // the node that made it belongs to the district no more
	NoPlace   Reason = "no-place"  // the place of the link is not known here
	Over      Reason = "over"      // the alert is over, or is not known here
	Elsewhere Reason = "elsewhere" // the alert does not concern the place any more
	NotAsked  Reason = "not-asked" // the alert asks nobody for that
	Empty     Reason = "empty"     // a photo was asked for, and there is none
	BadPhoto  Reason = "bad-photo" // the photo cannot be taken
	TooMany   Reason = "too-many"  // so many answered that no more are taken now
	NoHelp    Reason = "no-help"   // the same, of a request for help
	NotReady  Reason = "not-ready" // the node cannot take answers now
	NoVisits  Reason = "no-visits" // the phone has checked in nowhere that the alert is about
	CodeOld   Reason = "code-old"  // the code of the place is out of date, or not of this district
)

// kinds says which sort of problem each reason is.
var kinds = map[Reason]wire.Kind{
	BadLink: wire.KindNotFound, TooOld: wire.KindRefused, Removed: wire.KindRefused, NoPlace: wire.KindNotFound, Over: wire.KindNotFound,
	Elsewhere: wire.KindRefused, NotAsked: wire.KindRefused, Empty: wire.KindMalformed, BadPhoto: wire.KindRefused, TooMany: wire.KindOverBudget, NoHelp: wire.KindOverBudget,
	NotReady: wire.KindNotReady, NoVisits: wire.KindNotFound, CodeOld: wire.KindRefused,
}

// Reasons lists every reason, for tests of what has a sentence for each.
func Reasons() (all []Reason) {
	for r := range kinds {
		all = append(all, r)
	}
	return all
}

// Refused is the error of whatever a resident is refused.
type Refused struct {
	Why        Reason
	RetryAfter int // seconds; 0: not told
}

// Error implements error.
func (r *Refused) Error() string { return "a resident was refused: " + string(r.Why) }

// Kind is which sort of problem it is.
func (r *Refused) Kind() wire.Kind { return kinds[r.Why] }

// Refuse is the error of that reason.
func Refuse(why Reason) error { return &Refused{Why: why} }

// Many is the error of an answer for which there is no room for so many seconds; who needs help is told so in words of
// its own.
func Many(help bool, seconds int) error {
	if help {
		return &Refused{Why: NoHelp, RetryAfter: seconds}
	}
	return &Refused{Why: TooMany, RetryAfter: seconds}
}
