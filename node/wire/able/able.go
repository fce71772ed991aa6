// Package able is the bodies of what devices are able to: what silent tests of them came to, and asking for
// some. It may import nothing of ours but why.
package able

import (
	"time"

	"almenara/node/wire/why"
)

// The ways in which a device stands, as far as silent tests show.
const (
	DevicePassed   = "passed"   // connected, and its last test showed that an alert would be seen or heard
	DeviceFailed   = "failed"   // its last test found that something does not work: why says what
	DeviceSilent   = "silent"   // it was connected when it was tested, and told nothing in time
	DeviceBusy     = "busy"     // it presented an alert when it was tested
	DeviceUnproven = "unproven" // tested, but it cannot know whether anything came of it
	DeviceUntested = "untested" // connected, and not tested in the last 36 hours
	DeviceDark     = "dark"     // connected to no node
	DeviceNever    = "never"    // connected to no node, and no test has ever passed here
	DeviceUnknown  = "unknown"  // it may be connected to a node that did not answer
)

// Ability is how many of the enrolled devices would show or sound an alert, by what each came to when it
// was last tested, silently.
type Ability struct {
	Made time.Time `json:"made"` // when this was gathered
	// Night is the newest night of whose tests anything is known, as YYYY-MM-DD of the day on which it
	// ends, in the district's local time; absent: none yet.
	Night      string   `json:"night,omitempty"`
	Unanswered []string `json:"unanswered,omitempty"` // ids of nodes that did not answer; what they know is missing

	Devices uint64         `json:"devices"` // enrolled and not revoked, at the place that was asked for
	Passed  uint64         `json:"passed"`  // those whose last test passed, and which are connected
	States  []Standing     `json:"states"`  // how many stand how; only what there is
	Places  []AbilityPlace `json:"places"`  // by block, in the order of their paths
	// Missing lists the devices that have not passed, by place, at most 1,000; More is how many it leaves out.
	Missing []AbilityDevice `json:"missing"`
	More    uint64          `json:"more,omitempty"` // devices that missing leaves out
	Nights  []AbilityNight  `json:"nights"`         // the last 90 at most, the newest first
}

// AbilityPlace is the devices of one block or estate.
type AbilityPlace struct {
	Place   string `json:"place"`          // path
	Devices uint64 `json:"devices"`        // enrolled there
	Passed  uint64 `json:"passed"`         // of those
	Dark    uint64 `json:"dark,omitempty"` // of the others: connected to no node
}

// AbilityDevice is one device that has not passed.
type AbilityDevice struct {
	Device string       `json:"device"`          // id
	Member string       `json:"member"`          // that it belongs to
	Kind   string       `json:"kind"`            // of the member
	Place  string       `json:"place"`           // of the member
	Stands string       `json:"stands"`          // failed, silent, busy, unproven, untested, dark, never or unknown
	Why    why.Sentence `json:"why,omitzero"`    // a sentence of the device or the node, for people
	Tested time.Time    `json:"tested,omitzero"` // when it was tested last; zero: never, as far as is remembered
	Passed time.Time    `json:"passed,omitzero"` // when a test last passed; zero: never, as far as is remembered
}

// AbilityNight is what the tests of one night came to.
type AbilityNight struct {
	Night  string         `json:"night"`  // YYYY-MM-DD of the day on which it ends
	Places []AbilityPlace `json:"places"` // by estate, as many as were enrolled then
}

// TestDevices asks for silent tests of all connected devices at places, or of all.
type TestDevices struct {
	Places []string `json:"places,omitempty"` // none: everywhere
}

// TestBegun says what was begun. The tests go on at the nodes, at their pace.
type TestBegun struct {
	Devices    int      `json:"devices"`              // that are tested
	Nodes      []string `json:"nodes"`                // ids of the nodes that test theirs
	Unanswered []string `json:"unanswered,omitempty"` // ids of nodes that did not begin
}

// DeviceTest is what testing one device, or having it identify itself, came to.
type DeviceTest struct {
	Device    string       `json:"device"`              // id
	Node      string       `json:"node"`                // id of the node that it is connected to
	Stands    string       `json:"stands"`              // passed, failed, silent, busy or unproven; of identify: passed where the device has taken it
	Exercised []string     `json:"exercised,omitempty"` // what really worked: display, sound
	Why       why.Sentence `json:"why,omitzero"`        // a sentence of the device or the node, for people
	At        time.Time    `json:"at"`                  // when it was over
}

// Add counts one device that stands so.
func (p *AbilityPlace) Add(state string) {
	p.Devices++
	switch state {
	case DevicePassed:
		p.Passed++
	case DeviceDark, DeviceNever:
		p.Dark++
	}
}

// Standing is how many devices stand in one way.
type Standing struct {
	Name  string `json:"name"`  // passed, failed, silent, busy, unproven, untested, dark, never or unknown
	Count uint64 `json:"count"` // of devices
}

// Score is how many members of one estate had presented an alert how soon.
type Score struct {
	Place      string `json:"place"`       // path of the estate
	Of         uint64 `json:"of"`          // who counts
	TenSeconds uint64 `json:"ten_seconds"` // within 10 seconds
	Minute     uint64 `json:"minute"`      // within a minute
}
