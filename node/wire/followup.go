package wire

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
