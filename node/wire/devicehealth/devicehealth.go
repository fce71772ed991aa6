// Package devicehealth is what a device says of itself, as the API gives it. It imports nothing of ours.
package devicehealth

import "time"

// DeviceHealth is what a device says of itself. It may be wrong, and decides nothing.
type DeviceHealth struct {
	At        time.Time `json:"at"`                           // when it said so, by the node's clock
	Version   string    `json:"version,omitempty"`            // of its software
	Level     string    `json:"level,omitempty"`              // A, B, C or D: what a page would survive; A is a page that a reload without a node ends
	Engine    string    `json:"engine,omitempty"`             // what draws
	ClockSkew float64   `json:"clock_skew_seconds,omitempty"` // what its own clock has to be corrected by
	Sound     string    `json:"sound,omitempty"`              // armed, played or sent, or why nothing is heard
	Voice     string    `json:"voice,omitempty"`              // languages that it can speak
	Display   string    `json:"display,omitempty"`            // painted or nothing in force, or why nothing can be seen
	Lacks     string    `json:"lacks,omitempty"`              // languages whose letters it cannot draw
	Picture   string    `json:"picture,omitempty"`            // visible or unknown, or what a picture of its screen shows in the place of its page
	Power     string    `json:"power,omitempty"`              // of its screen: on, standby or unknown
	Store     string    `json:"store,omitempty"`              // what keeps its memory
	Persisted *bool     `json:"persisted,omitempty"`          // the browser keeps that memory for good
	Awake     *bool     `json:"awake,omitempty"`              // something keeps it from going to sleep
	Keys      time.Time `json:"keys,omitzero"`                // time of the key ring that it believes
	Drawn     string    `json:"drawn,omitempty"`              // ALERT/REVISION that it presented last
	DrawnAt   time.Time `json:"drawn_at,omitzero"`            // when, by the corrected clock of the device
	Queued    int       `json:"queued_receipts,omitempty"`    // that waited when the connection came
	Reloads   int       `json:"reloads,omitempty"`            // since it was enrolled
	MemoryMB  int       `json:"memory_mb,omitempty"`          // that it uses
	Refused   string    `json:"refused,omitempty"`            // what it refused last, and why
	Faults    []string  `json:"faults,omitempty"`             // of Faults
}

// The faults of devices that a node sees in what they say.
const (
	FaultUnseen  = "unseen"      // what is in force cannot be seen on it
	FaultPicture = "not-visible" // a picture of its screen does not show what its page says it shows
	FaultLetters = "no-letters"  // it cannot draw the letters of a language
	FaultSilent  = "silent"      // it cannot be heard
	FaultReload  = "no-reload"   // a reload while no node answers would leave an error page
	FaultStore   = "no-store"    // it forgets what is in force when it loses power
	FaultSleeps  = "may-sleep"   // nothing keeps it from going to sleep
	FaultClock   = "clock"       // its own clock is off by more than five minutes
	FaultRefuses = "refuses"     // it refused something that came on its connection
)

// Faults are all of them, the worst first.
var Faults = []string{FaultUnseen, FaultPicture, FaultLetters, FaultSilent, FaultStore, FaultReload, FaultSleeps, FaultRefuses, FaultClock}
