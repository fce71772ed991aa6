// Package personal is the bodies about what is known of persons: erasing it, and how long it is kept. It may
// import nothing of ours.
package personal

import "time"

// Person is what erasing a member would take away.
type Person struct {
	Member string `json:"member"`          // id
	Name   string `json:"name,omitempty"`  // as the district has it
	Kind   string `json:"kind,omitempty"`  // of the member
	Place  string `json:"place,omitempty"` // path
	// Removed says that it is no member any more. What was recorded of it is there until it is erased.
	Removed bool     `json:"removed,omitempty"`
	Devices []string `json:"devices"` // ids of its devices, whose secrets end with it
	Reports uint64   `json:"reports"` // what they reported, positions included
	Notes   uint64   `json:"notes"`   // notes of who told it of an alert in person
}

// Erase erases a person for good.
type Erase struct {
	Member string `json:"member"` // its id once more, so that a wrong path erases nobody
	Word   string `json:"word"`   // on whose word, for the audit: at most 300 bytes, without the person's name
}

// Erasure is a person who was erased. Who it was is nowhere.
type Erasure struct {
	Pseudonym string    `json:"pseudonym"` // what stands in the place of the id
	Kind      string    `json:"kind,omitempty"`
	At        time.Time `json:"at"`
	By        string    `json:"by"`      // user name
	Word      string    `json:"word"`    // on whose word
	Devices   uint32    `json:"devices"` // that went with the person
	Records   uint32    `json:"records"` // that have lost what they said
	Lines     uint32    `json:"lines"`   // of the audit, in which the pseudonym stands now
	// Agreed says that nothing of it is in what the district has agreed on: answers, exports, dumps and backups
	// of now.
	Agreed bool `json:"agreed"`
	// Files says that this node has also written its files anew since: the log of changes, the store, photos.
	Files bool `json:"files"`
	// Waits says that they are not written anew yet because an emergency is in force: they are when it is over, or 72
	// hours after the person was erased.
	Waits bool `json:"waits,omitempty"`
}

// Erasures are all persons who were erased, the newest first.
type Erasures struct {
	Erasures []Erasure `json:"erasures"` // the newest first
}

// Retention is how long what is known of people is kept. Zero stands for the default in a request; an answer
// says what holds.
type Retention struct {
	PositionDays uint32 `json:"position_days"` // days: positions of responders; 30 by default
	ReportMonths uint32 `json:"report_months"` // months: what people reported, with photos, and what was made of it; 13 by default
	NoteMonths   uint32 `json:"note_months"`   // months: notes at who was told of an alert in person; 13 by default

	ResidentMonths uint32 `json:"resident_months"` // months: words, photos and places of what residents answered, whose answers stay counted; 13 by default
	NoticeMonths   uint32 `json:"notice_months"`   // months, at least 12: planned notices with who decided and said what, from when they were over; 13 by default
}

// Kept is how long what is known of people is kept, and what is removed next.
type Kept struct {
	Retention Retention `json:"retention"`    // as it holds now
	By        string    `json:"by,omitempty"` // who set it; absent: these are the defaults
	At        time.Time `json:"at,omitzero"`  // when
	Next      []Removal `json:"next"`         // of each thing that is removed once it is old
}

// The things that are removed once they are old.
const (
	Positions   = "positions"   // of responders
	Reports     = "reports"     // of people, with their photos
	Moderations = "moderations" // what was made of reports
	Notes       = "notes"       // at who was told of an alert in person

	ResidentWords = "resident_words" // words, photos and places of residents
	Notices       = "notices"        // planned notices that are over
)

// Removal is what is removed next of one thing.
type Removal struct {
	What    string    `json:"what"`           // positions, reports, moderations, notes, resident_words or notices
	On      time.Time `json:"on"`             // when the next removal begins
	Before  time.Time `json:"before"`         // what was made before is removed then
	Due     uint64    `json:"due"`            // how many that are now
	More    bool      `json:"more,omitempty"` // there are more than due, which were not counted
	Removed uint64    `json:"removed"`        // ever
}
