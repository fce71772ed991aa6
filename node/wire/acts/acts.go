// Package acts has the JSON bodies of what people do for an alert beside sending it: approve it by voice,
// say whom they told, and remind. It may import nothing of ours.
package acts

import "time"

// MarkTold says that a person told members of an alert. One of Members and Place is given.
type MarkTold struct {
	Members []string `json:"members,omitempty"` // ids, at most 4,096
	// Place is a block, a floor or whatever is below it: everybody there who has not presented the alert
	// and was not told before.
	Place string `json:"place,omitempty"`
	Note  string `json:"note,omitempty"` // for people, at most 500 bytes
	// TakeBack says that they were not: the mark was a mistake. Of Place it is everybody there who is marked.
	TakeBack bool `json:"take_back,omitempty"`
}

// Told answers MarkTold.
type Told struct {
	Alert string `json:"alert"`
	// Marked is how many were marked now; who has presented the alert, or was told before, is not.
	Marked uint64 `json:"marked"`
	// TakenBack is of how many the mark was taken back now; who was not marked is not counted.
	TakenBack uint64 `json:"taken_back,omitempty"`
}

// Remind has an alert presented again by devices on which nobody has confirmed it.
type Remind struct {
	// EveryMinutes is how long it is until the next reminder, which comes by itself while the message is
	// in force, 1,440 at most. 0 is once, and ends reminders that came by themselves.
	EveryMinutes int `json:"every_minutes,omitempty"`
}

// Reminded answers Remind.
type Reminded struct {
	Alert        string `json:"alert"`
	Unread       uint64 `json:"unread"`                  // members for whom nobody has confirmed it
	EveryMinutes int    `json:"every_minutes,omitempty"` // as it was asked for
}

// Reminders is when devices were told to present an alert again, and when they are the next time.
type Reminders struct {
	// Last is by the clock of the node where it was asked for, or of this one where it came by itself;
	// absent where only the message asks for reminders, and the first one is to come.
	Last         time.Time `json:"last,omitzero"`
	Next         time.Time `json:"next,omitzero"`           // when it comes by itself, while the message is in force; absent where none does
	EveryMinutes int       `json:"every_minutes,omitempty"` // until the next one, which comes by itself; absent where none does
}

// Escalate says that an alert is for one group after the other: its own selection is the first group, and
// the next one is called where too few have answered in time. It ends when enough have, and with the alert.
type Escalate struct {
	// Answers is how many members must have answered that they have understood, come or are safe, 1 to
	// 1,000. That somebody needs help is no such answer, and neither are words of a device's own.
	Answers int `json:"answers"`
	Minutes int `json:"minutes"` // that each group has, 1 to 1,440
	// Groups are the selections of the groups after the first, 7 at most. The areas of the alert hold for
	// all of them. Whether its author may warn all of them is decided when it is sent.
	Groups []string `json:"groups"`
}

// Escalation is how far an alert for one group after the other has got.
type Escalation struct {
	Answers  int    `json:"answers"`  // how many must have answered
	Answered uint64 `json:"answered"` // how many have, of all who were called
	Enough   bool   `json:"enough"`   // nobody further is called, unless an answer is taken back
	Minutes  int    `json:"minutes"`  // that each group has
	// Groups are all of them, the first one too.
	Groups []EscalationGroup `json:"groups"`
	Next   time.Time         `json:"next,omitzero"` // when the next group is called unless enough have answered; absent where none is
}

// EscalationGroup is one group of an escalation.
type EscalationGroup struct {
	Select  string    `json:"select"`
	Members uint64    `json:"members"`           // who is in it now
	Called  time.Time `json:"called,omitzero"`   // absent: it was not
	Because *uint64   `json:"because,omitempty"` // how many had answered when it was called; absent of the first group, and of those that were not called
}

// AskCode asks for the code with which the caller approves by voice. One of Alert and Number is given.
type AskCode struct {
	Alert string `json:"alert,omitempty"` // id of the alert that waits
	// Digest is that of the message which was read; with another one there is no code. Empty is what the
	// node has.
	Digest string `json:"digest,omitempty"`
	// Number is the number of what an alert says that is not known here, as it was read out; spaces are
	// passed over. Then the caller trusts the voice that read the words.
	Number string `json:"number,omitempty"`
}

// SpokenCode approves one message by voice. It is good for one message, in the name of one person, at
// every node.
type SpokenCode struct {
	Code   string    `json:"code"` // six digits
	For    string    `json:"for"`  // who approves with it
	Alert  string    `json:"alert,omitempty"`
	Number string    `json:"number"` // of what the alert says
	Until  time.Time `json:"until"`  // by this node's clock; after that it is good for nothing
}

// TypeApproval types in what somebody read out.
type TypeApproval struct {
	For    string `json:"for"`              // the person whose code it is
	Code   string `json:"code"`             // six digits; spaces are passed over
	Digest string `json:"digest,omitempty"` // of the message that was read out, as in Approve
	Reason string `json:"reason,omitempty"` // why, for the audit
}
