//go:build linux

package main

import (
	"sync"
	"time"

	"almenara/channels/device"
	"almenara/node/wire"
)

// Outcome says what the nemesis knows of something that it asked of a node.
type Outcome string

// The outcomes.
const (
	Acked   Outcome = "acked"   // the node said that it is done
	Refused Outcome = "refused" // the node said that nothing happened, or was not reached
	Unknown Outcome = "unknown" // sent, and no answer: it may have happened
)

// Message is one attempt to give a CAP message to one node.
type Message struct {
	Type        string // Alert, Update or Cancel
	Alert       string // id
	Key         string // sender,identifier,sent; "" for a cancel that a node was to write
	Revision    uint64
	Estate      string
	Real        bool // status Actual, not a drill
	Expires     time.Time
	Node        int
	Licence     string // under which a node that was alone took it: that stands for the second person
	Waits       bool   // it has no effect before a second person has approved it
	Alone       bool   // the node was cut off from all others when it answered
	Outcome     Outcome
	Replication wire.Replication
	State       wire.State
	Duplicate   bool
	Asked       time.Time
	Answered    time.Time
	Why         string // when not acked
	Kind        string // of the problem that the node answered; "" when there was none, or no answer
}

// Happening is one event of one device.
type Happening struct {
	Device   string
	Node     int // to which it is connected then; outside when none
	What     device.What
	Alert    string
	Revision uint64
	Rung     string
	Expires  time.Time // of the body that started
	At       time.Time
}

// Edit is one import: it gives every member named the tag batch = Batch.
type Edit struct {
	Batch   string
	Members []string
	Outcome Outcome
}

// Enrolment is one attempt to enrol a device.
type Enrolment struct {
	Device, Estate, Kind string
	Outcome              Outcome
}

// Span is a time in which the nodes or the machine were not themselves.
type Span struct {
	Node     int // outside: this process itself got no processor
	What     string
	From, To time.Time // zero To: it has not ended
}

// Exit is an end of a node that nobody ordered.
type Exit struct {
	Node int
	Code int
	At   time.Time
	Why  string
}

// Approving is one attempt of the second person to approve an alert.
type Approving struct {
	Alert           string
	Node            int
	Outcome         Outcome
	Replication     wire.Replication
	Asked, Answered time.Time
}

// Joining is one node that came while the district suffered.
type Joining struct {
	Node        int
	Asked, Done time.Time
	Why         string // it did not join
}

// Removal is one node that was removed for good.
type Removal struct {
	Node        int
	Asked, Done time.Time
	Back        bool   // to come back under a new id, with all it has
	Why         string // it was not removed
}

// Stall is a time in which nothing became durable on a node's disk.
type Stall struct {
	Node     int
	From, To time.Time
	Led      bool      // the node led when it began
	Next     time.Time // when another node led then; zero when none did in time
}

// History is everything that happened, in the order in which it was noted.
type History struct {
	Messages   []Message
	Happenings []Happening
	Edits      []Edit
	Enrolments []Enrolment
	Spans      []Span
	Exits      []Exit
	SlowStops  []string
	Approvings []Approving
	Joinings   []Joining
	Removals   []Removal
	Movings    []Moving
	Stalls     []Stall
	Ledger     []Entry
	Refusals   []Entry // refused, or reads without an answer: no check judges them
	Cuts       []Span  // in which some link of a node was cut; they excuse nothing by themselves
}

// book takes notes. Safe for concurrent use; the zero value is ready.
type book struct {
	mu   sync.Mutex
	all  History
	last time.Time // of the last receipt that a node acknowledged
}

func (b *book) note(add func(h *History)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	add(&b.all)
}

func (b *book) happened(h Happening) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.all.Happenings = append(b.all.Happenings, h)
	if h.What == device.Told {
		b.last = h.At
	}
}

// lastTold is when the last receipt was acknowledged.
func (b *book) lastTold() time.Time {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.last
}

// begin opens a span and returns what ends it.
func (b *book) begin(node int, what string) (end func()) { return b.span(&b.all.Spans, node, what) }

// cut opens a time in which links of a node are cut: some or all.
func (b *book) cut(node int, what string) (end func()) { return b.span(&b.all.Cuts, node, what) }

// How much of a node is cut.
const (
	someLinks = "some links"
	allLinks  = "all links"
)

func (b *book) span(list *[]Span, node int, what string) (end func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	i := len(*list)
	*list = append(*list, Span{Node: node, What: what, From: time.Now()})
	return func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		(*list)[i].To = time.Now()
	}
}

// copy is the history so far. What was noted is never changed but for the ends of
// spans, which are copied.
func (b *book) copy() History {
	b.mu.Lock()
	defer b.mu.Unlock()
	h := b.all
	h.Spans = append([]Span(nil), b.all.Spans...)
	h.Cuts = append([]Span(nil), b.all.Cuts...)
	return h
}
