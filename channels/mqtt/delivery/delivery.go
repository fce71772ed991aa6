// Package delivery works out what a device lacks of what holds now, and encodes it: the
// plan that all devices of a gateway have in common, and for each device what it has
// subscribed to, what it was sent and what it has not acknowledged yet.
//
// It writes into memory only. It knows neither connections nor sessions, takes no lock and
// starts no goroutine: who has a Receiver holds the lock that guards it. Of our packages it
// imports channels, channels/contract, channels/mqtt/packet, storage/alert and
// storage/receipt. What it does for each device allocates nothing once warm.
package delivery

import (
	"slices"
	"time"

	"almenara/channels/contract"
	"almenara/storage/alert"
	"almenara/storage/receipt"
)

const (
	leafAlert = contract.LeafAlert + "/"
	// chunk is how many bytes are encoded for one device before others get their turn.
	chunk = 64 << 10
	// smallManifest is how many bytes of a manifest go out with the bodies. Larger ones would
	// keep the last device waiting, and are worth a write of their own.
	smallManifest = 4 << 10
)

// Clock is a gateway's time.
type Clock struct {
	start time.Time        // of the process's own clock
	wall  func() time.Time // the time of day
}

// NewClock begins at now. wall is the time of day.
func NewClock(now time.Time, wall func() time.Time) *Clock { return &Clock{start: now, wall: wall} }

// Now is the time since the clock began, in nanoseconds. It never jumps and is never zero.
func (c *Clock) Now() int64 { return int64(time.Since(c.start)) + 1 }

// Time is the time of day as receipts carry it.
func (c *Clock) Time() time.Time { return c.wall().UTC().Truncate(time.Millisecond) }

// Batch is memory for what is encoded for one device after the other, so that nothing is
// allocated per delivery. The zero value is ready.
type Batch struct {
	Buf      []byte            // packets of one device, in order
	TooLarge []receipt.Receipt // of bodies that a device cannot take; the user's to empty
	Rejected int               // packets over a device's maximum packet size; the user's to reset

	BodiesFirst bool // large manifests wait until everybody has the bodies
	Skipped     bool // one did

	sent []Sent
}

// Sent is one revision and the members that it was encoded for.
type Sent struct {
	Alert    alert.ID
	Revision alert.Revision
	Members  []uint32
	serial   uint64
}

// Sent is what was encoded since ClearSent. It is valid until the batch is used again.
func (b *Batch) Sent() []Sent { return b.sent }

// ClearSent keeps the memory.
func (b *Batch) ClearSent() { b.sent = b.sent[:0] }

// noteSent remembers that a body was encoded for the member.
func (b *Batch) noteSent(d *planned, member uint32) {
	for i := range b.sent {
		if b.sent[i].serial == d.serial {
			b.sent[i].Members = append(b.sent[i].Members, member)
			return
		}
	}
	b.sent = slices.Grow(b.sent, 1)[:len(b.sent)+1] // takes an old entry's memory again
	s := &b.sent[len(b.sent)-1]
	s.serial, s.Alert, s.Revision = d.serial, d.Alert, d.Revision
	s.Members = append(s.Members[:0], member)
}
