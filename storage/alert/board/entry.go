package board

import (
	"cmp"
	"strings"
	"time"

	"almenara/storage/alert"
)

// Entry is what the Board needs to know of one message. The digest stands for
// the content: entries with equal Key and Digest must differ only in Accepted, Fact and
// what EntryOf makes of the first. References must not be modified after Add.
type Entry struct {
	Key        alert.Key
	Digest     string // of the message's content
	MsgType    alert.MsgType
	Status     alert.Status
	References []alert.Key
	Revision   alert.Revision // as RevisionAt the acceptance; of an Update that the board gives, above what it references
	Claimed    alert.Revision // what the message says by itself, under which records are kept
	Sent       time.Time      // as far as it is believed
	Effective  time.Time      // from when it may be shown
	Expires    time.Time      // from when it must not be shown; means nothing for Cancel
	Accepted   time.Time      // when the district took it, by the clock of the node that did
	Fact       string         // id of the fact that carried it

	// Approvals is how many persons besides Author must approve before the message has
	// any effect. Equal content may come in facts that differ in both.
	Approvals int
	Author    string
	// Root joins Alerts: those with one root are one alert, whose id is the root's and
	// whom all of them address. The zero key is none. See IncidentKey.
	Root alert.Key
}

// Approval says that a person stands by what one fact says.
type Approval struct {
	Fact, Digest  string // the Entry's: an approval of other content is none
	By            string
	At            time.Time
	Expires       time.Time // it counts together with approvals given before this
	Reason, Typed string    // for people: why, and who typed it in from a code that By read out
}

// EntryOf makes the entry of a parsed message. Effective is the earliest effective
// of its info blocks, a block without one being effective when sent; Expires is what
// Alert.Expires says. No time is taken beyond what accepted bears out: one that is ahead of
// it gives way to it, and nothing holds longer than MaxLifetime after it. Nor does accepted
// let anything hold longer than the message says: the clock of the node that took it may
// have been ahead by years.
func EntryOf(a *alert.Alert, digest string, accepted time.Time, fact string) Entry {
	accepted = alert.Writable(accepted)
	return Entry{
		Key: a.Key(), Digest: digest, MsgType: a.MsgType, Status: a.Status,
		References: a.References, Revision: a.RevisionAt(accepted), Claimed: a.Revision(),
		Sent: believed(a.Sent.Time(), accepted), Effective: a.EffectiveAt(accepted),
		Expires:  a.ExpiresFrom(alert.Earlier(a.Sent.Time(), accepted)),
		Accepted: accepted, Fact: fact,
	}
}

// shows reports whether the message can itself be in force.
func (e *Entry) shows() bool {
	return e.MsgType == alert.MsgTypeAlert || e.MsgType == alert.MsgTypeUpdate
}

// outranks orders two messages of one alert: the higher one replaces the other.
func outranks(a, b *Entry) int {
	return cmp.Or(cmp.Compare(a.Revision, b.Revision), a.Key.Compare(b.Key))
}

// precedes orders what was accepted: first by time, then by something that every
// node sees alike.
func precedes(a, b *Entry) int {
	return cmp.Or(a.Accepted.Compare(b.Accepted), strings.Compare(a.Digest, b.Digest), strings.Compare(a.Fact, b.Fact))
}

// Outcome says what Add did with an entry.
type Outcome uint8

// The outcomes of Add.
const (
	Known    Outcome = iota // the message was there already; what devices see is unchanged
	Added                   // the message is recorded; Judge says what it is good for
	Conflict                // the key is known with another digest; Judge says which one stands
	Ignored                 // neither Alert, Update nor Cancel, or no CAP status; not recorded
)

// String names the outcome for logs.
func (o Outcome) String() string {
	return [...]string{"known", "new", "conflict", "ignored"}[min(o, Ignored)]
}

// Standing says what a recorded message is good for at one moment. Only InForce
// and Ends are reasons to tell devices anything.
type Standing uint8

// The standings of a message.
const (
	Unknown        Standing = iota // not on the board
	InForce                        // devices must show it
	Future                         // its effective time has not come; ask again at NextChange
	Superseded                     // another message of its alert, or another alert, stands in its place
	Cancelled                      // a Cancel ended its alert
	Expired                        // its time is over
	NotPresentable                 // System or Draft, or a drill whose first message is not known
	Contradicted                   // lost against another message with the same key
	Ends                           // it is a Cancel: what it ends is listed by Ended
	Pending                        // approvals are missing; it has no effect before they are there
	Lapsed                         // it ran out before it was approved, and never stood
)

// String names the standing for logs and answers.
func (s Standing) String() string {
	return [...]string{
		"unknown", "in force", "future", "superseded", "cancelled", "expired",
		"not presentable", "contradicted", "ends", "pending", "lapsed",
	}[min(s, Lapsed)]
}

// Active is one alert that is in force, and the message that says so.
type Active struct {
	ID        alert.ID
	Revision  alert.Revision
	Digest    string
	Key       alert.Key
	Effective time.Time
	Expires   time.Time
	Fact      string
	Status    alert.Status
	Also      []string // facts of further Alerts with one root: whom they address gets it too
}

// Why says why an alert has ended.
type Why string

// The reasons for an end.
const (
	WhyCancelled  Why = "cancelled"
	WhySuperseded Why = "superseded" // its messages go on under another id
	WhyExpired    Why = "expired"    // the newest message ran out before an older one would have
)

// End is one alert id that must not be shown any more. Revision is the highest
// that any message of the alert has, the Cancel included. At is the sending time, as far
// as it is believed, of the message that ended it, or the expiry. Expires is when the last
// message of the alert would have expired; a message that was cancelled and never seen
// could hold MaxLifetime. The end is listed, and devices remember it, EndMemory longer.
type End struct {
	ID       alert.ID
	Revision alert.Revision
	At       time.Time
	Why      Why
	Expires  time.Time
	// Drill says that the alert was not Actual. Its end forbids its own messages, up to
	// Revision, and not the real thing that may follow under the same id.
	Drill bool
}

// Card is one alert with all that is known of it, for display.
type Card struct {
	ID       alert.ID
	Status   alert.Status
	Keys     []alert.Key // every message of the alert, also those never seen, in order
	Messages []Entry
	Cancels  []Entry  // those that apply to it
	Lost     []Entry  // messages that lost against another one with the same key
	Pending  []string // facts of those Messages that lack approvals
}

// believed is sent as far as the acceptance bears it out: not after that, and not so long
// before that nothing of the message could be in force.
func believed(sent, accepted time.Time) time.Time {
	return alert.Later(alert.Earlier(sent, accepted), accepted.Add(-alert.MaxLifetime))
}

// over reports whether a message that was sent then can be in force no more at accepted.
func over(sent, accepted time.Time) bool { return !sent.Add(alert.MaxLifetime).After(accepted) }
