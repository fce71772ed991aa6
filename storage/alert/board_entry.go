package alert

import (
	"cmp"
	"strings"
	"time"
)

// Entry is what the Board needs to know of one message. The digest stands for
// the content: entries with equal Key and Digest must differ in Accepted and Fact
// only. References must not be modified after Add.
type Entry struct {
	Key        Key
	Digest     string // of the message's content
	MsgType    MsgType
	Status     Status
	References []Key
	Revision   Revision
	Sent       time.Time
	Effective  time.Time // from when it may be shown
	Expires    time.Time // from when it must not be shown; means nothing for Cancel
	Accepted   time.Time // when the district took it, by the clock of the node that did
	Fact       string    // id of the fact that carried it

	// Approvals is how many persons besides Author must approve before the message has
	// any effect. Equal content may come in facts that differ in both.
	Approvals int
	Author    string
	// Root joins Alerts: those with one root are one alert, whose id is the root's and
	// whom all of them address. The zero key is none. See IncidentKey.
	Root Key
}

// Approval says that a person stands by what one fact says.
type Approval struct {
	Fact    string // the Entry's
	Digest  string // the Entry's: an approval of other content is none
	By      string
	At      time.Time
	Expires time.Time // it counts together with approvals given before this
}

// EntryOf makes the entry of a parsed message. Effective is the earliest effective
// of its info blocks, a block without one being effective when sent. Expires is
// what Alert.Expires says.
func EntryOf(a *Alert, digest string, accepted time.Time, fact string) Entry {
	return Entry{
		Key: a.Key(), Digest: digest, MsgType: a.MsgType, Status: a.Status,
		References: a.References, Revision: a.Revision(), Sent: a.Sent.Time(),
		Effective: firstEffective(a), Expires: a.Expires(), Accepted: accepted, Fact: fact,
	}
}

// firstEffective is the earliest effective of the info blocks.
func firstEffective(a *Alert) time.Time {
	sent := a.Sent.Time()
	var first time.Time
	for n := range a.Infos {
		from := sent
		if e := a.Infos[n].Effective; !e.IsZero() {
			from = e.Time()
		}
		if n == 0 || from.Before(first) {
			first = from
		}
	}
	if len(a.Infos) == 0 {
		return sent
	}
	return first
}

// shows reports whether the message can itself be in force.
func (e *Entry) shows() bool { return e.MsgType == MsgTypeAlert || e.MsgType == MsgTypeUpdate }

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
	New                     // the message is recorded; Judge says what it is good for
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
)

// String names the standing for logs and answers.
func (s Standing) String() string {
	return [...]string{
		"unknown", "in force", "future", "superseded", "cancelled", "expired",
		"not presentable", "contradicted", "ends", "pending",
	}[min(s, Pending)]
}

// Active is one alert that is in force, and the message that says so.
type Active struct {
	ID        ID
	Revision  Revision
	Digest    string
	Key       Key
	Effective time.Time
	Expires   time.Time
	Fact      string
	Status    Status
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
// that any message of the alert has, the Cancel included. At is the sending time
// of the message that ended it, or the expiry. Expires is when the last message of
// the alert would have expired; a message that was cancelled and never seen could
// hold MaxLifetime. The end is listed, and devices remember it, EndMemory longer.
type End struct {
	ID       ID
	Revision Revision
	At       time.Time
	Why      Why
	Expires  time.Time
	// Drill says that the alert was not Actual. Its end forbids its own messages, up to
	// Revision, and not the real thing that may follow under the same id.
	Drill bool
}

// Contradiction is one key under which the district got different messages.
type Contradiction struct {
	Key  Key
	Won  Entry
	Lost []Entry // in the order in which they would have won
}

// Card is one alert with all that is known of it, for display.
type Card struct {
	ID       ID
	Status   Status
	Keys     []Key // every message of the alert, also those never seen, in order
	Messages []Entry
	Cancels  []Entry  // those that apply to it
	Lost     []Entry  // messages that lost against another one with the same key
	Pending  []string // facts of those Messages that lack approvals
}
