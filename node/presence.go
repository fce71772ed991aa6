package node

import (
	"bytes"
	"sync"
	"time"

	"github.com/RoaringBitmap/roaring/v2"

	"almenara/channels"
	"almenara/channels/contract"
	"almenara/storage"
)

// presence knows the devices that are connected to this node. It is soft state:
// nothing of it survives a restart, nothing depends on it but what people see, and
// who is dropped when a credential ends. Safe for concurrent use.
type presence struct {
	mu      sync.Mutex
	devices map[string]*seen
	secrets map[string][]byte    // by device: the hash that its last credential matched
	gone    map[string]time.Time // by device: when its last session here ended
	clock   func() time.Time
}

// seen is one connected device.
type seen struct {
	Device string    `json:"device"`
	Member uint32    `json:"member"`
	Since  time.Time `json:"since"`
	State  string    `json:"state"`
	secret []byte    // hash of the secret that it showed
}

// sameAs reports whether the record still lets the device be what it is here.
func (s *seen) sameAs(d storage.Device) bool {
	return !d.Revoked && d.Ordinal == s.Member && (s.secret == nil || bytes.Equal(d.SecretHash, s.secret))
}

func newPresence(clock func() time.Time) *presence {
	return &presence{devices: map[string]*seen{}, secrets: map[string][]byte{}, gone: map[string]time.Time{}, clock: clock}
}

// admitted notes with which secret a device came in. There are no more entries than
// devices that were ever enrolled.
func (p *presence) admitted(device string, hash []byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.secrets[device] = hash
}

// session notes that a device came or went.
func (p *presence) session(from channels.Endpoint, up bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !up {
		if _, ok := p.devices[from.Device]; ok {
			p.gone[from.Device] = p.clock().UTC()
		}
		delete(p.devices, from.Device)
		return
	}
	delete(p.gone, from.Device)
	p.devices[from.Device] = &seen{
		Device: from.Device, Member: from.Member, Since: p.clock().UTC(), secret: p.secrets[from.Device],
	}
}

// state notes what a device says of itself.
func (p *presence) state(from channels.Endpoint, s contract.State) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if d, ok := p.devices[from.Device]; ok {
		d.State = s.State
	}
}

// all lists the connected devices in no particular order.
func (p *presence) all() []seen {
	p.mu.Lock()
	defer p.mu.Unlock()
	out := make([]seen, 0, len(p.devices))
	for _, d := range p.devices {
		out = append(out, *d)
	}
	return out
}

// of finds one connected device.
func (p *presence) of(device string) (seen, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	d, ok := p.devices[device]
	if !ok {
		return seen{}, false
	}
	return *d, true
}

// goneSince is when the device's last session at this node ended; zero where it had none
// since the node started. There are no more entries than devices that were ever enrolled.
func (p *presence) goneSince(device string) time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.gone[device]
}

func (p *presence) count() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.devices)
}

// countOf counts the connected devices of the given members.
func (p *presence) countOf(members *roaring.Bitmap) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := 0
	for _, d := range p.devices {
		if members.Contains(d.Member) {
			n++
		}
	}
	return n
}
