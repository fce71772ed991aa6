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
}

// Told answers MarkTold.
type Told struct {
	Alert string `json:"alert"`
	// Marked is how many were marked now; who has presented the alert, or was told before, is not.
	Marked uint64 `json:"marked"`
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

// Reminders is when devices were told to present an alert again.
type Reminders struct {
	Last         time.Time `json:"last"`                    // by the clock of the node where it was asked for, or of this one where it came by itself
	EveryMinutes int       `json:"every_minutes,omitempty"` // until the next one, which comes by itself; absent where none does
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
