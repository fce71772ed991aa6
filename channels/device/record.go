package device

import (
	"maps"
	"slices"
	"sync"
	"time"

	"almenara/channels/contract"
	"almenara/channels/device/rules"
)

// What says what an Event is about.
type What string

// The events.
const (
	Connected    What = "connected"    // and subscribed
	Disconnected What = "disconnected" // the connection is lost, or Stop was called
	Started      What = "started"      // began, or replaced a lower revision
	Resumed      What = "resumed"      // shown again after a power cut
	Reminded     What = "reminded"     // presented again, because nobody has confirmed it
	Stopped      What = "stopped"
	Told         What = "told"    // a receipt that the node has acknowledged: it is durable
	Refused      What = "refused" // a payload that does not verify
	Commanded    What = "commanded"
)

// Event is one thing that happened to a device.
type Event struct {
	Device   string
	At       time.Time // by the corrected clock
	What     What
	Alert    string
	Revision uint64
	Body     *contract.Body // Started, Resumed
	Look     rules.Look     // Started, Resumed
	Reason   rules.Reason   // Stopped
	Rung     string         // Told
	Detail   string         // server, command or error, for people
}

// Revision names one revision of one alert.
type Revision struct {
	Alert    string
	Revision uint64
}

// Tally counts what happened to one revision at one device.
type Tally struct {
	Starts  int // more than one is a defect
	Resumes int
	Stops   int
	Reason  rules.Reason // of the last stop
	Told    []string     // rungs that the node has acknowledged, in that order
}

// Proven reports whether the node has the device's word that it was presented.
func (t Tally) Proven() bool { return slices.Contains(t.Told, contract.RungPresented) }

// times is how often a rung was told.
func (t Tally) times(rung string) int {
	n := 0
	for _, told := range t.Told {
		if told == rung {
			n++
		}
	}
	return n
}

// keptEvents is how many events a device remembers.
const keptEvents = 64

// record keeps the last events and the tallies of all revisions.
type record struct {
	mu      sync.Mutex
	events  []Event
	tallies map[Revision]Tally
	joined  bool // it was connected once
}

func (r *record) add(e Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.events) == keptEvents {
		r.events = append(r.events[:0], r.events[keptEvents/4:]...)
	}
	r.events = append(r.events, e)
	r.joined = r.joined || e.What == Connected
	if e.Alert == "" {
		return
	}
	if r.tallies == nil {
		r.tallies = map[Revision]Tally{}
	}
	key := Revision{Alert: e.Alert, Revision: e.Revision}
	r.tallies[key] = r.tallies[key].with(e)
}

func (t Tally) with(e Event) Tally {
	switch e.What {
	case Started:
		t.Starts++
	case Resumed:
		t.Resumes++
	case Stopped:
		t.Stops++
		t.Reason = e.Reason
	case Told:
		t.Told = append(slices.Clip(t.Told), e.Rung)
	}
	return t
}

// Log returns the last events, oldest first.
func (d *Device) Log() []Event {
	d.record.mu.Lock()
	defer d.record.mu.Unlock()
	return slices.Clone(d.record.events)
}

// Joined reports whether the device was ever connected since New.
func (d *Device) Joined() bool {
	d.record.mu.Lock()
	defer d.record.mu.Unlock()
	return d.record.joined
}

// Record returns what happened to every revision since New.
func (d *Device) Record() map[Revision]Tally {
	d.record.mu.Lock()
	defer d.record.mu.Unlock()
	return maps.Clone(d.record.tallies)
}

// Tally returns what happened to one revision since New.
func (d *Device) Tally(of Revision) Tally {
	d.record.mu.Lock()
	defer d.record.mu.Unlock()
	return d.record.tallies[of]
}
