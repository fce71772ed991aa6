// Package presence knows the devices that are connected to this node: since when, what they said
// last of themselves, with which credential they came in. It is what the gateway asks and tells.
//
//	gateway ─> Authenticate, Session, State ─> Presence ─> All, Of, GoneSince, CountOf, Among
//	record of devices, key ring ─> Changed ─> drop: sessions end that should not go on
//
// It is soft state: nothing of it survives a restart, and nothing depends on it but what people
// see, and who is dropped. It never imports api or another part of node but secret, health and wire.
package presence

import (
	"bytes"
	"log/slog"
	"sync"
	"time"

	"github.com/RoaringBitmap/roaring/v2"

	"almenara/channels"
	"almenara/channels/contract"
	"almenara/cluster/apply"
	"almenara/node/health"
	"almenara/node/wire/devicehealth"
	"almenara/storage"
	"almenara/storage/alert"
)

// Options say what a Presence needs. None may be nil.
type Options struct {
	Store *storage.Store
	Holds func() bool // devices believe this node
	// Sent is told what was written to devices.
	Sent func(id alert.ID, revision alert.Revision, members []uint32)
	// Touch has Changed called with what may have changed.
	Touch  func(what apply.Change)
	Drop   func(device string) // ends a session
	Clock  func() time.Time
	Logger *slog.Logger
}

// Presence implements mqtt.Auth and mqtt.Hooks. Its methods may be called from any goroutine.
type Presence struct {
	store   *storage.Store
	holds   func() bool
	sent    func(id alert.ID, revision alert.Revision, members []uint32)
	changed func(what apply.Change)
	drop    func(device string)
	clock   func() time.Time
	log     *slog.Logger

	mu      sync.Mutex // guards what follows
	devices map[string]*Seen
	counts  map[uint32]int       // connected devices by member; none is 0
	members *roaring.Bitmap      // the keys of counts, so that an alert to everybody is counted in no time
	secrets map[string][]byte    // by device: the hash that its last credential matched
	gone    map[string]time.Time // by device: when its last session here ended
}

// New makes one.
func New(o Options) *Presence {
	return &Presence{
		store: o.Store, holds: o.Holds, sent: o.Sent, changed: o.Touch, drop: o.Drop, clock: o.Clock, log: o.Logger,
		devices: map[string]*Seen{}, counts: map[uint32]int{}, members: roaring.New(), secrets: map[string][]byte{}, gone: map[string]time.Time{},
	}
}

// Seen is one connected device.
type Seen struct {
	Device string                     `json:"device"`
	Member uint32                     `json:"member"`
	Since  time.Time                  `json:"since"`
	State  string                     `json:"state"`
	Health *devicehealth.DeviceHealth `json:"health,omitempty"` // as it last said; nil: it said nothing. It is not modified once set
	secret []byte                     // hash of the secret that it showed
}

// sameAs reports whether the record still lets the device be what it is here.
func (s *Seen) sameAs(d storage.Device) bool {
	return !d.Revoked && d.Ordinal == s.Member && (s.secret == nil || bytes.Equal(d.SecretHash, s.secret))
}

// admitted notes with which secret a device came in. There are no more entries than
// devices that were ever enrolled.
func (p *Presence) admitted(device string, hash []byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.secrets[device] = hash
}

// note notes that a device came or went.
func (p *Presence) note(from channels.Endpoint, up bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	before, was := p.devices[from.Device]
	if was {
		p.count(before.Member, -1)
	}
	if !up {
		if was {
			p.gone[from.Device] = p.clock().UTC()
		}
		delete(p.devices, from.Device)
		return
	}
	delete(p.gone, from.Device)
	p.devices[from.Device] = &Seen{
		Device: from.Device, Member: from.Member, Since: p.clock().UTC(), secret: p.secrets[from.Device],
	}
	p.count(from.Member, 1)
}

// count notes that a member has one device more or less. mu is held.
func (p *Presence) count(member uint32, change int) {
	if p.counts[member] += change; p.counts[member] > 0 {
		p.members.Add(member)
		return
	}
	delete(p.counts, member)
	p.members.Remove(member)
}

// State implements mqtt.Hooks: it notes what a device says of itself.
func (p *Presence) State(from channels.Endpoint, s contract.State) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if d, ok := p.devices[from.Device]; ok {
		d.State = s.State
		if said := health.Of(s, p.clock()); said != nil {
			d.Health = said
		}
	}
}

// All lists the connected devices in no particular order.
func (p *Presence) All() []Seen {
	p.mu.Lock()
	defer p.mu.Unlock()
	out := make([]Seen, 0, len(p.devices))
	for _, d := range p.devices {
		out = append(out, *d)
	}
	return out
}

// IDs lists the ids of the connected devices in no particular order.
func (p *Presence) IDs() (out []string) {
	for _, d := range p.All() {
		out = append(out, d.Device)
	}
	return out
}

// Of finds one connected device.
func (p *Presence) Of(device string) (Seen, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	d, ok := p.devices[device]
	if !ok {
		return Seen{}, false
	}
	return *d, true
}

// GoneSince is when the device's last session at this node ended; zero where it had none
// since the node started. There are no more entries than devices that were ever enrolled.
func (p *Presence) GoneSince(device string) time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.gone[device]
}

// Count is how many devices are connected.
func (p *Presence) Count() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.devices)
}

// CountOf counts the connected devices of the given members.
func (p *Presence) CountOf(members *roaring.Bitmap) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.counts) == len(p.devices) { // one each, as nearly always
		return int(p.members.AndCardinality(members))
	}
	n := 0
	for it := roaring.And(p.members, members).Iterator(); it.HasNext(); {
		n += p.counts[it.Next()]
	}
	return n
}

// Among is which of the given members have a connected device. It is the caller's own.
func (p *Presence) Among(members *roaring.Bitmap) *roaring.Bitmap {
	p.mu.Lock()
	defer p.mu.Unlock()
	return roaring.And(p.members, members)
}
