// Package caution is what is pointed out to people who warn, and never refused. It may import
// node/wire/headline alone.
package caution

import (
	"time"

	"almenara/node/wire/headline"
)

// The ways in which two alerts are contrary, by what CAP has as words of a list.
const (
	ContraryResponse = "response" // what people are to do
	ContrarySeverity = "severity"
	ContraryUrgency  = "urgency"
)

// Contradictions are those among what is in force: the gravest, and of those the newest, 20 at most.
type Contradictions struct {
	Contradictions []Contradiction `json:"contradictions"`     // the gravest first, then the newest
	More           int             `json:"more"`               // how many there are beside those
	AtLeast        bool            `json:"at_least,omitempty"` // there may be more than that
}

// Contradiction is two real alerts in force by which two senders tell the same people contrary things
// about one incident, or about one category.
type Contradiction struct {
	Why  string           `json:"why"`  // in what they are contrary: response, severity or urgency
	Says []ContrarySaying `json:"says"` // two; who spoke first comes first
}

// ContrarySaying is what one of them says.
type ContrarySaying struct {
	Alert     string         `json:"alert"`               // id
	Headline  string         `json:"headline"`            // of its first block
	Headlines headline.Lines `json:"headlines,omitempty"` // as of the alert
	Sender    string         `json:"sender"`              // CAP sender
	From      string         `json:"from,omitempty"`      // its name, where the message has one
	Author    string         `json:"author"`              // who took it in
	Sent      time.Time      `json:"sent"`
	Response  []string       `json:"response,omitempty"` // CAP responseType, of all blocks
	Severity  string         `json:"severity"`           // of the first block
	Urgency   string         `json:"urgency"`            // likewise
}

// Noise is how often one block was made to listen within an hour.
type Noise struct {
	Place string `json:"place"` // the block, of all that are addressed the one that heard most
	Count uint64 `json:"count"` // real messages and drills of the last hour that sounded there, with this one
}
