// Package device is the other side of the device contract: the reference device
// that demo, simulate and the tests run, and the sample for makers of devices.
//
// Rules decides, without clock, network or disk. Device connects the rules to
// MQTT. Fleet runs many devices in one process.
package rules

import (
	"almenara/channels/contract"
)

// Action says what an Effect asks of the device.
type Action uint8

// The actions.
const (
	// Start begins to present Body. It comes at most once for one revision of an
	// alert, also across nodes and power cuts.
	Start Action = iota + 1
	// Replace presents Body, a higher revision, in the place of the one shown. It
	// counts as the start of that revision.
	Replace
	// Resume presents Body again, after the device itself was without power. It is
	// not a start.
	Resume
	// Stop ends the presentation of Alert; Reason says why.
	Stop
	// Tell sends Receipt, whose Seq is still zero.
	Tell
	// Do carries out Command.
	Do
	// Remind presents Body again, as it began, because nobody has confirmed it. It is not a start.
	Remind
)

// String names the action for logs.
func (a Action) String() string {
	names := [...]string{"", "start", "replace", "resume", "stop", "tell", "do", "remind"}
	if int(a) >= len(names) {
		return "unknown"
	}
	return names[a]
}

// Reason says why a presentation stopped. There is no other: silence, a lost
// connection and a manifest that does not mention the alert stop nothing.
type Reason string

// The reasons.
const (
	ReasonExpired    Reason = "expired"
	ReasonEnded      Reason = "ended"
	ReasonSuperseded Reason = "superseded" // and the new body did not come in time
)

// Effect is one thing that the device has to do, in the order given.
type Effect struct {
	Action   Action
	Alert    string
	Revision uint64
	Body     *contract.Body   // Start, Replace, Resume, Remind; not to be modified
	Look     Look             // Start, Replace, Resume, Remind
	Reason   Reason           // Stop
	Receipt  contract.Receipt // Tell
	Command  contract.Command // Do
}

// Look is how an alert is presented.
type Look struct {
	Tier  contract.Tier
	Sound string // "siren", "chime", "drill" or "none"
}

// LookOf decides by the status first, so that a drill never looks or sounds like
// the real thing, whatever tier and sound the body asks for, and so that the real
// thing is never mistaken for a drill.
func LookOf(b *contract.Body) Look {
	switch b.Status {
	case "Exercise":
		if b.Sound == "none" {
			return Look{Tier: contract.TierDrill, Sound: "none"}
		}
		return Look{Tier: contract.TierDrill, Sound: "drill"}
	case "Actual":
		return realLook(b)
	}
	return Look{Tier: contract.TierTest, Sound: "none"}
}

// realLook keeps the siren to emergencies and treats words it does not know as
// advisory with a chime: quiet words of a later version must not make it silent.
func realLook(b *contract.Body) Look {
	look := Look{Tier: contract.TierAdvisory, Sound: "chime"}
	if b.Tier == contract.TierEmergency {
		look.Tier = contract.TierEmergency
	}
	if b.Sound == "none" || b.Sound == "siren" && look.Tier == contract.TierEmergency {
		look.Sound = b.Sound
	}
	return look
}

// presentable reports whether a device may obey a body of this status at all.
// System and Draft never reach devices; a body that claims so is refused.
func presentable(status string) bool {
	return status == "Actual" || status == "Exercise" || status == "Test"
}
