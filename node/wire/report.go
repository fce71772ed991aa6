package wire

import (
	"time"

	"almenara/node/wire/able"
	"almenara/node/wire/headline"
	"almenara/node/wire/reported"
)

// Report is what one alert came to, for the record: who did what and when, and when it reached whom.
// It has only what is on record. Times of what devices told are by the clocks of the devices, which the
// nodes correct; those that cannot be are replaced by when a node took the word down.
type Report struct {
	Alert Alert     `json:"alert"` // as it is shown, with its counts
	Made  time.Time `json:"made"`  // when this report was made
	// Begun is when a node took the first message: somebody had pressed the button then.
	Begun  time.Time     `json:"begun"`
	Events []ReportEvent `json:"events"` // the oldest first
	// Reached is when those who count for any message of the alert had presented it, whichever of its
	// messages that was.
	Reached Spread `json:"reached"`
	// Curve is how many had by when: steps, 60 at most.
	Curve []CurvePoint `json:"curve"`
	// Stopped is when those who had presented it told that they show it no more; absent while it is
	// not over.
	Stopped *Spread       `json:"stopped,omitempty"`
	Kinds   []ReportKind  `json:"kinds"`  // by kind
	Groups  []ReportGroup `json:"groups"` // by block and kind; of who was removed since, both are empty
	// Estates is how fast each estate was reached, from when the first message might be shown; of an
	// alert whose counts are rounded it is empty.
	Estates []able.Score `json:"estates"`
	Slowest []ReportRow  `json:"slowest"` // who presented it last, 10 at most, the slowest first
	// Dark is who never told anything of the alert, not even that it came: 100 at most, by place.
	// Both lists are empty where the caller may not list whom the alert reached.
	Dark      []ReportRow               `json:"dark"`
	DarkTotal uint64                    `json:"dark_total"`          // all of those
	Answers   []Count                   `json:"answers"`             // what people answered last, the most frequent first; * are words of who was erased
	Residents []reported.ResidentsBlock `json:"residents,omitempty"` // phones that answered by a code, by place; absent for who may not read reports
	// RoundedTo says that every count is rounded down to a multiple of this, that no time of a single
	// member is told, and that nobody is listed; see Alert. 0: all is exact.
	RoundedTo uint64 `json:"rounded_to,omitempty"`
}

// Spread is when members told something: when the first had, and when shares of Of had. A time is
// absent where so many have not.
type Spread struct {
	Of         uint64    `json:"of"`                   // who counts
	Count      uint64    `json:"count"`                // who of them told it
	First      time.Time `json:"first,omitzero"`       // the first one
	Half       time.Time `json:"half,omitzero"`        // half of Of
	Ninety     time.Time `json:"ninety,omitzero"`      // 90 %
	NinetyFive time.Time `json:"ninety_five,omitzero"` // 95 %
	Last       time.Time `json:"last,omitzero"`        // the last one so far
	NodeClock  uint64    `json:"node_clock,omitempty"` // for how many of Count the time is when a node took it down, because that of the device cannot be
}

// CurvePoint is one step of a curve: from At on, Count had.
type CurvePoint struct {
	At    time.Time `json:"at"`
	Count uint64    `json:"count"`
}

// ReportKind is when one kind of device was reached.
type ReportKind struct {
	Kind    string       `json:"kind"`
	Reached Spread       `json:"reached"` // as of Report
	Curve   []CurvePoint `json:"curve"`   // likewise
}

// ReportGroup is when one kind of device in one block was reached.
type ReportGroup struct {
	Place   string `json:"place"`
	Kind    string `json:"kind"`
	Reached Spread `json:"reached"` // as of Report
}

// ReportRow is one member. Of one that was removed since, kind and place are empty.
type ReportRow struct {
	Member string    `json:"member"`
	Kind   string    `json:"kind"`
	Place  string    `json:"place"`
	At     time.Time `json:"at,omitzero"` // when it presented the alert
}

// Happening is what happened with an alert.
type Happening string

// The happenings. The last five are told by devices, all others by nodes.
const (
	HappenedTaken      Happening = "taken"       // a node took the message
	HappenedApproved   Happening = "approved"    // a person approved it
	HappenedStood      Happening = "stood"       // it had all approvals that it needs; only where it needs some
	HappenedAgreed     Happening = "agreed"      // a majority of the nodes had it
	HappenedEnded      Happening = "ended"       // a node took the Cancel
	HappenedRanOut     Happening = "ran-out"     // its time was over
	HappenedFirst      Happening = "first"       // the first device presented it
	HappenedHalf       Happening = "half"        // half of all had
	HappenedNinety     Happening = "ninety"      // 90 % of all had
	HappenedNinetyFive Happening = "ninety-five" // 95 % of all had
	HappenedLast       Happening = "last"        // the last one so far had
)

// ReportEvent is one line of what happened, in the order of time.
type ReportEvent struct {
	At        time.Time      `json:"at"`
	What      Happening      `json:"what"`                // what it was; first to last are told by devices, all others by nodes
	MsgType   string         `json:"msg_type,omitempty"`  // of the message that it is about; absent where it is about all of the alert
	Revision  uint64         `json:"revision,omitempty"`  // of that message
	By        string         `json:"by,omitempty"`        // the person, where it was one
	Reason    string         `json:"reason,omitempty"`    // that the person gave
	Headline  string         `json:"headline,omitempty"`  // of a message that was taken
	Headlines headline.Lines `json:"headlines,omitempty"` // likewise, as of the alert
	Alone     bool           `json:"alone,omitempty"`     // the node that took it had no majority
	// Reached is when those whom this one message addressed had presented it; only of a message that was
	// taken and is no Cancel.
	Reached *Spread `json:"reached,omitempty"`
}

// ByDevices reports whether devices told it, by their own clocks.
func (h Happening) ByDevices() bool {
	switch h {
	case HappenedFirst, HappenedHalf, HappenedNinety, HappenedNinetyFive, HappenedLast:
		return true
	}
	return false
}
